/** The points of the publish benchmark as files that every contender reads, in benchmarks/.cache. */
import {
  closeSync,
  createReadStream,
  createWriteStream,
  existsSync,
  mkdirSync,
  openSync,
  readSync,
  renameSync,
} from 'node:fs'
import { createInterface } from 'node:readline'
import { pipeline } from 'node:stream/promises'
import { fileURLToPath } from 'node:url'
import type { Payload, Vectors } from '@seesaw/qdrant-sink'
// The package does not export it: how points are written is its own affair, and the raw bodies are to be the same.
import { makeBatches } from '../../packages/qdrant-sink/src/points/batch.ts'
import { PayloadReader } from '../../packages/qdrant-sink/src/points/payload.ts'
import { pointSource } from '../../packages/qdrant-sink/src/points/source.ts'
import { randomStream } from '../random-stream.ts'

export const dimension = 128

export interface CatalogueFiles {
  points: number
  /** float32, row by row. */
  vectors: string
  /** One JSON object a line. */
  payloads: string
}

/** Makes the files on first use. */
export async function generateCatalogue(points: number): Promise<CatalogueFiles> {
  const folder = fileURLToPath(new URL(`../.cache/publish-${points}/`, import.meta.url))
  mkdirSync(folder, { recursive: true })
  const vectors = `${folder}vectors.f32`
  const payloads = `${folder}payloads.ndjson`
  const random = randomStream(42, 0)
  const value = (): number => (random() + random() - 1) * 0.3
  await writeParts(vectors, points, (from, to) =>
    Buffer.from(Float32Array.from({ length: (to - from) * dimension }, value).buffer),
  )
  const chance = randomStream(42, 1)
  await writeParts(payloads, points, (from, to) => {
    let lines = ''
    for (let row = from; row < to; row++) lines += `${JSON.stringify(release(row, chance))}\n`
    return lines
  })
  return { points, vectors, payloads }
}

/** In memory that threads could share. */
export function readVectors({ vectors, points }: CatalogueFiles): Vectors {
  const data = new Float32Array(new SharedArrayBuffer(points * dimension * 4))
  const bytes = new Uint8Array(data.buffer)
  const file = openSync(vectors, 'r')
  for (let at = 0; at < bytes.length; ) at += readSync(file, bytes, at, Math.min(1 << 26, bytes.length - at), at)
  closeSync(file)
  return { ids: Uint32Array.from({ length: points }, (_, row) => row + 1), data, dimension }
}

export async function* readPayloads({ payloads }: CatalogueFiles): AsyncGenerator<Payload> {
  for await (const line of createInterface({ input: createReadStream(payloads) })) yield JSON.parse(line)
}

/** The bodies of all upserts end to end, as `publish` writes them, and the bytes of each. */
export async function generateBodies(files: CatalogueFiles, batch: number): Promise<{ file: string; sizes: number[] }> {
  const file = files.payloads.replace('payloads.ndjson', `bodies-${batch}.json`)
  const batches = makeBatches({
    source: pointSource('vectors', readVectors(files), 'float32'),
    payloads: new PayloadReader('vectors', files.points, readPayloads(files)),
    idField: undefined,
    start: 0,
    batchSize: batch,
    maxBatchBytes: Number.POSITIVE_INFINITY,
    onPoint() {},
  })
  const sizes: number[] = []
  async function* bodies(): AsyncGenerator<Buffer> {
    for await (const points of batches) {
      const body = points.body
      sizes.push(body.length)
      yield body
    }
  }
  await pipeline(bodies, createWriteStream(file))
  return { file, sizes }
}

async function writeParts(
  path: string,
  points: number,
  make: (from: number, to: number) => Buffer | string,
): Promise<void> {
  if (existsSync(path)) return
  await pipeline(
    function* () {
      for (let from = 0; from < points; from += 10_000) yield make(from, Math.min(points, from + 10_000))
    },
    createWriteStream(`${path}.part`),
  )
  renameSync(`${path}.part`, path)
}

/** A full payload, about 300 bytes. */
function release(row: number, random: () => number): Payload {
  const pick = (count: number): number => Math.floor(random() ** 2 * count)
  return {
    item_id: row + 1,
    title: `Release ${row + 1} of a longer title`,
    year: 1950 + pick(75),
    country: `Country ${pick(60)}`,
    artists: [`Artist ${pick(200_000)}`, `Artist ${pick(200_000)}`],
    labels: [`Label ${pick(50_000)}`],
    genres: [`Genre ${pick(15)}`],
    styles: [`Style ${pick(400)}`, `Style ${pick(400)}`],
    interaction_count: Math.floor(5 / (random() + 1e-4)),
  }
}
