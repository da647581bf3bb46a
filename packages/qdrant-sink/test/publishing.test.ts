import { spawn } from 'node:child_process'
import { once } from 'node:events'
import { fileURLToPath } from 'node:url'
import { afterEach, beforeEach, describe, expect, test } from 'vitest'
import { collectGarbage, generations, Index, type PublishOptions, publish, rollback, similar } from '../src/index.ts'
import { catalogue, quick, tagged } from './catalogue.ts'
import { isReal, startServer, type TestServer } from './servers.ts'
import { startStandIn } from './stand-in/server.ts'

let server: TestServer
let alias: string
const run = (options: Partial<PublishOptions> = {}): ReturnType<typeof publish> =>
  publish({ ...quick, url: server.url, alias, ...tagged(100, 1), ...options })

beforeEach(async () => {
  server = await startServer()
  alias = server.alias()
}, 60_000)
afterEach(() => server.close())

describe('input that cannot be published is refused before the first request', () => {
  const data = new Float32Array(8).fill(1)
  const vectors = { ids: [1, 2], data, dimension: 4 }
  test.each<[string, Partial<PublishOptions>, RegExp]>([
    ['a length that does not fit', { vectors: { ...vectors, dimension: 3 } }, /2 ids × dimension 3 = 6 values, got 8/],
    ['dimension 0', { vectors: { ...vectors, dimension: 0 } }, /dimension from 1 to 65,536, got 0/],
    ['no points', { vectors: { ids: [], data: new Float32Array(), dimension: 4 } }, /at least one point/],
    [
      'NaN',
      { vectors: { ...vectors, data: Float32Array.of(1, 1, 1, 1, 1, Number.NaN, 1, 1) } },
      /got NaN in row 1 \(id 2\), column 1/,
    ],
    [
      'an id that is neither integer nor UUID',
      { vectors: { ...vectors, ids: ['a', 'b'] } },
      /unsigned integers or UUIDs .* row 0.*row numbers/,
    ],
    ['a negative id', { vectors: { ...vectors, ids: [1, -2] } }, /got "-2" \(number\) in row 1/],
    ['the same id twice', { vectors: { ...vectors, ids: [7, 7] } }, /unique vectors.ids, got 7 in row 0 and in row 1/],
    ['an alias with a slash', { alias: 'a/b' }, /without .* got "a\/b" with the character "\/"/],
    ['batchSize 0', { batchSize: 0 }, /`batchSize` to be a whole number from 1, got 0/],
    ['keep -1', { keep: -1 }, /`keep` to be a whole number from 0, got -1/],
    ['a stale age below the heartbeat', { staleAfter: 100, heartbeatInterval: 100 }, /at least three times/],
    ['no vector', { distance: {} }, /at least one vector/],
    ['users by cosine', { users: { vectors } }, /Expected a `distance` of Dot/],
    [
      'users of another dimension',
      { users: { vectors: { ids: [1], data: data.subarray(0, 3), dimension: 3 } }, distance: 'Dot' },
      /one dimension, got 3 and 4/,
    ],
    ['no url', { url: '' }, /Expected `url` .* or `client`, got neither/],
    ['a url without a scheme', { url: 'localhost:6333' }, /begin with http:\/\/ or https:\/\//],
  ])('%s', async (_, options, message) => {
    await expect(run({ vectors, ...options })).rejects.toThrow(message)
    expect(server.requests).toEqual([])
  })
})

describe('preflight', () => {
  test('a server that is not there', async () => {
    await expect(run({ url: 'http://127.0.0.1:9', retry: { retries: 1, minDelay: 1 } })).rejects.toMatchObject({
      step: 'preflight',
      temporary: true,
      message: expect.stringMatching(/did not answer.*ECONNREFUSED|did not answer.*No answer/s),
    })
  })

  test('an alias that is a collection’s name', async () => {
    await server.client.createCollection(alias, { vectors: { size: 4, distance: 'Dot' } })
    await expect(run()).rejects.toMatchObject({
      step: 'preflight',
      message: expect.stringContaining('there is a collection of that name'),
    })
  })

  test.skipIf(isReal)('an old server, a used-up quota, a wrong key', async () => {
    const cases = [
      [{ version: '1.15.5' }, /version 1.16 or later, got 1.15.5/],
      [
        { quotas: { config: { enabled: true, max_disk_usage_percent: 90 }, usage: { disk_usage_percent: 93 } } },
        /free disk .* 93 % of at most 90 %/,
      ],
      [{ apiKey: 'secret' }, /401.*Check `apiKey`/],
    ] as const
    for (const [options, message] of cases) {
      const other = await startStandIn(options)
      await expect(run({ url: other.url })).rejects.toThrow(message)
      await other.close()
    }
    const guarded = await startStandIn({ apiKey: 'secret' })
    await expect(run({ url: guarded.url, apiKey: 'secret' })).resolves.toMatchObject({ points: 100 })
    await guarded.close()
  })

  test('strict mode that this load would break', async () => {
    const strict = (limits: object): Partial<PublishOptions> => ({
      collection: { strict_mode_config: { enabled: true, ...limits } },
    })
    await expect(run(strict({ max_points_count: 50 }))).rejects.toThrow(/max_points_count of 50 .* needs 100/)
    await expect(run(strict({ max_payload_index_count: 3 }))).rejects.toThrow(/max_payload_index_count of 3 .* needs 8/)
    expect(await generations({ url: server.url, alias })).toEqual([])
    // A smaller batch than asked for.
    await expect(run({ ...strict({ upsert_max_batchsize: 7 }), batchSize: 50 })).resolves.toMatchObject({ points: 100 })
    expect(server.requests.filter(({ operation }) => operation === 'upsert')).toHaveLength(15)
  })
})

describe('upload', () => {
  test('never more batches on their way than streams; payloads are taken as they are needed', async () => {
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
      maxWorkers: 3,
      onProgress(event) {
        most = Math.max(most, event.inFlight)
        sent = event.points
      },
    })
    expect(most).toBeLessThanOrEqual(3)
    // Twice as many batches in memory as streams.
    expect(ahead).toBeLessThanOrEqual(2 * 3 * 10)
  })

  test('too few and too many payloads', async () => {
    const some = (count: number): object[] => Array.from({ length: count }, (_, row) => ({ row }))
    await expect(run({ payloads: some(99) as never })).rejects.toThrow(
      /Expected 100 payloads for vectors, as many as ids, got 99/,
    )
    await expect(run({ payloads: some(101) as never })).rejects.toThrow(
      /Expected 100 payloads for vectors, as many as ids, got more/,
    )
    expect(await generations({ url: server.url, alias })).toEqual([])
  })

  test('batches are split by bytes, by the server’s body limit and by 429 without Retry-After', async () => {
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
    await run({ batchSize: 40, maxWorkers: 1 })
    // 40 refused by 429, its first half of 20 refused by the body limit: 40, 20, 10, 10, 20, then 40 and 20.
    expect(upserts()).toHaveLength(7)
    expect((await server.client.count(alias, { exact: true })).count).toBe(100)
  })

  test('the whole Retry-After is kept, not its first character', async () => {
    server.faults.add({ operation: 'upsert', fault: { kind: 'status', status: 429, retryAfter: '2' } })
    server.faults.add({
      operation: 'count',
      fault: { kind: 'status', status: 429, retryAfter: new Date(Date.now() + 3000).toUTCString() },
    })
    const began = performance.now()
    await expect(run()).resolves.toMatchObject({ retries: 2 })
    expect(performance.now() - began).toBeGreaterThan(2000)
  })

  test('wait_timeout is not success', async () => {
    server.faults.add({ operation: 'upsert', fault: { kind: 'wait_timeout' }, times: 3 })
    await expect(run()).resolves.toMatchObject({ retries: 3 })
  })

  test('a permanent error stops it, names rows and reason, and leaves what serves', async () => {
    await run()
    const before = (await server.client.getAliases()).aliases.filter(({ alias_name }) => alias_name === alias)
    server.faults.add({
      operation: 'upsert',
      skip: 4,
      fault: { kind: 'status', status: 400, error: 'Format error in JSON body: bad payload' },
    })
    await expect(run({ ...tagged(100, 2), maxWorkers: 1 })).rejects.toMatchObject({
      name: 'PublishError',
      step: 'upload',
      rows: { from: 40, to: 50 },
      temporary: false,
      message: expect.stringMatching(/rows 40 to 49 \(ids 41 to 50\).*400: Format error in JSON body: bad payload/),
    })
    expect((await server.client.getAliases()).aliases.filter(({ alias_name }) => alias_name === alias)).toEqual(before)
    expect((await generations({ url: server.url, alias })).map(({ state }) => state)).toEqual(['live'])
  })

  test('bigint ids and UUIDs', async () => {
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

describe('the fence', () => {
  const fences = async (): Promise<string[]> =>
    (await server.client.getAliases()).aliases
      .map(({ alias_name }) => alias_name)
      .filter((name) => name.startsWith(`${alias}@`))

  test('two first publications: the one that swaps first wins', async () => {
    server.faults.add({
      operation: 'upsert',
      skip: 3,
      fault: { kind: 'call', call: async () => void (await run(tagged(100, 2))) },
    })
    await expect(run()).rejects.toMatchObject({
      name: 'SupersededError',
      message: expect.stringContaining('did not exist at the beginning'),
    })
    const [live, ...others] = await generations({ url: server.url, alias })
    expect(others).toEqual([])
    expect(await fences()).toEqual([`${alias}@${live.collection}`])
  })

  test('one that is gone is put up again while nobody has moved the alias', async () => {
    for (const state of ['first', 'second']) {
      const call = async (): Promise<void> => {
        const actions = (await fences()).map((alias_name) => ({ delete_alias: { alias_name } }))
        await server.client.updateCollectionAliases({ actions })
      }
      server.faults.add({ operation: 'count', fault: { kind: 'call', call } })
      const { collection } = await run(tagged(100, state === 'first' ? 1 : 2))
      expect(await fences()).toEqual([`${alias}@${collection}`])
    }
  })

  test('an alias that was moved by hand is published from there', async () => {
    await run(tagged(20, 1))
    await run(tagged(20, 2))
    const [, earlier] = await generations({ url: server.url, alias })
    await server.client.updateCollectionAliases({
      actions: [{ create_alias: { alias_name: alias, collection_name: earlier.collection } }],
    })
    const { collection, previous } = await run(tagged(20, 3))
    expect(previous).toBe(earlier.collection)
    expect(await fences()).toEqual([`${alias}@${collection}`])
  })
})

test('an abort ends the run though the server does not answer any more', async () => {
  const controller = new AbortController()
  server.faults.add({ operation: 'upsert', skip: 3, fault: { kind: 'hang' }, times: 100 })
  for (const operation of ['updateCollection', 'deleteCollection', 'getCollection'] as const) {
    server.faults.add({ operation, when: () => controller.signal.aborted, fault: { kind: 'hang' }, times: 100 })
  }
  const outcome = run({ signal: controller.signal, abortDeadline: 100, maxWorkers: 2 })
  setTimeout(() => controller.abort(new Error('enough')), 600)
  await expect(outcome).rejects.toThrow('enough')
  server.faults.clear()
  // The next run deletes or resumes what could not be deleted.
  await expect(run()).resolves.toMatchObject({ points: 100 })
  expect((await generations({ url: server.url, alias })).map(({ state }) => state)).toEqual(['live'])
})

describe('verification', () => {
  test('a point that is missing, and one that is not what was sent', async () => {
    const lose = (change: (collection: string) => Promise<unknown>): void =>
      server.faults.add({
        operation: 'count',
        fault: { kind: 'call', call: async ({ collection }) => void (await change(collection as string)) },
      })
    lose((collection) => server.client.delete(collection, { points: [50], wait: true }))
    await expect(run()).rejects.toMatchObject({
      step: 'verify',
      message: expect.stringMatching(/Expected 100 points .* counts 99.*Nothing was swapped/),
    })
    lose((collection) =>
      server.client.upsert(collection, { points: [{ id: 1, vector: [9, 9, 9, 9], payload: {} }], wait: true }),
    )
    await expect(run({ distance: 'Dot' })).rejects.toThrow(/vector of point 1 \(row 0\) .* is not the one sent/)
    lose((collection) =>
      server.client.overwritePayload(collection, { points: [100], payload: { other: 1 }, wait: true }),
    )
    await expect(run()).rejects.toThrow(/payload of point 100 \(row 99\)/)
    expect(await generations({ url: server.url, alias })).toEqual([])
  })

  test.skipIf(isReal)('green that comes late is waited for, and given up at the deadline', async () => {
    const standIn = server.standIn as NonNullable<TestServer['standIn']>
    standIn.storage.yellowPolls = 6
    const seen: string[] = []
    await run({ onProgress: ({ phase }) => seen.at(-1) !== phase && seen.push(phase) })
    const polls = server.requests
      .slice(server.requests.findLastIndex(({ operation }) => operation === 'upsert'))
      .filter(({ operation }) => operation === 'optimizations')
    expect(polls.length).toBe(3)
    standIn.storage.yellowPolls = 1e9
    await expect(run({ readyTimeout: 50 })).rejects.toMatchObject({
      step: 'ready',
      temporary: true,
      message: expect.stringContaining('still pending: status yellow'),
    })
  })
})

describe('generations', () => {
  test('a run killed during the load is resumed from its watermark, by the same input only', async () => {
    server.faults.add({ operation: 'upsert', fault: { kind: 'slow', milliseconds: 60 }, times: 30 })
    const options = JSON.stringify({ url: server.url, alias, rows: 300, seed: 1, maxWorkers: 1, heartbeatInterval: 20 })
    const child = spawn(process.execPath, [fileURLToPath(new URL('./publisher.ts', import.meta.url)), options], {
      stdio: 'ignore',
    })
    server.faults.add({
      operation: 'upsert',
      skip: 20,
      fault: { kind: 'call', call: () => void child.kill('SIGKILL') },
    })
    while (server.requests.filter(({ operation }) => operation === 'upsert').length < 20)
      await new Promise((resolve) => setTimeout(resolve, 10))
    child.kill('SIGKILL')
    await once(child, 'exit')
    const [left] = await generations({ url: server.url, alias })
    expect(left).toMatchObject({ state: 'unfinished', record: { state: 'loading', points: 300 } })
    const watermark = left.record?.watermark as number
    expect(watermark).toBeGreaterThan(100)

    server.faults.clear()
    server.requests.length = 0
    const publication = await run({ ...tagged(300, 1) })
    expect(publication).toMatchObject({ collection: left.collection, resumed: watermark, points: 300 })
    expect(server.requests.filter(({ operation }) => operation === 'upsert')).toHaveLength((300 - watermark) / 10)
  })

  test('what was left by a run of other input is deleted; a live run is never touched', async () => {
    server.faults.add({ operation: 'upsert', fault: { kind: 'status', status: 503 }, times: 40 })
    await expect(run({ retry: { retries: 1, minDelay: 1 } })).rejects.toMatchObject({ temporary: true })
    server.faults.clear()
    const [left] = await generations({ url: server.url, alias })
    expect(left.state).toBe('unfinished')
    expect((await collectGarbage({ url: server.url, alias })).garbage).toMatchObject([
      { collection: left.collection, reason: 'its run ended during the load' },
    ])
    expect((await collectGarbage({ url: server.url, alias })).deleted).toEqual([])

    let during: string[] = []
    server.faults.add({
      operation: 'upsert',
      skip: 5,
      fault: {
        kind: 'call',
        call: async () => {
          during = (await generations({ url: server.url, alias })).map(({ state }) => state)
          expect((await collectGarbage({ url: server.url, alias, dryRun: false })).deleted).toEqual([])
        },
      },
    })
    await run(tagged(100, 2))
    expect(during).toEqual(['loading'])
    expect((await generations({ url: server.url, alias })).map(({ state }) => state)).toEqual(['live'])
  })

  test('an iterable of payloads is read from its beginning when a run is resumed; another version is not resumed', async () => {
    const { vectors, payloads } = tagged(100, 1)
    async function* lines(): AsyncGenerator<Record<string, unknown>> {
      for (let row = 0; row < 100; row++) yield payloads(row)
    }
    const breakOff = async (): Promise<void> => {
      server.faults.add({ operation: 'upsert', skip: 5, fault: { kind: 'status', status: 503 }, times: 2 })
      const outcome = run({
        vectors,
        payloads: lines(),
        version: 'a',
        maxWorkers: 1,
        retry: { retries: 1, minDelay: 1 },
      })
      await expect(outcome).rejects.toMatchObject({ step: 'upload', temporary: true, rows: { from: 50, to: 60 } })
    }
    await breakOff()
    expect(await run({ vectors, payloads: lines(), version: 'a', sample: 100 })).toMatchObject({
      resumed: 50,
      points: 100,
    })
    await breakOff()
    expect(await run({ vectors, payloads: lines(), version: 'b' })).toMatchObject({ resumed: 0, points: 100 })
    expect((await generations({ url: server.url, alias })).map(({ state }) => state)).toEqual(['live', 'published'])
  })

  test('garbage is what no alias points to, beyond those kept; other people’s collections stay', async () => {
    for (let seed = 1; seed <= 4; seed++) await run({ ...tagged(20, seed), keep: 9 })
    const found = await generations({ url: server.url, alias })
    expect(found.map(({ state }) => state)).toEqual(['live', 'published', 'published', 'published'])
    await server.client.updateCollectionAliases({
      actions: [{ create_alias: { alias_name: `${alias}-pinned`, collection_name: found[3].collection } }],
    })
    await server.client.createCollection(`${alias}_1700000000`, { vectors: { size: 4, distance: 'Dot' } })
    const { deleted } = await collectGarbage({ url: server.url, alias, dryRun: false, keep: 1 })
    expect(deleted).toEqual([found[2].collection])
    expect((await generations({ url: server.url, alias })).map(({ state }) => state)).toEqual([
      'live',
      'published',
      'published',
      'unknown',
    ])
  })

  test('a run whose collection was taken over ends and changes nothing', async () => {
    server.faults.add({
      operation: 'upsert',
      fault: {
        kind: 'call',
        call: async ({ collection }) => {
          const { config } = await server.client.getCollection(collection as string)
          const record = (config.metadata as { seesaw: object }).seesaw
          await server.client.api().updateCollection({
            collection_name: collection as string,
            metadata: { seesaw: { ...record, run: 'another' } },
          })
        },
      },
    })
    server.faults.add({ operation: 'upsert', fault: { kind: 'slow', milliseconds: 80 }, times: 10 })
    const outcome = run({ maxWorkers: 1, heartbeatInterval: 20 })
    await expect(outcome).rejects.toMatchObject({
      name: 'SupersededError',
      message: expect.stringContaining('taken over by run another'),
    })
    expect((await generations({ url: server.url, alias }))[0].record?.run).toBe('another')
  })

  test('a garbage collection in the middle of a rollback leaves its target', async () => {
    await run(tagged(20, 1))
    await run(tagged(20, 2))
    const [, earlier] = await generations({ url: server.url, alias })
    let deleted: string[] | undefined
    server.faults.add({
      operation: 'updateAliases',
      when: ({ body }) => JSON.stringify(body).includes('rename_alias'),
      fault: {
        kind: 'call',
        call: async () => {
          deleted = (await collectGarbage({ url: server.url, alias, keep: 0, dryRun: false })).deleted
        },
      },
    })
    expect(await rollback({ url: server.url, alias })).toMatchObject({ to: earlier.collection })
    expect(deleted).toEqual([])
    expect((await server.client.count(alias)).count).toBe(20)
    // And once it is over, what was left is garbage again.
    expect((await collectGarbage({ url: server.url, alias, keep: 0, dryRun: false })).deleted).toHaveLength(1)
  })

  test('nothing to roll back to', async () => {
    await expect(rollback({ url: server.url, alias })).rejects.toThrow(/points to no generation made by publish/)
    await run({ keep: 0 })
    await expect(rollback({ url: server.url, alias })).rejects.toThrow(
      /Expected an earlier generation .* that has served, got: \d+ \(live\)/,
    )
    await expect(rollback({ url: server.url, alias, to: 5 })).rejects.toThrow(/Expected generation 5/)
  })
})

test('users are swapped and rolled back in the same request', async () => {
  const { vectors, payloads } = catalogue(40, 8, 1)
  const publications = []
  for (const seed of [2, 3]) {
    server.requests.length = 0
    const users = { vectors: catalogue(15, 8, seed).vectors }
    publications.push(await publish({ ...quick, url: server.url, alias, vectors, payloads, users, distance: 'Dot' }))
    const swaps = server.requests.filter(
      ({ operation, body }) => operation === 'updateAliases' && JSON.stringify(body).includes('rename_alias'),
    )
    expect(swaps).toHaveLength(1)
  }
  const usersAlias = `${alias}_users`
  const targets = async (): Promise<(string | undefined)[]> => {
    const aliases = new Map(
      (await server.client.getAliases()).aliases.map((one) => [one.alias_name, one.collection_name]),
    )
    return [aliases.get(alias), aliases.get(usersAlias)]
  }
  expect(publications[1].users).toBe(`${usersAlias}_${publications[1].generation}`)
  expect(await targets()).toEqual([publications[1].collection, publications[1].users])
  const back = await rollback({ url: server.url, alias })
  expect(back.aliases).toEqual({ [alias]: publications[0].collection, [usersAlias]: publications[0].users })
  expect(await targets()).toEqual([publications[0].collection, publications[0].users])
  await rollback({ url: server.url, alias, to: publications[1].generation })
  expect(await targets()).toEqual([publications[1].collection, publications[1].users])
})

test('items and users broken off during the users are resumed together', async () => {
  const users = { vectors: tagged(60, 5).vectors }
  const common = { users, distance: 'Dot', maxWorkers: 1 } as const
  const ofUsers = ({ collection }: { collection: string | undefined }): boolean =>
    collection?.includes('_users_') ?? false
  server.faults.add({ operation: 'upsert', when: ofUsers, skip: 2, fault: { kind: 'status', status: 503 }, times: 2 })
  await expect(run({ ...common, retry: { retries: 1, minDelay: 1 } })).rejects.toMatchObject({
    temporary: true,
    rows: { from: 20, to: 30 },
  })
  const left = await generations({ url: server.url, alias })
  expect(left.map(({ state }) => state)).toEqual(['ready'])
  server.requests.length = 0
  const publication = await run(common)
  expect(publication).toMatchObject({
    collection: left[0].collection,
    resumed: 120,
    points: 160,
    generation: left[0].generation,
  })
  expect(server.requests.filter(({ operation }) => operation === 'upsert')).toHaveLength(4)
  expect((await server.client.count(`${alias}_users`, { exact: true })).count).toBe(60)
})

test('vector forms are handed on: on disk, quantized, float16, replicas and shards', async () => {
  const quantization_config = { scalar: { type: 'int8', always_ram: true } } as const
  await run({
    vectorParameters: { on_disk: true, datatype: 'float16', quantization_config },
    collection: { shard_number: 2, on_disk_payload: true, hnsw_config: { m: 8 } },
    distance: { similar: 'Cosine', taste: 'Dot' },
  })
  const { config } = await server.client.getCollection(alias)
  expect(config.params.vectors).toMatchObject({
    similar: { size: 4, distance: 'Cosine', on_disk: true, datatype: 'float16', quantization_config },
    taste: { size: 4, distance: 'Dot', on_disk: true },
  })
  expect(config.params.shard_number).toBe(2)
})

test('the url may have a path, which becomes the prefix of every request, and the caller may bring a client', async () => {
  await run()
  await using index = new Index({ client: server.client, alias })
  expect(await index.query(similar(1, { limit: 3 }))).toHaveLength(3)
  if (isReal) return
  await using prefixed = new Index({ url: `${server.url}/behind/a/path/`, alias, retry: { retries: 0 } })
  await expect(prefixed.query(similar(1))).rejects.toMatchObject({
    url: expect.stringContaining('/behind/a/path/collections/'),
  })
})
