import { spawn } from 'node:child_process'
import { once } from 'node:events'
import { mkdir, mkdtemp, rm } from 'node:fs/promises'
import { tmpdir } from 'node:os'
import { join } from 'node:path'
import { setTimeout as sleep } from 'node:timers/promises'
import { DuckDBInstance } from '@duckdb/node-api'
import { QdrantClient } from '@qdrant/js-client-rest'
import { readVectors, type VectorFiles } from '@seesaw/loader'
import { generations, type PublishOptions, publish } from '@seesaw/qdrant-sink'
import { afterAll, beforeAll, expect, test } from 'vitest'
import { type StandIn, startStandIn } from '../../packages/qdrant-sink/test/stand-in/server.ts'

// Child processes on a busy machine take their time; no time is asserted here.
const rows = 5000
const dimension = 4
/** Two files, row groups of 2,048. */
const source = () => join(folder, 'items')
let folder: string
let server: StandIn

beforeAll(async () => {
  folder = await mkdtemp(join(tmpdir(), 'publish-files-'))
  server = await startStandIn()
  const duckdb = await (await DuckDBInstance.create()).connect()
  const value = `(hash(i * 100 + j) % 2000001)::DOUBLE / 1e6 - 1`
  await duckdb.run(`
    CREATE TABLE items AS SELECT 3 * i + 1 AS id, i % 90 AS interaction_count,
      list_transform(range(${dimension}), lambda j: ${value})::FLOAT[] AS vector FROM range(${rows}) t(i)`)
  await mkdir(source())
  for (const [name, which] of [
    ['part-0', 'id <= 9000'],
    ['part-1', 'id > 9000'],
  ]) {
    const file = join(source(), `${name}.parquet`)
    await duckdb.run(`COPY (SELECT * FROM items WHERE ${which} ORDER BY id) TO '${file}' (ROW_GROUP_SIZE 2048)`)
  }
  duckdb.closeSync()
})
afterAll(async () => {
  await server?.close()
  await rm(folder, { recursive: true })
})

const quick: Partial<PublishOptions> = { batchSize: 100, pollInterval: 10, graceDelay: 0, heartbeatInterval: 20 }

test('Parquet of vectors, streamed, is published as the same vectors are from memory', async () => {
  const { ids, data, counts } = await readWhole()
  expect(ids.length).toBe(rows)
  const streamed = await run('streamed', { vectors: await read() })
  expect(streamed).toMatchObject({ points: rows, resumed: 0 })
  const payloads = (row: number) => ({ interaction_count: counts[row] })
  const arrays = await run('arrays', { vectors: { ids, data, dimension }, payloads })
  expect(await pointsOf(streamed.collection)).toEqual(await pointsOf(arrays.collection))
})

test('after kill -9 it goes on where it was, and reads no row group before that again', async () => {
  server.faults.add({ operation: 'upsert', fault: { kind: 'slow', milliseconds: 30 }, times: 60 })
  server.requests.length = 0
  const options = { ...quick, source: source(), url: server.url, alias: 'killed', concurrency: 1 }
  const program = join(import.meta.dirname, 'publish-files.ts')
  const child = spawn(process.execPath, [program, JSON.stringify(options)], { stdio: 'ignore' })
  while (upserts() < 35) await sleep(5)
  child.kill('SIGKILL')
  await once(child, 'exit')
  await server.settled()
  const [left] = await generations({ url: server.url, alias: 'killed' })
  const watermark = left!.record!.watermark as number
  expect(watermark).toBeGreaterThan(2048)
  expect(watermark).toBeLessThan(rows)
  server.faults.clear()
  server.requests.length = 0
  const files = await read()
  const begun: number[] = []
  const batches: VectorFiles['batches'] = (start) => {
    begun.push(start)
    return files.batches(start)
  }
  const resumed = await run('killed', { vectors: { ...files, batches } })
  expect(resumed).toMatchObject({ collection: left!.collection, resumed: watermark, points: rows })
  expect(begun).toEqual([watermark])
  expect(upserts()).toBe(Math.ceil((rows - watermark) / 100))
  const whole = await run('whole', { vectors: await read() })
  expect(await pointsOf(resumed.collection)).toEqual(await pointsOf(whole.collection))
})

const read = () => readVectors({ source: source(), numbers: ['interaction_count'], threads: 2 })

async function readWhole(): Promise<{ ids: number[]; data: Float32Array; counts: number[] }> {
  const ids: number[] = []
  const counts: number[] = []
  const data = new Float32Array(rows * dimension)
  for await (const batch of (await read()).batches(0)) {
    data.set(batch.data, ids.length * dimension)
    counts.push(...batch.numbers.interaction_count!)
    for (let row = 0; row < batch.ids.length; row++) ids.push(Number(batch.ids.at(row)))
  }
  return { ids, data, counts }
}

function run(alias: string, options: Omit<PublishOptions, 'url' | 'alias'>): ReturnType<typeof publish> {
  return publish({ ...quick, ...options, url: server.url, alias })
}

const upserts = () => server.requests.filter(({ operation }) => operation === 'upsert').length

/** Scrolling tells the ids, retrieving the vectors. */
async function pointsOf(collection: string): Promise<unknown> {
  const client = new QdrantClient({ url: server.url, checkCompatibility: false })
  const { points } = await client.scroll(collection, { limit: 2 * rows })
  expect(points).toHaveLength(rows)
  const found = await client.retrieve(collection, {
    ids: points.map(({ id }) => id),
    with_vector: true,
    with_payload: true,
  })
  expect(found[0]!.vector).toHaveLength(dimension)
  return found
}
