/** What no compiler sees, since it comes from JavaScript or a file: refused by name before a request is made. */
import { describe, expect, test } from 'vitest'
import {
  blend,
  collectGarbage,
  crowdFavourites,
  forUser,
  generations,
  hiddenGems,
  Index,
  match,
  matchAny,
  preflight,
  publish,
  range,
  rollback,
  similar,
} from '../src/index.ts'

// Nobody listens there: whatever asks fails in another way.
const server = { url: 'http://127.0.0.1:1', alias: 'shop', retry: { retries: 0 } }
const vectors = { ids: [1, 2], data: Float32Array.of(1, 2), dimension: 1 }
// biome-ignore lint/suspicious/noExplicitAny: the test is of what the types forbid
type Anything = any

describe('publish', () => {
  test.each<[string, object, RegExp]>([
    ['a misspelt option', { batchsize: 5 }, /`batchsize` is no option of publish, expected one of: .*batchSize/],
    ['a misspelt option of the users', { users: { vectors, payload: [] } }, /`users.payload` is no option of publish/],
    [
      'a misspelt distance',
      { vectors: { ...vectors, distnce: 'Dot' } },
      /`distnce` is no option of vectors, .*distance/,
    ],
    [
      'a misspelt distance of one of several',
      { vectors: { ids: [1, 2], named: { taste: { data: vectors.data, dimension: 1, distanz: 'Dot' } } } },
      /`distanz` is no option of vectors.named.taste/,
    ],
    [
      'ids that are one string',
      { vectors: { ...vectors, ids: 'ab' } },
      /vectors.ids is "ab", expected a column of ids/,
    ],
    [
      'ids that are a set',
      { vectors: { ...vectors, ids: new Set([1, 2]) } },
      /vectors.ids is .*expected a column of ids/,
    ],
    ['no vectors', { vectors: undefined }, /`vectors` is undefined, expected an object/],
    ['a flag as text', { allowNewShape: 'false' }, /`allowNewShape` is "false", expected true or false/],
    ['another flag as text', { wait: 'yes' }, /`wait` is "yes", expected true or false/],
    ['a choice', { onAbort: 'remove' }, /`onAbort` is "remove", expected one of 'delete', 'keep'/],
    [
      'a time as text',
      { pollInterval: '100' },
      /`pollInterval` is "100", expected a non-negative number of milliseconds/,
    ],
    ['no time', { graceDelay: Number.NaN }, /`graceDelay` is NaN, expected a non-negative number/],
    ['a version', { version: 5 }, /`version` is 5, expected a string/],
    ['a field without a name', { idField: '' }, /`idField` is "", expected the name of a field, or false/],
    ['what is called', { onProgress: true }, /`onProgress` is true, expected a function/],
    [
      'a signal',
      { signal: new AbortController() },
      /`signal` is an object \(AbortController\), expected an AbortSignal/,
    ],
    ['payloads', { payloads: 5 }, /`payloads` is 5, expected a function of the row or an iterable/],
    ['indexes', { indexes: ['year'] }, /`indexes` is an array of 1, expected an object/],
    [
      'retries',
      { retry: { attempts: 3 } },
      /`retry.attempts` is no option of publish, expected one of: retries, minDelay/,
    ],
    [
      'a time for a request',
      { requestTimeout: 0 },
      /`requestTimeout` is 0, expected a positive integer of milliseconds/,
    ],
  ])('%s', async (_, option, message) => {
    await expect(publish({ ...server, vectors, ...(option as Anything) })).rejects.toThrow(message)
  })
})

describe('generations', () => {
  test.each<[string, (options: Anything) => Promise<unknown>, object, RegExp]>([
    ['preflight', preflight, { vector: {} }, /`vector` is no option of preflight/],
    ['generations', generations, { stale: 5 }, /`stale` is no option of generations/],
    ['generations of nothing', generations, { alias: undefined }, /`alias` is undefined, expected a string/],
    ['rollback', rollback, { too: 5 }, /`too` is no option of rollback/],
    ['rollback to no number', rollback, { to: Number.NaN }, /`to` is NaN, expected a non-negative integer/],
    ['collectGarbage', collectGarbage, { dryrun: false }, /`dryrun` is no option of collectGarbage/],
    ['collectGarbage, by text', collectGarbage, { dryRun: 'no' }, /`dryRun` is "no", expected true or false/],
  ])('%s', async (_, call, option, message) => {
    await expect(call({ ...server, ...option })).rejects.toThrow(message)
  })
})

describe('queries', () => {
  const ask = (options: Anything): unknown => similar(1, options)
  test.each<[string, () => unknown, RegExp]>([
    ['a misspelt option', () => ask({ limmit: 5 }), /`limmit` is no option of similar, expected one of: limit/],
    [
      'an option of another',
      () => blend({ positive: [1], metric: 'taste' } as Anything),
      /`metric` is no option of blend/,
    ],
    ...[0, -1, 1.5, Number.NaN, '5'].map((limit): [string, () => unknown, RegExp] => [
      `limit ${limit}`,
      () => ask({ limit }),
      /`limit` is .*, expected a positive integer/,
    ]),
    ...[-1, 1.5, Number.NaN].map((offset): [string, () => unknown, RegExp] => [
      `offset ${offset}`,
      () => ask({ offset }),
      /`offset` is .*, expected a non-negative integer/,
    ]),
    ['a threshold', () => ask({ scoreThreshold: Number.NaN }), /`scoreThreshold` is NaN, expected a finite number/],
    ['one field', () => ask({ payload: 'title' }), /`payload` is "title", expected true, false or an array of names/],
    ['using', () => ask({ using: 5 }), /`using` is 5, expected a string/],
    [
      'a misspelt filter',
      () => ask({ filter: { mustNo: match('g', 1) } }),
      /`mustNo` is no option of filter, .*mustNot/,
    ],
    ['a filter', () => ask({ filter: [match('g', 1)] }), /`filter` is an array of 1, expected an object/],
    [
      'candidates of a formula',
      () => ask({ rescore: { formula: '$score', candidates: 0 } }),
      /`rescore.candidates` is 0/,
    ],
    ['a formula', () => ask({ rescore: {} }), /`rescore.formula` is undefined, expected an expression/],
    ['diversity', () => ask({ diversity: '0.5' }), /`diversity` is "0.5", expected a number from 0 to 1/],
    ['candidates of diversity', () => ask({ diversity: { diversity: 1, candidates: -5 } }), /`candidates` is -5/],
    ['a vector with NaN', () => similar([1, Number.NaN]), /`vector.1` is NaN, expected a finite number/],
    ['a typed vector with NaN', () => similar(Float32Array.of(Number.NaN)), /`vector.0` is NaN/],
    ['an empty vector', () => similar([]), /`vector` is an array of 0, expected at least one number/],
    ['one positive', () => blend({ positive: 'x' as Anything }), /`positive` is "x", expected an array/],
    ['nothing', () => (blend as Anything)(), /The options of blend are undefined, expected an object/],
    [
      'a strategy',
      () => blend({ positive: [1], strategy: 'mean' as Anything }),
      /`strategy` is "mean", expected one of/,
    ],
    ['no alias', () => blend({ positive: [1], examplesFrom: {} as Anything }), /`examplesFrom.alias` is undefined/],
    ['no users', () => forUser(1, {} as Anything), /`users` is undefined, expected a name/],
    ['a weight', () => hiddenGems(Number.NaN), /`weight` is NaN, expected a finite number/],
    ['a field', () => crowdFavourites(0.1, ''), /`field` is "", expected a name/],
    ['a bound', () => range('year', { gte: Number.NaN }), /`gte` is NaN, expected a finite number/],
    ['a misspelt bound', () => range('year', { gtt: 1 } as Anything), /`gtt` is no option of the range of year/],
    ['a fraction to match', () => match('year', 1.5), /`value` is 1.5, expected a string, an integer or a boolean/],
    ['nothing to match', () => match('year', undefined as Anything), /`value` is undefined/],
    ['values of two kinds', () => matchAny('year', ['a', 1] as Anything), /`values` is an array of 2, expected/],
  ])('%s', (_, make, message) => {
    expect(make).toThrow(message)
  })

  test('both spellings of a clause go together', () => {
    const [no, nor] = [match('country', 'US'), match('country', 'UK')]
    const { filter } = similar(1, { filter: { mustNot: no, must_not: [nor] } as Anything })
    expect(filter).toEqual({ must_not: [nor, no] })
  })

  test('of an index', async () => {
    await using index = new Index(server)
    const groups = (options: Anything, request = similar(1)) => index.queryGroups(request, options)
    await expect(groups({ by: 'artists', size: 0 })).rejects.toThrow(/`size` is 0, expected a positive integer/)
    await expect(groups({ by: 'artists', sise: 2 })).rejects.toThrow(/`sise` is no option of queryGroups/)
    await expect(groups({ by: 'artists' }, similar(1, { offset: 3 }))).rejects.toThrow(/`offset` is 3, expected none/)
    // A page of no points would come again and again.
    await expect(index.scroll({ pageSize: 0 }).next()).rejects.toThrow(/`pageSize` is 0, expected a positive integer/)
    await expect(index.query(undefined as Anything)).rejects.toThrow(/The query is undefined, expected what `similar`/)
    await expect(index.query(similar(1), { timeout: 0 })).rejects.toThrow(/`timeout` is 0, expected a positive integer/)
    expect(() => new Index({ url: server.url } as Anything)).toThrow(/`alias` is undefined, expected a name/)
  })
})
