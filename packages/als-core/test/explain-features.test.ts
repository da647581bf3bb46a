import { afterAll, expect, it } from 'vitest'
import {
  createWorkerPool,
  featuresFrom,
  foldInUsers,
  type ModelOptions,
  Recommender,
  train,
  vectorFor,
} from '../src/index.ts'
import { makeFeatures, makeMatrix } from './reference.ts'

const pool = createWorkerPool({ threads: 2 })
afterAll(() => pool.close())
const k = 12
const matrix = makeMatrix(
  Array.from({ length: 80 }, (_, user) => (user * 7) % 30),
  90,
)
const records = Array.from({ length: 90 }, (_, item) => ({ artists: [`a${item % 11}`, `b${item % 7}`], country: 'IS' }))
const itemFeatures = featuresFrom(records, { fields: { artists: 'values', country: 'values' }, weighting: 'none' })
const userFeatures = makeFeatures(80, 9, 2)
const objective = {
  objective: 'ials',
  regularization: 0.05,
  regularizationScaling: { nu: 1 },
} satisfies Partial<ModelOptions>
const model = await train(matrix, { ...objective, factors: k, iterations: 4, pool, itemFeatures, userFeatures })
const rowOf = ({ indptr, indices, values }: typeof userFeatures, row: number) => ({
  indices: indices.slice(indptr[row], indptr[row + 1]),
  values: values.slice(indptr[row], indptr[row + 1]),
})
const sum = (parts: { contribution: number }[]) => parts.reduce((sum, { contribution }) => sum + contribution, 0)
const dot = (x: ArrayLike<number>, y: ArrayLike<number>) =>
  Array.from(x).reduce((sum, value, i) => sum + value * y[i], 0)

it('owned items and the features of the user add up to the score, those of the item to what they predict of it', async () => {
  await using recommender = new Recommender(model, { interactions: matrix, pool })
  const folded = await foldInUsers(model, matrix, { pool, features: userFeatures })
  for (const user of [1, 34, 79]) {
    const x = folded.subarray(user * k, (user + 1) * k)
    const known = { item: records[5], user: rowOf(userFeatures, user) }
    const explained = await recommender.explain(user, 5, known)
    expect(explained.score).toBeCloseTo(dot(x, model.itemFactors.subarray(5 * k, 6 * k)), 4)
    expect(sum(explained.contributions) + sum(explained.userFeatures!)).toBeCloseTo(explained.score, 12)
    expect(explained.itemFeatures!.map(({ name }) => name).sort()).toEqual(['artists=a5', 'artists=b5', 'country=IS'])
    expect(sum(explained.itemFeatures!)).toBeCloseTo(dot(x, vectorFor(model, records[5])), 4)
    expect(explained.itemFeatures).toEqual([...explained.itemFeatures!].sort((a, b) => b.contribution - a.contribution))

    // An item that nobody has: all of its score comes from its features.
    const release = { artists: ['a3', 'b1', 'never heard of'] }
    const fresh = await recommender.explain(user, undefined, { ...known, item: release })
    expect(fresh.score).toBeCloseTo(dot(x, vectorFor(model, release)), 4)
    expect(sum(fresh.itemFeatures!)).toBeCloseTo(fresh.score, 10)
    expect(sum(fresh.contributions) + sum(fresh.userFeatures!)).toBeCloseTo(fresh.score, 12)
    expect(fresh.modelScore).toBeCloseTo(
      dot(model.userFactors.subarray(user * k, (user + 1) * k), vectorFor(model, release)),
      5,
    )
  }
})

it('without what is known the answer is as it was; what does not fit is refused', async () => {
  await using recommender = new Recommender(model, { interactions: matrix, pool })
  expect(Object.keys(await recommender.explain(1, 5))).toEqual(['score', 'modelScore', 'contributions'])
  await expect(recommender.explain(1, undefined)).rejects.toThrow('explain needs an item')
  await expect(recommender.explain(1, 5, { user: { artists: 'x' } })).rejects.toThrow('were not made of records')
  const row = { indices: Uint32Array.of(0, 99), values: Float32Array.of(1, 1) }
  await expect(recommender.explain(1, 5, { user: row })).rejects.toThrow('feature 99 with 1, expected one of 0 to 8')
  await expect(recommender.explain(1, 5, { items: row } as object)).rejects.toThrow('did you mean item?')
})
