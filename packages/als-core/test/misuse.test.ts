/** What programs without types get wrong, and data that say nothing: a clear error, or the obvious meaning. */
import { mkdtempSync, rmSync } from 'node:fs'
import { tmpdir } from 'node:os'
import { join } from 'node:path'
import { afterAll, beforeAll, describe, expect, it } from 'vitest'
import {
  type AlsModel,
  createWorkerPool,
  evaluate,
  foldInUsers,
  matrixFromTriplets,
  mostPopular,
  Recommender,
  saveModel,
  splitByTime,
  splitRandomly,
  train,
  tune,
} from '../src/index.ts'

const pool = createWorkerPool({ threads: 1 })
// Item 0 has three users, item 1 two, the others one or none; user 3 has nothing.
const triplets = { users: 4, items: 6, rows: [0, 0, 1, 1, 2, 2], columns: [0, 1, 0, 1, 0, 2] }
const matrix = matrixFromTriplets(triplets)
const test = matrixFromTriplets({ users: 4, items: 6, rows: [0, 1, 3], columns: [2, 2, 0] })
let model: AlsModel
let recommender: Recommender
beforeAll(async () => {
  model = await train(matrix, { factors: 8, iterations: 3, pool, itemIds: ['a', 'b', 'c', 'd', 'e', 'f'] })
  recommender = new Recommender(model, { interactions: matrix, pool })
})
afterAll(() => pool.close())

describe('numbers that are none', () => {
  const vector = (value: number) => new Float32Array(8).fill(value)
  const withRow = (side: 'userFactors' | 'itemFactors', row: number, value: number): AlsModel => {
    const values = new Float32Array(new SharedArrayBuffer(model[side].byteLength))
    values.set(model[side])
    values[8 * row + 3] = value
    return { ...model, [side]: values }
  }

  it.each([Number.NaN, Number.POSITIVE_INFINITY, 1e30])('a query vector of %s is refused', async (value) => {
    await expect(recommender.recommendForVectors(vector(value))).rejects.toThrow(/query's vector 0 holds .*finite/)
  })

  it('rows of a model are refused by row', async () => {
    const users = new Recommender(withRow('userFactors', 1, Number.NaN), { pool })
    await expect(users.recommend(1)).rejects.toThrow(/query's row 1 holds NaN/)
    expect((await users.recommend(0)).length).toBe(6)
    const items = new Recommender(withRow('itemFactors', 2, Number.NaN), { pool })
    await expect(items.recommend(0)).rejects.toThrow(/Row 2 of the factors/)
  })

  it('are not saved', async () => {
    const folder = mkdtempSync(join(tmpdir(), 'nan-'))
    const wrong = withRow('itemFactors', 2, Number.NaN)
    await expect(saveModel(wrong, folder)).rejects.toThrow(/itemFactors: row 2 holds NaN.*not saved/)
    rmSync(folder, { recursive: true })
  })
})

it.each([
  [{ interactionCount: { mn: 1 } }, 'interactionCount has no option mn: did you mean min?'],
  [{ interactionCount: 5 }, 'The options of interactionCount are 5, expected an object.'],
  [{ interactionCount: { min: Number.NaN } }, 'interactionCount.min is NaN, expected a number of interactions.'],
  [{ where: 5 }, "where is number, expected a function of a row's number."],
  [{ perGroup: {} }, 'perGroup.groups is undefined, expected an array with the group of each row.'],
])('a filter that says nothing is refused: %o', async (filter, message) => {
  await expect(recommender.recommend(1, filter as never)).rejects.toThrow(message)
})

describe('users of whom a model knows nothing', () => {
  it('get an empty list, or the most popular items that the options let pass', async () => {
    expect(await recommender.recommend(3)).toHaveLength(0)
    const fallback = { fallback: 'mostPopular' } as const
    const popular = await recommender.recommend(3, { ...fallback, limit: 3 })
    expect([...popular].map(({ row, id, score }) => [row, id, score])).toEqual([
      [0, 'a', 3],
      [1, 'b', 2],
      [2, 'c', 1],
    ])
    const filtered = await recommender.recommend(3, { ...fallback, deny: new Set([0]), interactionCount: { min: 1 } })
    expect([...filtered.rows]).toEqual([1, 2])
    const grouped = await recommender.recommend(3, { ...fallback, perGroup: { groups: [1, 1, 2, 2, 3, 3], max: 1 } })
    expect([...grouped.rows]).toEqual([0, 2, 4])
    const known = matrixFromTriplets({ users: 4, items: 6, rows: [3], columns: [0] })
    expect((await recommender.recommend(3, { ...fallback, exclude: known, limit: 1 })).ids).toEqual(['b'])
    // The lists of the others in a batch are what they are without it.
    const [batch, alone] = [
      await recommender.recommend([0, 3, 2], { ...fallback, limit: 2 }),
      await recommender.recommend(2, { limit: 2 }),
    ]
    expect([...batch.at(1).rows]).toEqual([0, 1])
    expect(batch.at(2).rows).toEqual(alone.rows)
    expect(batch.at(2).scores).toEqual(alone.scores)
    await expect(recommender.recommend(3, { fallback: 'popular' as never })).rejects.toThrow(/fallback is "popular"/)
  })

  it('are folded in as zeros, alone, with others, and from a matrix made by hand', async () => {
    const fold = async (users: number, rows: number[], columns: number[]) => {
      const vectors = await foldInUsers(model, matrixFromTriplets({ users, items: 6, rows, columns }), { pool })
      return Array.from({ length: users }, (_, user) => Math.hypot(...vectors.subarray(8 * user, 8 * user + 8)) > 0)
    }
    expect(await fold(1, [0], [1])).toEqual([true])
    expect(await fold(2, [0], [1])).toEqual([true, false])
    expect(await fold(1, [], [])).toEqual([false])
    const shared = (length: number) => new SharedArrayBuffer(8 * length)
    const none = { indices: new Uint32Array(shared(0)), values: new Float32Array(shared(0)) }
    const csr = { indptr: new Float64Array(shared(2)), ...none }
    const csc = { indptr: new Float64Array(shared(7)), ...none }
    const vectors = await foldInUsers(model, { users: 1, items: 6, entries: 0, csr, csc }, { pool })
    expect(vectors).toEqual(new Float32Array(8))
    expect((await recommender.recommendForVectors(vectors)).counts).toEqual(Uint32Array.of(0))
    const popular = await recommender.recommendForVectors(vectors, { fallback: 'mostPopular', limit: 2 })
    expect([...popular.rows]).toEqual([0, 1])
  })

  it('are counted apart by evaluate and tune, which measure the others', async () => {
    const warm = await evaluate(model, { train: matrix, test, k: 2, pool })
    expect(warm.users).toEqual({ warm: 2, cold: 1 })
    expect(warm.at[2].users).toBe(2)
    const all = await evaluate(mostPopular(matrix), { train: matrix, test, k: 2, coldUsers: true, pool })
    expect(all.at[2].users).toBe(3)
    expect(all.at[2].recall).toBe(1)
    const space = { factors: [2] }
    const tuned = await tune(matrix, { validation: test, space, trials: 1, iterations: { min: 1, max: 1 }, pool })
    expect(tuned.users).toEqual({ warm: 2, cold: 1 })
  })

  it('a training of nobody is refused', async () => {
    const empty = matrixFromTriplets({ users: 1, items: 6, rows: [], columns: [] })
    await expect(train(empty, { pool })).rejects.toThrow(/no entries: there is nothing to learn from/)
  })
})

describe('calls', () => {
  // biome-ignore lint/suspicious/noExplicitAny: as from JavaScript
  const wrong = (value: unknown): any => value
  it.each<[string, () => unknown, RegExp]>([
    ['evaluate(recommender)', () => evaluate(recommender, wrong(undefined)), /needs two matrices/],
    ['evaluate(model, { k })', () => evaluate(model, wrong({ k: 10 })), /needs two matrices/],
    [
      'evaluate on what was trained on',
      () => evaluate(model, { train: matrix, test: matrix, pool }),
      /All 6 entries of test are in train too, user 0 and item 0 for one/,
    ],
    [
      'evaluate with a wrong name',
      () => evaluate(model, wrong({ train: matrix, test, cutoff: 3 })),
      /evaluate has no option cutoff/,
    ],
    ['splitByTime of a matrix', () => splitByTime(wrong(matrix), [1], 2), /needs triplets/],
    [
      'a split without a test side',
      () => splitRandomly(matrix, 1e-9),
      /test side of this split has no entries, the other 6/,
    ],
    [
      'a split by time without a train side',
      () => splitByTime(triplets, [1, 2, 3, 4, 5, 6], 0),
      /train side of this split has no entries, the other 6/,
    ],
    [
      'recommend(undefined)',
      () => recommender.recommend(wrong(undefined)),
      /users are undefined, expected a row number/,
    ],
    [
      'allow of a number',
      () => recommender.recommend(0, { allow: wrong(3) }),
      /allow is number, expected an array or a Set/,
    ],
    ['a wrong name of a filter', () => recommender.recommend(0, wrong({ count: 3 })), /recommend has no option count/],
    [
      'a wrong name of a recommender',
      () => new Recommender(model, wrong({ interaction: matrix })),
      /did you mean interactions/,
    ],
    ['a wrong name of a pool', () => createWorkerPool(wrong({ thread: 1 })), /did you mean threads/],
  ])('%s', async (_, call, message) => {
    await expect((async () => call())()).rejects.toThrow(message)
  })

  it('with the obvious meaning have it', async () => {
    expect((await recommender.recommend(0, { allow: new Set() })).length).toBe(0)
    expect([...(await recommender.recommend(0, { allow: new Set([3, 4]) })).rows].sort()).toEqual([3, 4])
    const split = splitByTime(
      { ...triplets, rows: BigInt64Array.from(triplets.rows, BigInt) },
      [1n, 2n, 3n, 4n, 5n, 6n],
      5n,
    )
    expect([split.train.entries, split.test.entries]).toEqual([4, 2])
    expect((await evaluate(recommender, { train: matrix, test, pool })).at[20].users).toBe(2)
  })

  it('a closed pool says so, and trains nothing', async () => {
    const closed = createWorkerPool({ threads: 1 })
    await closed.close()
    await expect(train(matrix, { factors: 2, pool: closed })).rejects.toThrow(/pool is closed: make another one/)
  })
})
