import { describe, expect } from 'vitest'
import { generations, type PublishOptions } from '../src/index.ts'
import { test } from './publication.ts'
import type { FaultRule } from './stand-in/faults.ts'
import { startStandIn } from './stand-in/server.ts'

describe('input that cannot be published is refused before the first request', () => {
  const data = new Float32Array(8).fill(1)
  const vectors = { ids: [1, 2], data, dimension: 4 }
  test.for<[string, Partial<PublishOptions>, RegExp]>([
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
  ])('%s', async ([, options, message], { server, run }) => {
    await expect(run({ vectors, ...options })).rejects.toThrow(message)
    expect(server.requests).toEqual([])
  })
})

describe('preflight', () => {
  const usedUp = { config: { enabled: true, max_disk_usage_percent: 90 }, usage: { disk_usage_percent: 93 } }

  test('a server that is not there', async ({ run }) => {
    await expect(run({ url: 'http://127.0.0.1:9', retry: { retries: 1, minDelay: 1 } })).rejects.toMatchObject({
      step: 'preflight',
      temporary: true,
      message: expect.stringMatching(/did not answer.*ECONNREFUSED|did not answer.*No answer/s),
    })
  })

  test('an alias that is a collection’s name', async ({ server, alias, run }) => {
    await server.client.createCollection(alias, { vectors: { size: 4, distance: 'Dot' } })
    await expect(run()).rejects.toMatchObject({
      step: 'preflight',
      message: expect.stringContaining('there is a collection of that name'),
    })
  })

  test('an old server, a used-up quota, a wrong key', async ({ server, run }) => {
    const cases: [FaultRule, RegExp][] = [
      [
        { operation: 'root', fault: { kind: 'answer', change: (root) => Object.assign(root, { version: '1.15.5' }) } },
        /version 1.16 or later, got 1.15.5/,
      ],
      [
        { operation: 'quotas', fault: { kind: 'answer', change: ({ result }) => Object.assign(result, usedUp) } },
        /free disk .* 93 % of at most 90 %/,
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
    await expect(run(strict({ max_points_count: 50 }))).rejects.toThrow(/max_points_count of 50 .* needs 100/)
    await expect(run(strict({ max_payload_index_count: 3 }))).rejects.toThrow(/max_payload_index_count of 3 .* needs 8/)
    expect(await generations({ url: server.url, alias })).toEqual([])
    // A smaller batch than asked for.
    await expect(run({ ...strict({ upsert_max_batchsize: 7 }), batchSize: 50 })).resolves.toMatchObject({ points: 100 })
    expect(server.requests.filter(({ operation }) => operation === 'upsert')).toHaveLength(15)
  })
})
