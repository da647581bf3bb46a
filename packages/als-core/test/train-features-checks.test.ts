/** What training with features refuses, and what it makes of features that say little. */
import { afterAll, describe, expect, it } from 'vitest'
import {
  computeLoss,
  createWorkerPool,
  type FeatureMatrix,
  featuresFromCsr,
  type TrainOptions,
  train,
} from '../src/index.ts'
import { makeMatrix } from './reference.ts'
import { same } from './training.ts'

const pool = createWorkerPool({ threads: 2 })
afterAll(() => pool.close())

describe('checks and policies', () => {
  const small = makeMatrix([3, 4, 0, 5], 9)
  const tiny = { factors: 4, iterations: 2, regularization: 0.1, pool } satisfies TrainOptions
  const rows = (indices: number[][], names: string[]): FeatureMatrix => {
    const indptr = [0]
    for (const row of indices) indptr.push(indptr[indptr.length - 1] + row.length)
    return featuresFromCsr({
      rows: indices.length,
      names,
      indptr,
      indices: indices.flat(),
      values: indices.flat().map(() => 1),
    })
  }
  const nine = (row: (item: number) => number[]) => Array.from({ length: 9 }, (_, item) => row(item))

  it('name the option, the row and the feature', async () => {
    const good = rows(
      nine((item) => [item % 2]),
      ['even', 'odd'],
    )
    await expect(train(small, { ...tiny, userFeatures: good })).rejects.toThrow(
      'userFeatures has 9 rows, expected 4, the number of users',
    )
    const bad = { ...good, values: good.values.slice() as unknown as typeof good.values }
    const shared = new Float32Array(new SharedArrayBuffer(36))
    shared.fill(1)
    shared[5] = Number.NaN
    await expect(train(small, { ...tiny, itemFeatures: { ...good, values: shared } })).rejects.toThrow(
      'itemFeatures: row 5, feature 1 (odd) is NaN',
    )
    await expect(train(small, { ...tiny, itemFeatures: bad })).rejects.toThrow('expected a SharedArrayBuffer')
    await expect(train(small, { ...tiny, featureRegularization: 1 })).rejects.toThrow('there are no features')
    await expect(train(small, { ...tiny, itemFeatures: good, featureRegularization: 0 })).rejects.toThrow(
      'featureRegularization is 0, expected a finite number above 0',
    )
    const model = await train(small, { ...tiny, itemFeatures: good })
    expect(() => computeLoss(model, small, model.options)).toThrow(
      'The model has vectors of 2 itemFeatures, and none came',
    )
    await expect(
      train(small, {
        ...tiny,
        itemFeatures: good,
        initial: {
          ...model,
          itemFeatures: { ...model.itemFeatures!, vectors: new Float32Array(new SharedArrayBuffer(4)) },
        },
      }),
    ).rejects.toThrow('initial.itemFeatures.vectors has 1 values, expected 2 features of 4 factors')
  })

  it('features that no item has change no bit of the factors, and have vectors of zeros', async () => {
    const empty = rows(
      nine(() => []),
      ['a', 'b'],
    )
    const [plain, model] = [await train(small, tiny), await train(small, { ...tiny, itemFeatures: empty })]
    expect(same(model.itemFactors, plain.itemFactors)).toBe(true)
    expect(same(model.userFactors, plain.userFactors)).toBe(true)
    expect(model.itemFeatures!.vectors).toEqual(new Float32Array(8))
  })

  it('features that no item has, among others, change no bit of those', async () => {
    const few = rows(
      nine((item) => [item % 2]),
      ['a', 'b'],
    )
    const many = rows(
      nine((item) => [item % 2 === 0 ? 1 : 4]),
      ['none', 'a', 'neither', 'nor', 'b', 'last'],
    )
    const [one, two] = [
      await train(small, { ...tiny, itemFeatures: few }),
      await train(small, { ...tiny, itemFeatures: many }),
    ]
    const [a, b] = [one.itemFeatures!.vectors.slice(0, 4), one.itemFeatures!.vectors.slice(4)]
    expect(same(one.itemFactors, two.itemFactors)).toBe(true)
    const zeros = [0, 0, 0, 0]
    expect([...two.itemFeatures!.vectors]).toEqual([...zeros, ...a, ...zeros, ...zeros, ...b, ...zeros])
    expect(a.some((value) => value !== 0)).toBe(true)
  })

  it('a feature of all items is their mean, weighed by λ', async () => {
    const all = rows(
      nine(() => [0]),
      ['all'],
    )
    const options = { ...tiny, iterations: 3, tolerance: 1e-7, featureRegularization: 1e-6 } as const
    const { itemFactors, itemFeatures } = await train(small, { ...options, itemFeatures: all })
    const { indptr } = small.csc
    const known = Array.from({ length: 9 }, (_, item) => item).filter((item) => indptr[item + 1] > indptr[item])
    for (let f = 0; f < 4; f++) {
      const mean = known.reduce((sum, item) => sum + itemFactors[item * 4 + f], 0) / known.length
      expect(itemFeatures!.vectors[f]).toBeCloseTo(mean, 4)
    }
  })

  it('an item without features is regularised to zero; one without interactions says nothing of its features', async () => {
    const { indptr } = small.csc
    const unknown = Array.from({ length: 9 }, (_, item) => item).find((item) => indptr[item + 1] === indptr[item])!
    const features = (extra: number[]) =>
      rows(
        nine((item) => (item === unknown ? extra : item === 1 ? [] : [item % 2])),
        ['even', 'odd', 'of nobody'],
      )
    const one = await train(small, { ...tiny, itemFeatures: features([]) })
    const two = await train(small, { ...tiny, itemFeatures: features([0, 2]) })
    expect(same(one.itemFactors, two.itemFactors) && same(one.userFactors, two.userFactors)).toBe(true)
    expect(same(one.itemFeatures!.vectors, two.itemFeatures!.vectors)).toBe(true)
    expect(two.itemFeatures!.vectors.subarray(8)).toEqual(new Float32Array(4))
    expect([...two.itemFactors.subarray(unknown * 4, unknown * 4 + 4)]).toEqual([0, 0, 0, 0])
  })
})
