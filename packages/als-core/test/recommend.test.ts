import { afterAll, beforeAll, describe, expect, it } from 'vitest'
import {
  createWorkerPool,
  type RecommendationBatch,
  type Recommendations,
  Recommender,
  type WorkerPool,
} from '../src/index.ts'
import { makeInteractions, makeModel, plainTop, random } from './recommend-model.ts'

const users = 70
const items = 3003
const factors = 24
const model = makeModel(users, items, factors)
const interactions = makeInteractions(users, items, 40)
const vectorOf = (factorMatrix: Float32Array, row: number) => factorMatrix.subarray(row * factors, (row + 1) * factors)
const own = (user: number) =>
  new Set(interactions.csr.indices.subarray(interactions.csr.indptr[user], interactions.csr.indptr[user + 1]))
const pairsOf = (list: Recommendations) => Array.from(list, ({ row, score }) => ({ row, score }))
const pairs = (batch: RecommendationBatch, query: number) => pairsOf(batch.at(query))
const everyUser = Uint32Array.from({ length: users }, (_, user) => user)

let pool: WorkerPool
let recommender: Recommender
beforeAll(() => {
  pool = createWorkerPool({ threads: 2 })
  recommender = new Recommender(model, { interactions, pool })
})
afterAll(async () => {
  await recommender.close()
  await pool.close()
})

describe('recommend', () => {
  it.each([1, 10, 100, items + 5])('gives the exact list of each user, own items left out, limit %i', async (limit) => {
    const result = await recommender.recommend(everyUser, { limit })
    for (const user of everyUser) {
      const out = own(user)
      const expected = plainTop(vectorOf(model.userFactors, user), model.itemFactors, limit, {
        allowed: (row) => !out.has(row),
      })
      expect(pairs(result, user)).toEqual(expected)
    }
  })

  it('gives the same list for a user alone as in a batch, and original ids', async () => {
    const batch = await recommender.recommend(everyUser, { limit: 7 })
    const one = await recommender.recommend(13, { limit: 7 })
    expect(pairsOf(one)).toEqual(pairs(batch, 13))
    expect([...one.rows]).toEqual(pairs(batch, 13).map(({ row }) => row))
    expect([...one.scores]).toEqual(pairs(batch, 13).map(({ score }) => score))
    expect(one.ids).toEqual(pairs(batch, 13).map(({ row }) => 1000 + 3 * row))
    expect(recommender.userRow('u13')).toBe(13)
    expect(recommender.itemRow(1030)).toBe(10)
  })

  it.each([1, 2, 3, 7, 8, 31, 64, 100, 129, 200, 300])('is exact at %i factors with both kernels', async (k) => {
    const other = makeModel(20, 517, k, k)
    const lists = await Promise.all(
      (['simd', undefined] as const).map(async (kernel) => {
        await using ranker = new Recommender(other, { pool, kernel })
        const result = await ranker.recommend(everyUser.subarray(0, 20), { limit: 12 })
        return Array.from({ length: 20 }, (_, user) => pairs(result, user))
      }),
    )
    expect(lists[0]).toEqual(lists[1])
    for (let user = 0; user < 20; user++) {
      expect(lists[0][user]).toEqual(
        plainTop(other.userFactors.subarray(user * k, (user + 1) * k), other.itemFactors, 12),
      )
    }
  })

  it('is exact for vectors whose sizes span sixty orders of magnitude', async () => {
    const wide = makeModel(20, 300, 6)
    for (let item = 0; item < 300; item++)
      for (let i = 0; i < 6; i++) wide.itemFactors[6 * item + i] *= 10 ** ((item % 60) - 40)
    await using ranker = new Recommender(wide, { pool })
    const result = await ranker.recommend(everyUser.subarray(0, 20), { limit: 9 })
    const similar = await ranker.similarItems(everyUser.subarray(0, 20), { limit: 9, includeSelf: true })
    for (let row = 0; row < 20; row++) {
      expect(pairs(result, row)).toEqual(plainTop(wide.userFactors.subarray(6 * row, 6 * row + 6), wide.itemFactors, 9))
      const item = wide.itemFactors.subarray(6 * row, 6 * row + 6)
      expect(pairs(similar, row)).toEqual(plainTop(item, wide.itemFactors, 9, { cosine: true }))
    }
  })

  it('is exact for directions that are nearly an axis, and for scores that are all negative', async () => {
    const [spiky, positive] = [makeModel(20, 2000, 40), makeModel(20, 2000, 40)]
    for (let item = 0; item < 2000; item += 3) spiky.itemFactors[40 * item + (item % 40)] *= 50
    for (let user = 0; user < 20; user++) spiky.userFactors[41 * user] *= 100
    for (const [i, value] of positive.itemFactors.entries()) positive.itemFactors[i] = Math.abs(value)
    for (const [i, value] of positive.userFactors.entries()) positive.userFactors[i] = -Math.abs(value)
    for (const each of [spiky, positive]) {
      await using ranker = new Recommender(each, { pool })
      const dots = await ranker.recommend(everyUser.subarray(0, 20), { limit: 15 })
      const cosines = await ranker.similarItems(everyUser.subarray(0, 20), { limit: 15, includeSelf: true })
      for (let row = 0; row < 20; row++) {
        const [user, item] = [each.userFactors, each.itemFactors].map((side) => side.subarray(40 * row, 40 * row + 40))
        expect(pairs(dots, row)).toEqual(plainTop(user, each.itemFactors, 15))
        expect(pairs(cosines, row)).toEqual(plainTop(item, each.itemFactors, 15, { cosine: true }))
      }
    }
  })

  it('orders equal scores by row, also when thousands tie, and lists nothing for a vector of zeros', async () => {
    const tied = makeModel(3, 2000, 8)
    for (let item = 0; item < 2000; item++) tied.itemFactors.set(tied.itemFactors.subarray(0, 8), 8 * item)
    tied.userFactors.fill(0, 8, 16)
    await using ranker = new Recommender(tied, { pool })
    const result = await ranker.recommend([0, 1, 2], { limit: 20 })
    const first = Array.from({ length: 20 }, (_, i) => i)
    for (const user of [0, 1, 2]) expect(pairs(result, user).map(({ row }) => row)).toEqual(user === 1 ? [] : first)
  })

  it('applies allow, deny, a predicate and a range of interaction counts, separately and together', async () => {
    const next = random(5)
    const allow = Array.from({ length: 900 }, () => Math.floor(items * next()))
    const deny = Array.from({ length: 900 }, () => Math.floor(items * next()))
    const where = (row: number) => row % 3 !== 0
    const counts = model.interactionCounts!
    const inRange = (row: number) => counts[row] >= 5 && counts[row] <= 300
    const cases = [
      { options: { allow }, allowed: (row: number) => allow.includes(row) },
      { options: { deny }, allowed: (row: number) => !deny.includes(row) },
      { options: { where }, allowed: where },
      { options: { interactionCount: { min: 5, max: 300 } }, allowed: inRange },
      {
        options: { allow, deny, where, interactionCount: { min: 5, max: 300 } },
        allowed: (row: number) => allow.includes(row) && !deny.includes(row) && where(row) && inRange(row),
      },
    ]
    for (const { options, allowed } of cases) {
      const result = await recommender.recommend(4, { ...options, exclude: false, limit: 30 })
      expect(pairsOf(result)).toEqual(plainTop(vectorOf(model.userFactors, 4), model.itemFactors, 30, { allowed }))
    }
    const none = await recommender.recommend([1, 2], { allow: [], limit: 3 })
    expect([...none.counts]).toEqual([0, 0])
  })

  it.each([0.01, 0.1, 5])('takes a popularity penalty of %f off the scores, exactly', async (popularityPenalty) => {
    const result = await recommender.recommend(everyUser, { limit: 10, popularityPenalty, exclude: false })
    for (const user of everyUser) {
      const penalty = (row: number) => popularityPenalty * Math.log1p(model.interactionCounts![row])
      expect(pairs(result, user)).toEqual(
        plainTop(vectorOf(model.userFactors, user), model.itemFactors, 10, { penalty }),
      )
    }
  })

  it('holds at most n of a group in a list and still fills it', async () => {
    const groups = Array.from({ length: items }, (_, item) => (item % 5 === 0 ? `artist ${item % 40}` : 'the same'))
    const result = await recommender.recommend(everyUser, { limit: 10, perGroup: { groups, max: 2 } })
    for (const user of everyUser) {
      const out = own(user)
      const taken = new Map<string, number>()
      const expected = plainTop(vectorOf(model.userFactors, user), model.itemFactors, items, {
        allowed: (row) => !out.has(row),
      }).filter(({ row }) => {
        const before = taken.get(groups[row]) ?? 0
        taken.set(groups[row], before + 1)
        return before < 2
      })
      expect(pairs(result, user)).toEqual(expected.slice(0, 10))
    }
  })
})

describe('similar rows', () => {
  it('ranks by cosine, without the row itself unless asked', async () => {
    const result = await recommender.similarItems([5, 0, 2999], { limit: 9 })
    const withSelf = await recommender.similarItems(5, { limit: 1, includeSelf: true })
    for (const [query, item] of [5, 0, 2999].entries()) {
      const expected = plainTop(vectorOf(model.itemFactors, item), model.itemFactors, 9, {
        cosine: true,
        allowed: (row) => row !== item,
      })
      expect(pairs(result, query)).toEqual(expected)
    }
    expect([...withSelf]).toEqual([{ row: 5, id: 1015, score: 1 }])
    const alike = await recommender.similarUsers(3, { limit: 5 })
    expect(alike.ids).toEqual(
      plainTop(vectorOf(model.userFactors, 3), model.userFactors, 5, { cosine: true, allowed: (row) => row !== 3 }).map(
        ({ row }) => `u${row}`,
      ),
    )
  })
})

describe('similar rows of a large catalogue', () => {
  const rows = [0, 256, 9_000, 12_345, 19_999]
  const { itemFactors } = makeModel(1, 20_000, 10)
  const large = { ...model, factors: 10, items: 20_000, itemFactors, interactionCounts: undefined, itemIds: undefined }
  const expectedOf = (vectors: Float32Array, limit: number, allowed = (_: number) => true) =>
    rows.map((row) => plainTop(vectors.subarray(10 * row, 10 * row + 10), vectors, limit, { cosine: true, allowed }))
  const listsOf = (result: RecommendationBatch) => rows.map((_, query) => pairs(result, query))

  it('are exact in a batch, whatever the kernel and the number of threads', async () => {
    const expected = [1, 10, 100].map((limit) => expectedOf(itemFactors, limit))
    for (const kernel of ['simd', undefined] as const) {
      for (const threads of [1, 2, 3]) {
        await using ranker = new Recommender(large, { threads, kernel })
        for (const [n, limit] of [1, 10, 100].entries()) {
          expect(listsOf(await ranker.similarItems(rows, { limit, includeSelf: true }))).toEqual(expected[n])
        }
      }
    }
  })

  it('are exact where a filter leaves many, few or fewer than the list is long', async () => {
    await using ranker = new Recommender(large, { pool })
    for (const some of [2, 100, 2000]) {
      const where = (row: number) => row % some === 0
      const result = await ranker.similarItems(rows, { limit: 20, includeSelf: true, where })
      expect(listsOf(result)).toEqual(expectedOf(itemFactors, 20, where))
    }
  })

  it('are exact where a sample misleads, its panels being those that hold the near items', async () => {
    // Signed permutations of one vector have one norm, so positions are rows; the kernel samples every 32nd panel of eight.
    const next = random(3)
    const vectors = new Float32Array(new SharedArrayBuffer(itemFactors.byteLength))
    for (let row = 0; row < 20_000; row++) {
      const isNear = Math.floor(row / 8) % 32 === 0
      const vector = [1, 2, 3, 4, 5, 6, 7, 8, 9, 10].map((value) => (isNear || next() < 0.5 ? value : -value))
      for (let swaps = isNear ? 4 : 40; swaps > 0; swaps--) {
        const from = Math.floor(9 * next())
        ;[vector[from], vector[from + 1]] = [vector[from + 1], vector[from]]
      }
      vectors.set(vector, 10 * row)
    }
    await using ranker = new Recommender({ ...large, itemFactors: vectors }, { pool })
    for (const limit of [10, 100, 900]) {
      const result = await ranker.similarItems(rows, { limit, includeSelf: true })
      expect(listsOf(result)).toEqual(expectedOf(vectors, limit))
    }
  })
})

describe('one query over many rows', () => {
  it('is shared out by parts of the index, to the same list', async () => {
    const large = makeModel(2, 9001, 6)
    await using ranker = new Recommender(large, { pool })
    for (const item of [0, 4500, 9000]) {
      const result = await ranker.similarItems(item, { limit: 25, where: (row) => row % 7 !== 0 })
      const vector = large.itemFactors.subarray(6 * item, 6 * item + 6)
      const allowed = (row: number) => row !== item && row % 7 !== 0
      expect(pairsOf(result)).toEqual(plainTop(vector, large.itemFactors, 25, { cosine: true, allowed }))
    }
  })
})

describe('blend', () => {
  const unit = (row: number) => {
    const vector = Array.from(vectorOf(model.itemFactors, row))
    const norm = Math.hypot(...vector)
    return vector.map((value) => value / norm)
  }
  const mean = (vectors: number[][]) =>
    vectors[0].map((_, i) => vectors.reduce((sum, vector) => sum + vector[i], 0) / vectors.length)

  it("follows Qdrant's average_vector rule", async () => {
    const toward = mean([unit(1), unit(2), unit(3)])
    const away = mean([unit(7), unit(9)])
    const query = Float32Array.from(toward, (value, i) => value + (value - away[i]))
    const result = await recommender.blend({ positive: [3, 1, 2], negative: [9, 7] }, { limit: 15, metric: 'cosine' })
    const expected = plainTop(query, model.itemFactors, 15, {
      cosine: true,
      allowed: (row) => ![1, 2, 3, 7, 9].includes(row),
    })
    expect(pairsOf(result)).toEqual(expected)
  })

  it('equals similarItems for one positive, and takes batches', async () => {
    const batch = await recommender.blend([{ positive: [8] }, { positive: [4], negative: [] }], {
      limit: 6,
      metric: 'cosine',
    })
    for (const [query, item] of [8, 4].entries()) {
      const similar = await recommender.similarItems(item, { limit: 6 })
      expect(batch.at(query).ids).toEqual(similar.ids)
    }
    const dot = await recommender.blend({ positive: [8] }, { limit: 6, metric: 'dot' })
    expect(pairsOf(dot)).toEqual(
      plainTop(vectorOf(model.itemFactors, 8), model.itemFactors, 6, { allowed: (row) => row !== 8 }),
    )
  })
})

describe('use', () => {
  it('answers overlapping calls as it answers them one by one', async () => {
    const alone = await recommender.recommend(everyUser, { limit: 10 })
    const together = await Promise.all(Array.from({ length: 40 }, (_, i) => recommender.recommend(i, { limit: 10 })))
    for (const [i, result] of together.entries()) expect(pairsOf(result)).toEqual(pairs(alone, i))
  })

  it('keeps overlapping calls of every kind apart', async () => {
    const calls = [
      () => recommender.recommend(everyUser, { limit: 10 }),
      () => recommender.recommend(everyUser, { limit: 10, where: (row) => row % 3 === 0 }),
      () => recommender.similarItems(everyUser, { limit: 30 }),
      () => recommender.similarUsers(everyUser, { limit: 5 }),
      () => recommender.blend({ positive: [1, 2], negative: [3] }, { limit: 100, metric: 'cosine' }),
      () => recommender.recommend(everyUser, { limit: 10, popularityPenalty: 0.1 }),
    ]
    const together = await Promise.all([...calls, ...calls].map((call) => call()))
    for (const [i, call] of calls.entries()) {
      const alone = await call()
      for (const result of [together[i], together[calls.length + i]]) {
        expect(result.rows).toEqual(alone.rows)
        expect(result.scores).toEqual(alone.scores)
      }
    }
  })

  it('waits for calls under way when closed, and refuses later ones', async () => {
    const own = new Recommender(model, { threads: 1 })
    const answer = own.recommend(everyUser, { limit: 3 })
    await own.close()
    expect((await answer).length).toBe(users)
    await expect(own.recommend(1)).rejects.toThrow('This recommender is closed. Make another one.')
  })

  it('stops on abort, also while queries run', async () => {
    const stop = new AbortController()
    const stopped = recommender.recommend(everyUser, { signal: stop.signal })
    stop.abort()
    await expect(stopped).rejects.toThrow('aborted')
    await expect(recommender.recommend(everyUser, { signal: AbortSignal.abort() })).rejects.toThrow('aborted')
  })

  it('names what is wrong with the input', async () => {
    await expect(recommender.recommend(users)).rejects.toThrow('There is no user row 70: the model has 70, from 0.')
    await expect(recommender.recommend(1.5)).rejects.toThrow('There is no user row 1.5')
    await expect(recommender.similarItems(-1)).rejects.toThrow('There is no item row -1')
    await expect(recommender.recommend(1, { limit: 0 })).rejects.toThrow('limit is 0, expected a positive integer.')
    await expect(recommender.recommend(1, { allow: [items] })).rejects.toThrow(
      'allow[0] is 3003, expected a row number',
    )
    await expect(recommender.recommend(1, { popularityPenalty: -1 })).rejects.toThrow('popularityPenalty is -1')
    await expect(recommender.blend({ positive: [] }, { metric: 'cosine' })).rejects.toThrow(
      'Query 0 has no positive example',
    )
    await expect(recommender.blend({ positive: [items] }, { metric: 'cosine' })).rejects.toThrow(
      'There is no item row 3003',
    )
    await expect(recommender.recommend(1, { perGroup: { groups: [1], max: 1 } })).rejects.toThrow('expected 3003')
    await expect(recommender.similarUsers(1, { popularityPenalty: 1 })).rejects.toThrow('interactionCounts')
    expect(() => recommender.itemRow('nobody')).toThrow('There is no item with id "nobody" in this model')
    expect(() => new Recommender(model, { interactions: makeInteractions(3, 4, 1) })).toThrow('3 users × 4 items')
    const broken = makeModel(3, 20, 4)
    broken.itemFactors[4 * 7 + 1] = Number.NaN
    await expect(new Recommender(broken, { pool }).recommend(1)).rejects.toThrow(
      'Row 7 of the factors holds a value that is not finite',
    )
    broken.itemFactors[4 * 7 + 1] = 1e37
    await expect(new Recommender(broken, { pool }).recommend(1)).rejects.toThrow('Row 7 of the factors')
    const bare = new Recommender({ ...model, interactionCounts: undefined }, { pool })
    await expect(bare.recommend(1, { interactionCount: { max: 3 } })).rejects.toThrow('this one has none')
    await expect(bare.recommend(1, { exclude: true })).rejects.toThrow('has no interactions')
  })
})
