import { describe, expect } from 'vitest'
import { generations, type PublishOptions } from '../src/index.ts'
import { test } from './publication.ts'
import type { FaultRule } from './stand-in/faults.ts'
import { startStandIn } from './stand-in/server.ts'

describe('input that cannot be published is refused before the first request', () => {
  const data = new Float32Array(8).fill(1)
  const vectors = { ids: [1, 2], data, dimension: 4 }
  test.for<[string, Partial<PublishOptions>, RegExp]>([
    [
      'a length that does not fit',
      { vectors: { ...vectors, dimension: 3 } },
      /vectors.data has 8 values, expected 2 ids × dimension 3 = 6/,
    ],
    [
      'dimension 0',
      { vectors: { ...vectors, dimension: 0 } },
      /vectors.dimension is 0, expected an integer from 1 to 65,536/,
    ],
    [
      'no points',
      { vectors: { ids: [], data: new Float32Array(), dimension: 4 } },
      /vectors has no points, expected at least one/,
    ],
    [
      'NaN',
      { vectors: { ...vectors, data: Float32Array.of(1, 1, 1, 1, 1, Number.NaN, 1, 1) } },
      /vectors.data is NaN in row 1 \(id 2\), column 1, expected finite numbers/,
    ],
    [
      'an alias with a slash',
      { alias: 'a/b' },
      /The alias "a\/b" has the character "\/", expected 1 to 180 characters without/,
    ],
    ['batchSize 0', { batchSize: 0 }, /`batchSize` is 0, expected a positive integer/],
    ['keepGenerations -1', { keepGenerations: -1 }, /`keepGenerations` is -1, expected a non-negative integer/],
    ['a stale age below the heartbeat', { staleAfter: 100, heartbeatInterval: 100 }, /at least three times/],
    ['no vector', { vectors: { ids: [1, 2], named: {} } }, /vectors.named is {}, expected at least one vector/],
    [
      'users by cosine',
      { users: { vectors } },
      /No vector of the users has an inner product .*vectors: 4 × Cosine; users.vectors: 4 × Cosine/,
    ],
    [
      'an option of another name',
      { keep: 3 } as object,
      /`keep` is no option of publish, expected one of: .*keepGenerations/,
    ],
    [
      'an unknown distance',
      { vectors: { ...vectors, distance: 'cosine' as never } },
      /vectors.distance is "cosine", expected one of Cosine, Dot/,
    ],
    [
      'users of another dimension',
      {
        vectors: { ...vectors, distance: 'Dot' },
        users: { vectors: { ids: [1], data: data.subarray(0, 3), dimension: 3, distance: 'Dot' } },
      },
      /vectors: 4 × Dot; users.vectors: 3 × Dot/,
    ],
    ['no url', { url: '' }, /`url` and `client` are missing, expected one of them/],
    [
      'a url without a scheme',
      { url: 'localhost:6333' },
      /`url` is "localhost:6333", expected an address that begins with http:\/\/ or https:\/\//,
    ],
  ])('%s', async ([, options, message], { server, run }) => {
    await expect(run({ vectors, ...options })).rejects.toThrow(message)
    expect(server.requests).toEqual([])
  })
})

describe('preflight', () => {
  const usedUp = { config: { enabled: true, max_disk_usage_percent: 90 }, usage: { disk_usage_percent: 93 } }

  test('a server that is not there', async ({ run }) => {
    const closed = await startStandIn()
    await closed.close()
    await expect(run({ url: closed.url, retry: { retries: 1, minDelay: 1 } })).rejects.toMatchObject({
      step: 'preflight',
      temporary: true,
      message: expect.stringMatching(
        /No answer from the server: ECONNREFUSED.*Check `url`, and that the server is running/s,
      ),
    })
  })

  test('an alias that is a collection’s name', async ({ server, alias, run }) => {
    await server.client.createCollection(alias, { vectors: { size: 4, distance: 'Dot' } })
    await expect(run()).rejects.toMatchObject({
      step: 'preflight',
      message: expect.stringContaining('is the name of a collection, expected an alias'),
    })
  })

  test('an old server, a used-up quota, a wrong key', async ({ server, run }) => {
    const cases: [FaultRule, RegExp][] = [
      [
        { operation: 'root', fault: { kind: 'answer', change: (root) => Object.assign(root, { version: '1.15.5' }) } },
        /has version 1.15.5, expected 1.16 or later/,
      ],
      [
        { operation: 'quotas', fault: { kind: 'answer', change: ({ result }) => Object.assign(result, usedUp) } },
        /disk quota .* used up: 93 % of at most 90 %/,
      ],
      [
        { operation: 'root', fault: { kind: 'status', status: 401, error: 'Must provide an API key' } },
        /401.*Check `apiKey`/,
      ],
    ]
    for (const [rule, message] of cases) {
      server.faults.add(rule)
      await expect(run()).rejects.toThrow(message)
    }
  })

  test('a key is sent', async ({ run }) => {
    const guarded = await startStandIn({ apiKey: 'secret' })
    await expect(run({ url: guarded.url })).rejects.toThrow(/401.*Check `apiKey`/)
    await expect(run({ url: guarded.url, apiKey: 'secret' })).resolves.toMatchObject({ points: 100 })
    await guarded.close()
  })

  test('strict mode that this load would break', async ({ server, alias, run }) => {
    const strict = (limits: object): Partial<PublishOptions> => ({
      collection: { strict_mode_config: { enabled: true, ...limits } },
    })
    await expect(run(strict({ max_points_count: 50 }))).rejects.toThrow(
      /max_points_count of the server's strict mode is 50 .* needs 100/,
    )
    await expect(run(strict({ max_payload_index_count: 3 }))).rejects.toThrow(
      /max_payload_index_count of the server's strict mode is 3 .* needs 8/,
    )
    expect(await generations({ url: server.url, alias })).toEqual([])
    // A smaller batch than asked for.
    await expect(run({ ...strict({ upsert_max_batchsize: 7 }), batchSize: 50 })).resolves.toMatchObject({ points: 100 })
    expect(server.requests.filter(({ operation }) => operation === 'upsert')).toHaveLength(15)
  })
})
