import { describe, expect, it } from 'vitest'
import { popularityBuckets } from '../src/evaluate/popularity-buckets.ts'
import { gini, MetricSums } from '../src/evaluate/ranking-metrics.ts'
import {
  type AlsModel,
  evaluate,
  itemNeighbours,
  matrixFromTriplets,
  mostPopular,
  type RankingMetrics,
  Recommender,
} from '../src/index.ts'
import { createBatch } from '../src/recommend/recommendations.ts'
import { makeInteractions, makeModel, plainTop } from './recommend-model.ts'

const everything = new Uint8Array(10).fill(1)
const popularity = [9, 8, 7, 6, 5, 4, 3, 2, 1, 0]

describe('metrics', () => {
  it('equal hand-computed cases', () => {
    const sums = new MetricSums([1, 3, 5], everything, popularity)
    sums.add([4, 0, 7, 1, 9], new Set([0, 9, 8]))
    sums.add([0, 1, 2, 3], new Set([0]))
    const [at1, at3, at5] = sums.finish()
    // First user: hits at places 2 and 5 of three relevant items. Second: a hit at place 1 of one, a list of four.
    expect(at1).toMatchObject({
      k: 1,
      users: 2,
      precision: 0.5,
      recall: 0.5,
      truncatedRecall: 0.5,
      ndcg: 0.5,
      map: 0.5,
      mrr: 0.5,
      hitRate: 0.5,
    })
    expect(at3.precision).toBeCloseTo((1 / 3 + 1 / 3) / 2, 12)
    expect(at3.recall).toBeCloseTo((1 / 3 + 1) / 2, 12)
    expect(at3.truncatedRecall).toBeCloseTo((1 / 3 + 1) / 2, 12)
    const ideal = 1 + 1 / Math.log2(3) + 1 / Math.log2(4)
    expect(at3.ndcg).toBeCloseTo((1 / Math.log2(3) / ideal + 1) / 2, 12)
    expect(at3.map).toBeCloseTo((1 / 2 / 3 + 1) / 2, 12)
    expect(at3.mrr).toBeCloseTo((1 / 2 + 1) / 2, 12)
    expect(at5.precision).toBeCloseTo((2 / 5 + 1 / 5) / 2, 12)
    expect(at5.recall).toBeCloseTo((2 / 3 + 1) / 2, 12)
    expect(at5.ndcg).toBeCloseTo(((1 / Math.log2(3) + 1 / Math.log2(6)) / ideal + 1) / 2, 12)
    expect(at5.map).toBeCloseTo(((1 / 2 + 2 / 5) / 3 + 1) / 2, 12)
    expect(at5.hitRate).toBe(1)
    expect(at1.coverage).toBe(0.2)
    expect(at5.coverage).toBe(0.7)
    expect(at1.meanPopularity).toBe((5 + 9) / 2)
    expect(at3.truncatedRecall).toBe(at3.recall)
  })

  it('tells the two normalisations of recall apart', () => {
    const sums = new MetricSums([2], everything, popularity)
    sums.add([1, 2], new Set([1, 2, 3, 4]))
    expect(sums.finish()[0]).toMatchObject({ recall: 0.5, truncatedRecall: 1, precision: 1, ndcg: 1, map: 1 })
  })

  it('leaves users without relevant items out of the averages', () => {
    const sums = new MetricSums([2], everything, popularity)
    sums.add([1, 2], new Set())
    sums.add([3, 4], new Set([4]))
    expect(sums.finish()[0]).toMatchObject({ users: 1, recall: 1, mrr: 0.5 })
    expect(new MetricSums([2], everything, popularity).finish()[0]).toMatchObject({ users: 0, recall: 0, gini: 0 })
  })

  it('has a Gini coefficient of 0 for equals and (n - 1) / n when one takes all', () => {
    expect(gini([3, 3, 3, 3])).toBe(0)
    expect(gini([0, 0, 0, 8])).toBe(0.75)
    expect(gini([1, 2, 3, 4])).toBeCloseTo(0.25, 12)
  })
})

const users = 60
const items = 400
const train = makeInteractions(users, items, 15, 3)
const test = makeInteractions(users, items, 6, 4, train)
const model = makeModel(users, items, 12)

describe('evaluate', () => {
  it('agrees with a plain implementation, whole and by popularity bucket', async () => {
    const result = await evaluate(model, { train, test, k: [5, 20], threads: 2 })
    const counts = Array.from({ length: items }, (_, i) => train.csc.indptr[i + 1] - train.csc.indptr[i])
    const order = counts.map((_, item) => item).sort((a, b) => counts[b] - counts[a] || a - b)
    let held = 0
    const bucketOf = new Map<number, number>()
    for (const item of order) {
      bucketOf.set(item, held < train.entries / 3 ? 0 : held < (2 * train.entries) / 3 ? 1 : 2)
      held += counts[item]
    }
    for (const k of [5, 20]) {
      compare(
        result.at[k],
        plainMetrics(k, () => true),
      )
      for (const b of [0, 1, 2])
        compare(
          result.buckets[b].at[k],
          plainMetrics(k, (item) => bucketOf.get(item) === b),
        )
    }
    expect(result.buckets.map(({ name }) => name)).toEqual(['head', 'middle', 'tail'])
    expect(result.buckets.reduce((sum, bucket) => sum + bucket.items, 0)).toBe(items)

    /** Each metric by its own definition, from full sorted lists; written without looking at the other. */
    function plainMetrics(k: number, inBucket: (item: number) => boolean): Partial<RankingMetrics> {
      const rows = (matrix: typeof train, user: number) =>
        Array.from(matrix.csr.indices.subarray(matrix.csr.indptr[user], matrix.csr.indptr[user + 1]))
      const perUser: Record<string, number>[] = []
      const shown: number[] = []
      for (let user = 0; user < users; user++) {
        const known = rows(train, user)
        const wanted = rows(test, user)
        const list = plainTop(model.userFactors.subarray(user * 12, user * 12 + 12), model.itemFactors, k, {
          allowed: (item) => !known.includes(item),
        }).map(({ row }) => row)
        shown.push(...list.filter(inBucket))
        const relevant = wanted.filter(inBucket)
        if (relevant.length === 0) continue
        const isHit = list.map((item) => relevant.includes(item))
        const hits = isHit.filter(Boolean).length
        const dcg = (flags: boolean[]) =>
          flags.reduce((sum, flag, i) => sum + (flag ? Math.LN2 / Math.log(i + 2) : 0), 0)
        const ideal = Array.from({ length: Math.min(k, relevant.length) }, () => true)
        const precisionAt = (n: number) => isHit.slice(0, n).filter(Boolean).length / n
        perUser.push({
          precision: hits / k,
          recall: hits / relevant.length,
          truncatedRecall: hits / Math.min(k, relevant.length),
          ndcg: dcg(isHit) / dcg(ideal),
          map: isHit.reduce((sum, flag, i) => sum + (flag ? precisionAt(i + 1) : 0), 0) / Math.min(k, relevant.length),
          mrr: isHit.includes(true) ? 1 / (isHit.indexOf(true) + 1) : 0,
          hitRate: Number(hits > 0),
        })
      }
      const mean = (values: number[]) => values.reduce((a, b) => a + b, 0) / Math.max(1, values.length)
      const members = counts.map((_, item) => item).filter(inBucket)
      const frequency = members.map((item) => shown.filter((other) => other === item).length)
      const differences = frequency.flatMap((a) => frequency.map((b) => Math.abs(a - b)))
      return {
        users: perUser.length,
        ...Object.fromEntries(Object.keys(perUser[0]).map((name) => [name, mean(perUser.map((user) => user[name]))])),
        coverage: new Set(shown).size / members.length,
        meanPopularity: mean(shown.map((item) => counts[item])),
        gini: mean(differences) / (2 * mean(frequency)),
      }
    }

    function compare(actual: RankingMetrics, expected: Partial<RankingMetrics>): void {
      for (const [name, value] of Object.entries(expected)) {
        expect(actual[name as keyof RankingMetrics], name).toBeCloseTo(value, 10)
      }
    }
  })

  it('has the AUC of all pairs of an item to be found and another, whole and by bucket, ties counting half', async () => {
    const tied = makeModel(users, items, 3)
    tied.itemFactors.copyWithin(0, 3 * 200)
    const result = await evaluate(tied, { train, test, auc: true, threads: 2 })
    const buckets = popularityBuckets(train)
    for (const [b, members] of [undefined, ...buckets.map((bucket) => bucket.members)].entries()) {
      const values: number[] = []
      for (let user = 0; user < users; user++) {
        const score = (item: number) =>
          [0, 1, 2].reduce((sum, i) => sum + tied.userFactors[3 * user + i] * tied.itemFactors[3 * item + i], 0)
        const row = ({ csr }: typeof train) => [...csr.indices.subarray(csr.indptr[user], csr.indptr[user + 1])]
        const others = Array.from({ length: items }, (_, item) => item).filter(
          (item) => !row(train).includes(item) && !row(test).includes(item),
        )
        const found = row(test).filter((item) => !members || members[item])
        if (found.length === 0) continue
        const wins = found.flatMap((item) => others.map((other) => (Math.sign(score(item) - score(other)) + 1) / 2))
        values.push(wins.reduce((a, c) => a + c, 0) / wins.length)
      }
      const expected = values.reduce((a, c) => a + c, 0) / values.length
      expect(b === 0 ? result.auc : result.buckets[b - 1].auc).toBeCloseTo(expected, 6)
    }
    await expect(evaluate(itemNeighbours(train), { train, test, auc: true })).rejects.toThrow(
      'auc needs the scores of all items',
    )
  })

  it('measures only the users asked for, and those that have something to find', async () => {
    const few = matrixFromTriplets({ users, items, rows: [3, 5, 5], columns: [1, 2, 3], values: [1, -1, 2] })
    const all = await evaluate(model, { train, test: few, threads: 1 })
    const some = await evaluate(model, { train, test: few, threads: 1, users: [4, 5] })
    expect([all.at[20].users, some.at[20].users]).toEqual([2, 1])
  })

  it('ranks by popularity with the baseline', async () => {
    const model: AlsModel = mostPopular(train)
    const { at } = await evaluate(model, { train, test, k: 3, threads: 1 })
    expect(at[3].meanPopularity).toBeGreaterThan(train.entries / items)
  })

  it.each([
    ['an item twice', [7, 7]],
    ['an item of train', [7, train.csr.indices[train.csr.indptr[3]]]],
  ])('refuses lists that name %s', async (_, list) => {
    const found = matrixFromTriplets({ users, items, rows: [3], columns: [7] })
    const counts = Uint32Array.of(2)
    const source = {
      recommend: async () => createBatch(2, counts, Uint32Array.from(list), new Float32Array(2), undefined),
    }

    await expect(evaluate(source, { train, test: found, threads: 1 })).rejects.toThrow(
      `The list of user 3 names item ${list[1]} twice, or the user has it in train`,
    )
  })

  it('names what does not fit', async () => {
    const other = makeInteractions(users, items + 1, 2)
    await expect(evaluate(model, { train, test: other })).rejects.toThrow('train is 60×400 and test 60×401')
    await expect(evaluate(model, { train: other, test: other })).rejects.toThrow('The model is 60×400 and train 60×401')
    await expect(evaluate(model, { train, test, k: [0] })).rejects.toThrow(
      'k is [0], expected one or more positive integers',
    )
  })
})

describe('sources of recommendations', () => {
  it('are alike to evaluate: a model, its Recommender and the baseline that is both', async () => {
    const options = { train, test, k: [5, 10], threads: 2 }
    await using recommender = new Recommender(model, { threads: 1 })
    expect(await evaluate(recommender, options)).toEqual(await evaluate(model, options))

    const popular = mostPopular(train)
    const { recommend: _, ...asModel } = popular
    expect(await evaluate(popular, options)).toEqual(await evaluate(asModel, options))
  })

  it('leave out what they are asked to, or nothing', async () => {
    for (const baseline of [mostPopular(train), itemNeighbours(train)]) {
      const [known, all] = await Promise.all([
        baseline.recommend([3], { limit: items }),
        baseline.recommend([3], { limit: items, exclude: false }),
      ])
      const own = new Set(train.csr.indices.subarray(train.csr.indptr[3], train.csr.indptr[4]))
      expect(own.size).toBeGreaterThan(0)
      expect([...known.at(0).rows].filter((row) => own.has(row))).toEqual([])
      expect([...all.at(0).rows].filter((row) => own.has(row)).length).toBeGreaterThan(0)
    }
  })
})
