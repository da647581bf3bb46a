import { describe, expect } from 'vitest'
import { generations, type PublishProgress } from '../src/index.ts'
import { tagged } from './catalogue.ts'
import { test } from './publication.ts'
import type { Fault } from './stand-in/faults.ts'

describe('upload', () => {
  test('never more batches on their way than streams; payloads are taken as they are needed', async ({ run }) => {
    let taken = 0
    let most = 0
    let ahead = 0
    let sent = 0
    async function* payloads(): AsyncGenerator<Record<string, unknown>> {
      for (let row = 0; row < 400; row++) {
        ahead = Math.max(ahead, ++taken - sent)
        yield { row }
      }
    }
    const { vectors } = tagged(400, 1)
    await run({
      vectors,
      payloads: payloads(),
      concurrency: 3,
      onProgress(event) {
        most = Math.max(most, event.inFlight)
        sent = event.points
      },
    })
    expect(most).toBeLessThanOrEqual(3)
    // Twice as many batches in memory as streams.
    expect(ahead).toBeLessThanOrEqual(2 * 3 * 10)
  })

  test('too few and too many payloads', async ({ server, alias, run }) => {
    const some = (count: number): object[] => Array.from({ length: count }, (_, row) => ({ row }))
    await expect(run({ payloads: some(99) as never })).rejects.toThrow(
      /payloads of vectors are 99, fewer than its 100 points/,
    )
    await expect(run({ payloads: some(101) as never })).rejects.toThrow(
      /payloads of vectors are more than its 100 points/,
    )
    expect(await generations({ url: server.url, alias })).toEqual([])
  })

  test('batches are split by bytes, by the server’s body limit and by 429 without Retry-After', async ({
    server,
    alias,
    run,
  }) => {
    const long = (row: number): Record<string, unknown> => ({ row, text: 'x'.repeat(2000) })
    await run({ payloads: long, batchSize: 50, maxBatchBytes: 25_000 })
    const upserts = (): number[] =>
      server.requests.filter(({ operation }) => operation === 'upsert').map(({ bytes }) => bytes)
    expect(Math.max(...upserts())).toBeLessThan(25_000)
    expect(upserts().length).toBeGreaterThan(8)

    server.requests.length = 0
    server.faults.add({ operation: 'upsert', fault: { kind: 'status', status: 429 } })
    server.faults.add({
      operation: 'upsert',
      fault: { kind: 'status', status: 400, error: 'JSON payload (99 bytes) is larger than allowed (limit: 9 bytes).' },
    })
    await run({ batchSize: 40, concurrency: 1 })
    // 40 refused by 429, its first half of 20 refused by the body limit: 40, 20, 10, 10, 20, then 40 and 20.
    expect(upserts()).toHaveLength(7)
    expect((await server.client.count(alias, { exact: true })).count).toBe(100)
  })

  test('the whole Retry-After is kept, not its first character', async ({ server, run }) => {
    server.faults.add({ operation: 'upsert', fault: { kind: 'status', status: 429, retryAfter: '2' } })
    server.faults.add({
      operation: 'count',
      fault: { kind: 'status', status: 429, retryAfter: new Date(Date.now() + 3000).toUTCString() },
    })
    const began = performance.now()
    await expect(run()).resolves.toMatchObject({ retries: 2 })
    expect(performance.now() - began).toBeGreaterThan(2000)
  })

  test('wait_timeout is not success', async ({ server, run }) => {
    server.faults.add({ operation: 'upsert', fault: { kind: 'wait_timeout' }, times: 3 })
    await expect(run()).resolves.toMatchObject({ retries: 3 })
  })

  test('a permanent error stops it, names rows and reason, and leaves what serves', async ({ server, alias, run }) => {
    await run()
    const before = (await server.client.getAliases()).aliases.filter(({ alias_name }) => alias_name === alias)
    server.faults.add({
      operation: 'upsert',
      skip: 4,
      fault: { kind: 'status', status: 400, error: 'Format error in JSON body: bad payload' },
    })
    await expect(run({ ...tagged(100, 2), concurrency: 1 })).rejects.toMatchObject({
      name: 'PublishError',
      step: 'upload',
      rows: { from: 40, to: 50 },
      temporary: false,
      message: expect.stringMatching(/rows 40 to 49 \(ids 41 to 50\).*400: Format error in JSON body: bad payload/),
    })
    expect((await server.client.getAliases()).aliases.filter(({ alias_name }) => alias_name === alias)).toEqual(before)
    expect((await generations({ url: server.url, alias })).map(({ state }) => state)).toEqual(['live'])
  })

  test('bigint ids and UUIDs', async ({ server, alias, run }) => {
    const { data, dimension } = tagged(2, 1).vectors
    await run({ vectors: { ids: [1n, 2n ** 53n + 1n], data, dimension } })
    expect((await server.client.count(alias, { exact: true })).count).toBe(2)
    await run({
      vectors: {
        ids: ['936DA01F-9ABD-4d9d-80C7-02AF85C822A8', '00000000-0000-4000-8000-000000000001'],
        data,
        dimension,
      },
    })
    expect((await server.client.count(alias, { exact: true })).count).toBe(2)
  })
})

test('an abort ends the run though the server does not answer any more', async ({ server, alias, run }) => {
  const controller = new AbortController()
  server.faults.add({ operation: 'upsert', skip: 3, fault: { kind: 'hang' }, times: 100 })
  for (const operation of ['updateCollection', 'deleteCollection', 'getCollection'] as const) {
    server.faults.add({ operation, when: () => controller.signal.aborted, fault: { kind: 'hang' }, times: 100 })
  }
  const outcome = run({ signal: controller.signal, abortDeadline: 100, concurrency: 2 })
  setTimeout(() => controller.abort(new Error('enough')), 600)
  await expect(outcome).rejects.toThrow('enough')
  server.faults.clear()
  // The next run deletes or resumes what could not be deleted.
  await expect(run()).resolves.toMatchObject({ points: 100 })
  expect((await generations({ url: server.url, alias })).map(({ state }) => state)).toEqual(['live'])
})

describe('verification', () => {
  test('a point that is missing, and one that is not what was sent', async ({ server, alias, run }) => {
    const lose = (change: (collection: string) => Promise<unknown>): void =>
      server.faults.add({
        operation: 'count',
        fault: { kind: 'call', call: async ({ collection }) => void (await change(collection as string)) },
      })
    lose((collection) => server.client.delete(collection, { points: [50], wait: true }))
    await expect(run()).rejects.toMatchObject({
      step: 'verify',
      message: expect.stringMatching(/has 99 points on the server, expected 100.*Nothing was swapped/),
    })
    lose((collection) =>
      server.client.upsert(collection, { points: [{ id: 1, vector: [9, 9, 9, 9], payload: {} }], wait: true }),
    )
    await expect(run({ vectors: { ...tagged(100, 1).vectors, distance: 'Dot' } })).rejects.toThrow(
      /vector of point 1 \(row 0, id 1\) .* is not the one sent: it is \[9.0+, .*expected \[/,
    )
    lose((collection) =>
      server.client.overwritePayload(collection, { points: [100], payload: { other: 1 }, wait: true }),
    )
    await expect(run()).rejects.toThrow(/payload of point 100 \(row 99, id 100\)/)
    expect(await generations({ url: server.url, alias })).toEqual([])
  })

  test('green that comes late is waited for, with the share of the index, and given up at the deadline', async ({
    server,
    run,
  }) => {
    const events: PublishProgress[] = []
    const onProgress = (event: PublishProgress): void => void events.push(event)
    const when = (): boolean => events.at(-1)?.phase === 'ready'
    const yellow: Fault = {
      kind: 'answer',
      change: ({ result }) => Object.assign(result, { status: 'yellow', indexed_vectors_count: 20 }),
    }
    const building = (done: number): Fault => ({
      kind: 'answer',
      change({ result }) {
        const graph = { name: 'main_graph', done, total: 80 }
        result.running = [{ progress: { name: 'Segment', children: [{ name: 'vector_index', children: [graph] }] } }]
      },
    })
    server.faults.add({ operation: 'getCollection', when, fault: yellow, times: 6 })
    for (const done of [0, 10, 20, 40, 60, 80]) server.faults.add({ operation: 'optimizations', fault: building(done) })
    // No beats, which read the collection too.
    const options = { onProgress, heartbeatInterval: 30_000 }
    await run(options)
    const ready = events.filter(({ indexed }) => indexed !== undefined)
    expect(ready.slice(0, 6).map(({ indexed }) => indexed)).toEqual([0.2, 0.3, 0.4, 0.6, 0.8, 1])
    expect(ready.slice(0, 6).map(({ etaSeconds }) => etaSeconds === undefined)).toEqual([true, ...Array(5).fill(false)])
    expect(ready[3].etaSeconds).toBeLessThan(2)
    expect(server.requests.filter(({ operation }) => operation === 'optimizations')).toHaveLength(6 + 3)
    server.faults.add({ operation: 'getCollection', when, fault: yellow, times: 1e9 })
    await expect(run({ ...options, readyTimeout: 50 })).rejects.toMatchObject({
      step: 'ready',
      temporary: true,
      message: expect.stringContaining('still pending: status yellow'),
    })
  })

  test('an optimization that runs or is queued is waited for though the status is green', async ({ server, run }) => {
    for (const change of [{ running: [{ progress: { name: 'Segment' } }] }, { queued: [{}] }]) {
      const fault: Fault = { kind: 'answer', change: ({ result }) => Object.assign(result, change) }
      server.requests.length = 0
      server.faults.add({ operation: 'optimizations', fault })
      await run()
      expect(server.requests.filter(({ operation }) => operation === 'optimizations')).toHaveLength(1 + 3)
    }
  })
})
