/**
 * Publishing to Qdrant: points per second and peak RSS of `publish`, beside Python's qdrant-client (`upload_points`, 4 processes) and beside
 * the same request bodies, made beforehand and sent raw over as many connections. All three upload to collections made alike on the
 * server that QDRANT_URL names, or on the stand-in of the tests without one.
 *
 * `npm run bench -- publish [--size 1M] [--quick] [--batch 500] [--workers 4] [--no-peer]`
 */
import { spawn } from 'node:child_process'
import {
  createReadStream,
  createWriteStream,
  existsSync,
  mkdirSync,
  openSync,
  readSync,
  renameSync,
  statSync,
  writeFileSync,
} from 'node:fs'
import { createInterface } from 'node:readline'
import { pipeline } from 'node:stream/promises'
import { fileURLToPath } from 'node:url'
import { parseArgs } from 'node:util'
import { catalogueIndexes, type Payload, publish } from '@seesaw/qdrant-sink'
import { median } from 'simple-statistics'
import { runPeer } from '../peers/python.ts'

const dimension = 128

interface Settings {
  url: string
  points: number
  folder: string
  batch: number
  workers: number
}

interface Figures {
  seconds: number
  uploadSeconds: number
  bytes: number
  peakRssMb: number
}

export async function main(args: string[]): Promise<Record<string, unknown>> {
  const { values } = parseArgs({
    args,
    options: {
      size: { type: 'string' },
      quick: { type: 'boolean' },
      batch: { type: 'string', default: '500' },
      workers: { type: 'string', default: '4' },
      peer: { type: 'boolean', default: true },
    },
    allowNegative: true,
  })
  const points = parseSize(values.size ?? (values.quick ? '20k' : '1M'))
  const rounds = points <= 100_000 ? 3 : 1
  const folder = await prepare(points)
  const { url, name, stop } = await findServer()
  const settings: Settings = { url, points, folder, batch: Number(values.batch), workers: Number(values.workers) }
  const ours: Figures[] = []
  const peer: number[] = []
  const raw: number[] = []
  try {
    for (let round = 0; round < rounds; round++) {
      ours.push(await inChild<Figures>('ours', settings))
      console.error(
        `seesaw        ${rate(points, ours.at(-1)?.uploadSeconds)}, ${ours.at(-1)?.peakRssMb} MB, whole publication ${ours.at(-1)?.seconds.toFixed(1)} s`,
      )
      if (values.peer) {
        peer.push(await runClient(settings))
        console.error(`qdrant-client ${rate(points, peer.at(-1))}`)
      }
      const sent = await inChild<{ seconds: number; points: number }>('raw', settings)
      raw.push(sent.points / sent.seconds)
      console.error(`raw bytes     ${rate(sent.points, sent.seconds)}`)
    }
  } finally {
    stop()
  }
  const pointsPerSecond = points / median(ours.map(({ uploadSeconds }) => uploadSeconds))
  const peerRate = peer.length > 0 ? points / median(peer) : undefined
  return {
    points,
    pointsPerSecond: Math.round(pointsPerSecond),
    ...(peerRate !== undefined && {
      ratioToQdrantClient: round3(pointsPerSecond / peerRate),
      qdrantClientPointsPerSecond: Math.round(peerRate),
    }),
    ratioToRawBytes: round3(pointsPerSecond / median(raw)),
    rawPointsPerSecond: Math.round(median(raw)),
    spread:
      rounds > 1
        ? round3(
            Math.max(...ours.map(({ uploadSeconds }) => uploadSeconds)) /
              Math.min(...ours.map(({ uploadSeconds }) => uploadSeconds)) -
              1,
          )
        : undefined,
    publicationSeconds: round3(median(ours.map(({ seconds }) => seconds))),
    bytesPerPoint: Math.round(ours[0].bytes / points),
    server: name,
    peakRssMb: Math.max(...ours.map(({ peakRssMb }) => peakRssMb)),
    vectorsMb: Math.round((points * dimension * 4) / 1e6),
  }
}

/** Vectors as raw float32 and payloads as lines of JSON, so that every contender reads the same. */
async function prepare(points: number): Promise<string> {
  const folder = fileURLToPath(new URL(`../.cache/publish-${points}/`, import.meta.url))
  if (existsSync(`${folder}done`)) return folder
  mkdirSync(folder, { recursive: true })
  const random = mulberry32(42)
  const writeAll = async (file: string, make: (from: number, to: number) => Buffer | string): Promise<void> => {
    await pipeline(
      function* () {
        for (let from = 0; from < points; from += 10_000) yield make(from, Math.min(points, from + 10_000))
      },
      createWriteStream(`${folder}${file}.part`),
    )
    renameSync(`${folder}${file}.part`, `${folder}${file}`)
  }
  await writeAll('vectors.f32', (from, to) =>
    Buffer.from(Float32Array.from({ length: (to - from) * dimension }, () => (random() + random() - 1) * 0.3).buffer),
  )
  await writeAll('payloads.ndjson', (from, to) => {
    let lines = ''
    for (let row = from; row < to; row++) lines += `${JSON.stringify(release(row, random))}\n`
    return lines
  })
  writeFileSync(`${folder}done`, '')
  return folder
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

async function findServer(): Promise<{ url: string; name: string; stop(): void }> {
  const url = process.env.QDRANT_URL
  if (url) {
    const { version } = (await (await fetch(url)).json()) as { version: string }
    return { url, name: `qdrant ${version}`, stop: () => {} }
  }
  // In a process of its own, as a server is.
  const file = fileURLToPath(new URL('../../packages/qdrant-sink/test/stand-in/server.ts', import.meta.url))
  const child = spawn(process.execPath, ['--max-old-space-size=8192', file], { stdio: ['ignore', 'pipe', 'inherit'] })
  for await (const line of createInterface({ input: child.stdout }))
    return { url: line, name: 'stand-in', stop: () => child.kill() }
  throw new Error('The stand-in server did not start.')
}

async function runClient(settings: Settings): Promise<number> {
  const collection = `bench-peer-${Date.now()}`
  await makeCollection(settings.url, collection)
  try {
    const { url, folder, batch } = settings
    const files = [`${folder}vectors.f32`, `${folder}payloads.ndjson`]
    const answer = await runPeer<{ seconds: number; points: number }>(
      'qdrant_upload.py',
      [url, collection, ...files, String(dimension), String(batch), '4'],
      4,
    )
    if (answer.points !== settings.points)
      throw new Error(`Expected ${settings.points} points from qdrant-client, the server counts ${answer.points}.`)
    return answer.seconds
  } finally {
    await request(settings.url, 'DELETE', `/collections/${collection}`)
  }
}

/** As `publish` makes it: payload indexes first, the vector index put off. */
async function makeCollection(url: string, collection: string): Promise<void> {
  await request(url, 'PUT', `/collections/${collection}`, {
    vectors: { size: dimension, distance: 'Cosine' },
    optimizers_config: { indexing_threshold: 0 },
  })
  for (const [field_name, field_schema] of Object.entries(catalogueIndexes)) {
    await request(url, 'PUT', `/collections/${collection}/index?wait=true`, { field_name, field_schema })
  }
}

async function request(url: string, method: string, path: string, body?: unknown): Promise<void> {
  const text = typeof body === 'string' ? body : JSON.stringify(body)
  const answer = await fetch(url + path, {
    method,
    ...(body !== undefined && { body: text, headers: { 'content-type': 'application/json' } }),
  })
  if (!answer.ok) throw new Error(`${method} ${path}: ${answer.status} ${await answer.text()}`)
  await answer.arrayBuffer()
}

function inChild<T>(mode: string, settings: Settings): Promise<T> {
  return new Promise((resolve, reject) => {
    const child = spawn(process.execPath, [fileURLToPath(import.meta.url), mode, JSON.stringify(settings)], {
      stdio: ['ignore', 'pipe', 'inherit'],
    })
    let output = ''
    child.stdout.setEncoding('utf8').on('data', (text: string) => {
      output += text
    })
    child.on('close', (code) => {
      if (code === 0) resolve(JSON.parse(output.trimEnd().split('\n').at(-1) as string))
      else reject(new Error(`The ${mode} run ended with exit code ${code}.`))
    })
  })
}

async function publishOurs({ url, points, folder, batch, workers }: Settings): Promise<Figures> {
  const data = readVectors(folder, points)
  const ids = Uint32Array.from({ length: points }, (_, row) => row + 1)
  const alias = `bench-${Date.now()}`
  let began = 0
  let uploadSeconds = 0
  const publication = await publish({
    url,
    alias,
    vectors: { ids, data, dimension },
    payloads: readPayloads(folder),
    maxWorkers: workers,
    batchSize: batch,
    onProgress({ phase }) {
      if (phase === 'upload' && began === 0) began = performance.now()
      if (phase === 'restore') uploadSeconds = (performance.now() - began) / 1000
    },
  })
  await request(url, 'DELETE', `/collections/${publication.collection}`)
  return {
    seconds: publication.seconds,
    uploadSeconds,
    bytes: publication.bytes,
    peakRssMb: Math.round(process.resourceUsage().maxRSS / 1024),
  }
}

/** Up to 100,000 points as request bodies made beforehand; only sending them is timed. */
async function sendRaw({
  url,
  points,
  folder,
  batch,
  workers,
}: Settings): Promise<{ seconds: number; points: number }> {
  const count = Math.min(points, 100_000)
  const data = readVectors(folder, count)
  const bodies: string[] = []
  let part: unknown[] = []
  let row = 0
  for await (const payload of readPayloads(folder)) {
    part.push({ id: row + 1, vector: Array.from(data.subarray(row * dimension, ++row * dimension)), payload })
    if (part.length < batch && row < count) continue
    bodies.push(JSON.stringify({ points: part }))
    part = []
    if (row === count) break
  }
  const collection = `bench-raw-${Date.now()}`
  await makeCollection(url, collection)
  const began = performance.now()
  const stream = async (): Promise<void> => {
    for (let body = bodies.pop(); body !== undefined; body = bodies.pop())
      await request(url, 'PUT', `/collections/${collection}/points?wait=true`, body)
  }
  await Promise.all(Array.from({ length: workers }, stream))
  const seconds = (performance.now() - began) / 1000
  await request(url, 'DELETE', `/collections/${collection}`)
  return { seconds, points: count }
}

function readVectors(folder: string, points: number): Float32Array {
  const file = `${folder}vectors.f32`
  const data = new Float32Array(new SharedArrayBuffer(Math.min(statSync(file).size, points * dimension * 4)))
  const bytes = new Uint8Array(data.buffer)
  const descriptor = openSync(file, 'r')
  for (let at = 0; at < bytes.length; ) at += readSync(descriptor, bytes, at, Math.min(1 << 26, bytes.length - at), at)
  return data
}

async function* readPayloads(folder: string): AsyncGenerator<Payload> {
  for await (const line of createInterface({ input: createReadStream(`${folder}payloads.ndjson`) }))
    yield JSON.parse(line)
}

function parseSize(text: string): number {
  const match = /^(\d+(?:\.\d+)?)([kM]?)$/.exec(text)
  if (!match) throw new Error(`Expected --size such as 50k or 1M, got ${text}.`)
  return Math.round(Number(match[1]) * { '': 1, k: 1e3, M: 1e6 }[match[2] as '' | 'k' | 'M'])
}

function rate(points: number, seconds: number | undefined): string {
  return `${Math.round(points / (seconds ?? Number.NaN)).toLocaleString('en')} points/s`
}

function round3(value: number): number {
  return Math.round(value * 1000) / 1000
}

function mulberry32(seed: number): () => number {
  let state = seed
  return () => {
    state = (state + 0x6d2b79f5) | 0
    let t = Math.imul(state ^ (state >>> 15), 1 | state)
    t = (t + Math.imul(t ^ (t >>> 7), 61 | t)) ^ t
    return ((t ^ (t >>> 14)) >>> 0) / 4294967296
  }
}

if (import.meta.main) {
  const [mode, settings] = process.argv.slice(2)
  const run = mode === 'ours' ? publishOurs : sendRaw
  console.log(JSON.stringify(await run(JSON.parse(settings))))
}
