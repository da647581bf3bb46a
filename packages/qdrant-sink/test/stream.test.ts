import { spawn } from 'node:child_process'
import { randomUUID } from 'node:crypto'
import { text } from 'node:stream/consumers'
import { fileURLToPath } from 'node:url'
import { describe, expect } from 'vitest'
import {
  generations,
  type Ids,
  Index,
  type NamedVectorStream,
  type VectorBatch,
  type VectorStream,
} from '../src/index.ts'
import { streamOf, tagged } from './catalogue.ts'
import { startCountingServer } from './counting-server.ts'
import { killedRun } from './killed-run.ts'
import { test } from './publication.ts'
import type { TestServer } from './servers.ts'

const rows = 100
const { vectors, payloads } = tagged(rows, 1)

test('a stream published equals the array published, in batches of any size', async ({ server, run }) => {
  const array = await run({ vectors, payloads })
  const expected = await pointsOf(server, array.collection)
  expect(expected).toHaveLength(rows)
  for (const size of [1, 9, 10, 11, 64, 100, 1000]) {
    const publication = await run({ vectors: streamOf(vectors, size), payloads })
    expect(publication).toMatchObject({ points: rows, resumed: 0 })
    expect(await pointsOf(server, publication.collection)).toEqual(expected)
  }
  async function* lines(): AsyncGenerator<Record<string, unknown>> {
    for (let row = 0; row < rows; row++) yield payloads(row)
  }
  const { collection } = await run({ vectors: streamOf(vectors, 7), payloads: lines() })
  expect(await pointsOf(server, collection)).toEqual(expected)
})

test('several vectors of a point, and users beside items', async ({ server, run }) => {
  const { ids, data, dimension } = vectors
  const taste = data.map((value) => 3 * value)
  const named = { similar: { dimension }, taste: { dimension, distance: 'Dot' as const } }
  const stream: NamedVectorStream = {
    points: rows,
    named,
    fingerprint: 'both',
    async *batches(start) {
      for (let from = start; from < rows; from += 30) {
        const [begin, end] = [from * dimension, Math.min(rows, from + 30) * dimension]
        const part = Array.from({ length: (end - begin) / dimension }, (_, i) => ids.at(from + i) as number)
        yield { ids: part, named: { taste: taste.slice(begin, end), similar: data.slice(begin, end) } }
      }
    },
  }
  const users = streamOf({ ...tagged(40, 3).vectors, distance: 'Dot' }, 9)
  const streamed = await run({ vectors: stream, users: { vectors: users } })
  const arrays = await run({
    vectors: {
      ids,
      named: { similar: { data, dimension }, taste: { data: taste, dimension, distance: 'Dot' } },
    },
    users: { vectors: { ...tagged(40, 3).vectors, distance: 'Dot' } },
  })
  expect(await pointsOf(server, streamed.collection)).toEqual(await pointsOf(server, arrays.collection))
  expect(await pointsOf(server, streamed.users as string)).toEqual(await pointsOf(server, arrays.users as string))
})

test('numbers of a batch go into the payload, where it has none of its own', async ({ server, run }) => {
  const counts = Float64Array.from({ length: rows }, (_, row) => (row === 50 ? Number.NaN : row * 2))
  const stream: VectorStream = {
    ...streamOf(vectors, 30),
    *batches(start) {
      let from = start
      for (const batch of streamOf(vectors, 30).batches(start) as Iterable<VectorBatch>) {
        yield { ...batch, numbers: { interaction_count: counts.subarray(from, from + batch.ids.length) } }
        from += batch.ids.length
      }
    },
  }
  const payload = (row: number): Record<string, unknown> => (row === 20 ? { row, interaction_count: 7 } : { row })
  server.faults.add({ operation: 'upsert', skip: 5, fault: { kind: 'status', status: 503 }, times: 2 })
  const options = { vectors: stream, payloads: payload, verifySample: rows }
  await expect(run({ ...options, concurrency: 1, retry: { retries: 1, minDelay: 1 } })).rejects.toThrow()
  const { collection, resumed } = await run(options)
  expect(resumed).toBe(50)
  const found = (await pointsOf(server, collection)) as { payload: unknown }[]
  expect([0, 20, 49, 50, 99].map((row) => found[row].payload)).toEqual([
    { row: 0, interaction_count: 0 },
    { row: 20, interaction_count: 7 },
    { row: 49, interaction_count: 98 },
    { row: 50 },
    { row: 99, interaction_count: 198 },
  ])
})

test('UUIDs of every spelling among strings, in the order of their bytes', async ({ server, alias, run }) => {
  const ids = Array.from({ length: 60 }, (_, row) => {
    const uuid = randomUUID()
    return [`item ${row}`, uuid, uuid.toUpperCase(), uuid.replaceAll('-', '')][row % 4]
  }).sort()
  const stream = streamOf({ ids, data: vectors.data.slice(0, 60 * 4), dimension: 4 }, 7)
  const { points } = await run({ vectors: stream, payloads: (row) => ({ row }), verifySample: 60 })
  expect(points).toBe(60)
  await using index = new Index({ url: server.url, alias })
  for (const row of [0, 15, 30, 59]) expect(await index.get(ids[row])).toMatchObject({ row })
})

test('two ids of a stream that are one point are found when the points are counted', async ({ server, alias, run }) => {
  const { collection } = await run()
  const uuid = '550e8400-e29b-41d4-a716-446655440000'
  const ids = [uuid, uuid.replaceAll('-', ''), 'x']
  const stream = streamOf({ ids, data: vectors.data.slice(0, 12), dimension: 4 }, 3)
  await expect(run({ vectors: stream })).rejects.toThrow(
    /has 2 points on the server, expected 3. Two ids of a stream may be one point, such as a UUID in two spellings/,
  )
  expect((await generations({ url: server.url, alias })).map((one) => one.collection)).toEqual([collection])
})

describe('what is wrong with a stream is found while it is read: nothing is left, and the alias stays', () => {
  const batch = (ids: Ids, value = 1): VectorBatch => ({ ids, data: new Float32Array(ids.length * 4).fill(value) })
  test.for<[string, VectorBatch[], RegExp]>([
    [
      'ids out of order',
      [batch([1, 3, 2, 4, 5])],
      /vectors.ids: the id 2 in row 2 comes after 3, expected strictly ascending ids .*Sort the source/,
    ],
    ['an id twice, in two batches', [batch([1, 2, 3]), batch([3, 4])], /the id 3 in row 3 comes after 3/],
    ['strings after numbers', [batch([1, 2]), batch(['a', 'b', 'c'])], /the id "a" in row 2 comes after 2/],
    [
      'UUIDs among strings',
      [batch(['a', '550e8400-e29b-41d4-a716-446655440000']), batch(['x', 'y', 'z'])],
      /strictly ascending/,
    ],
    ['a negative id', [batch([1, 2]), batch([-3, 4, 5])], /the id -3 in row 2 is negative/],
    ['NaN', [batch([1, 2]), batch([3, 4, 5], Number.NaN)], /vectors.data is NaN in row 2 \(id 3\), column 0/],
    [
      'values of another dimension',
      [batch([1, 2]), { ids: [3, 4, 5], data: new Float32Array(9) }],
      /vectors.data has 9 values, expected 3 ids × dimension 4 = 12/,
    ],
    ['too few points', [batch([1, 2, 3])], /vectors ended after 3 points, expected the 5 that `points` says/],
    ['too many points', [batch([1, 2, 3]), batch([4, 5, 6])], /vectors has more than the 5 points that `points` says/],
  ])('%s', async ([, list, message], { server, alias, run }) => {
    const { collection } = await run()
    const stream: VectorStream = { points: 5, dimension: 4, fingerprint: 'x', batches: () => list }
    await expect(run({ vectors: stream, batchSize: 1 })).rejects.toThrow(message)
    expect((await generations({ url: server.url, alias })).map((one) => [one.collection, one.state])).toEqual([
      [collection, 'live'],
    ])
  })

  test('what a stream itself throws is thrown', async ({ server, alias, run }) => {
    const stream: VectorStream = {
      ...streamOf(vectors, 10),
      *batches(start) {
        let count = 0
        for (const batch of streamOf(vectors, 10).batches(start) as Iterable<VectorBatch>) {
          if (count++ === 4) break
          yield batch
        }
        throw new Error('the disk is gone')
      },
    }
    await expect(run({ vectors: stream })).rejects.toThrow('the disk is gone')
    expect(await generations({ url: server.url, alias })).toEqual([])
  })

  test.for<[string, Partial<VectorStream>, RegExp]>([
    ['no points', { points: 0 }, /vectors.points is 0, expected a positive integer/],
    ['no fingerprint', { fingerprint: '' }, /vectors.fingerprint is "", expected a text that changes/],
    ['no dimension', { dimension: 0 }, /vectors.dimension is 0, expected an integer from 1/],
  ])('%s is refused before the first request', async ([, change, message], { server, run }) => {
    await expect(run({ vectors: { ...streamOf(vectors, 10), ...change } })).rejects.toThrow(message)
    expect(server.requests).toEqual([])
  })
})

describe('resumption', () => {
  const retry = { retries: 1, minDelay: 1 }

  test('a stream goes on at the watermark, and another fingerprint begins anew', async ({ server, alias, run }) => {
    const starts: number[] = []
    const stream = (): VectorStream => streamOf(vectors, 7, (start) => starts.push(start))
    const breakOff = async (): Promise<void> => {
      server.faults.add({ operation: 'upsert', skip: 5, fault: { kind: 'status', status: 503 }, times: 2 })
      await expect(run({ vectors: stream(), payloads, concurrency: 1, retry })).rejects.toMatchObject({
        step: 'upload',
        temporary: true,
        rows: { from: 50, to: 60 },
      })
      server.requests.length = 0
      starts.length = 0
    }
    await breakOff()
    const publication = await run({ vectors: stream(), payloads })
    expect(publication).toMatchObject({ resumed: 50, points: rows })
    expect(starts).toEqual([50])
    expect(upserts(server)).toHaveLength(5)
    const whole = await run({ vectors, payloads })
    expect(await pointsOf(server, publication.collection)).toEqual(await pointsOf(server, whole.collection))

    await breakOff()
    expect(await run({ vectors: { ...stream(), fingerprint: 'another' }, payloads })).toMatchObject({ resumed: 0 })
    expect(starts).toEqual([0])
    expect((await generations({ url: server.url, alias })).map(({ state }) => state)).toEqual(['live', 'published'])
  })

  test('with all points on the server only those to be verified are read again', async ({ server, run }) => {
    const starts: number[] = []
    const stream = (): VectorStream => streamOf(vectors, 7, (start) => starts.push(start))
    server.faults.add({ operation: 'count', fault: { kind: 'status', status: 503 }, times: 2 })
    await expect(run({ vectors: stream(), payloads, retry })).rejects.toMatchObject({ step: 'verify', temporary: true })
    server.requests.length = 0
    starts.length = 0
    expect(await run({ vectors: stream(), payloads, verifySample: 20 })).toMatchObject({ resumed: rows })
    expect(starts).toEqual([80, 100])
    expect(upserts(server)).toEqual([])
    const read = server.requests.flatMap(({ operation, body }) =>
      operation === 'getPoints' ? (body?.ids as number[]) : [],
    )
    expect(read).toEqual(Array.from({ length: 20 }, (_, i) => 81 + i))
  })

  test('after kill -9', async ({ server, alias, run }) => {
    const { left, watermark } = await killedRun(server, alias, { streamed: true })
    const starts: number[] = []
    const whole = tagged(300, 1)
    const publication = await run({ ...whole, vectors: streamOf(whole.vectors, 7, (start) => starts.push(start)) })
    expect(publication).toMatchObject({ collection: left.collection, resumed: watermark, points: 300 })
    expect(starts).toEqual([watermark])
    expect(upserts(server)).toHaveLength((300 - watermark) / 10)
    const array = await run(whole)
    expect(await pointsOf(server, publication.collection)).toEqual(await pointsOf(server, array.collection))
  })
})

test('memory does not grow with the points: 100,000 and 1,000,000 × 128', async () => {
  const server = await startCountingServer()
  const program = fileURLToPath(new URL('./large-stream.ts', import.meta.url))
  const peak = async (points: number): Promise<number> => {
    const options = { url: server.url, alias: `large-${points}`, points, dimension: 128 }
    // Otherwise V8 takes room for its garbage as it comes, up to some 100 MB: this says what is needed.
    const limits = ['--max-semi-space-size=4', '--max-old-space-size=64']
    const child = spawn(process.execPath, [...limits, program, JSON.stringify(options)], {
      stdio: ['ignore', 'pipe', 'inherit'],
    })
    const { sent, peakRssMb } = JSON.parse(await text(child.stdout))
    expect(sent).toBe(points)
    return peakRssMb
  }
  const [small, large] = [await peak(100_000), await peak(1_000_000)]
  await server.close()
  // The vectors of the second are 512 MB, those of the first 51.
  expect(large - small, `${small} MB, then ${large} MB`).toBeLessThan(40)
}, 300_000)

function upserts({ requests }: TestServer): unknown[] {
  return requests.filter(({ operation }) => operation === 'upsert')
}

async function pointsOf({ client }: TestServer, collection: string): Promise<unknown[]> {
  const { points } = await client.scroll(collection, { limit: 1000 })
  const ids = points.map(({ id }) => id)
  return client.retrieve(collection, { ids, with_vector: true, with_payload: true })
}
