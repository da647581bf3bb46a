/** Items and users that a model with features has not seen: from features alone, or beside a few interactions. */
import { afterAll, beforeAll, describe, expect, it } from 'vitest'
import {
  type AlsModel,
  createWorkerPool,
  featuresFrom,
  featuresFromCsr,
  foldInItems,
  foldInUsers,
  itemVectors,
  type ModelOptions,
  train,
  userVectors,
  vectorFor,
} from '../src/index.ts'
import { makeFeatures, makeMatrix, predict, solveExactly } from './reference.ts'

const pool = createWorkerPool({ threads: 2 })
afterAll(() => pool.close())

const objective = {
  objective: 'ials',
  alpha: 1,
  unobservedWeight: 0.1,
  regularization: 0.05,
  regularizationScaling: { nu: 1 },
} satisfies Partial<ModelOptions>
const matrix = makeMatrix(
  Array.from({ length: 120 }, (_, user) => (user * 7) % 30),
  90,
)
const itemFeatures = makeFeatures(90, 20, 1)
const userFeatures = makeFeatures(120, 9, 2)
const k = 12
let model: AlsModel
beforeAll(async () => {
  model = await train(matrix, { ...objective, factors: k, iterations: 4, pool, itemFeatures, userFeatures })
})

describe.each(['cg', 'cholesky'] as const)('folding in with features (%s)', (solver) => {
  it('solves rows with the prior, and gives rows without interactions what their features predict', async () => {
    // Every seventh row is without features, the last ones without interactions.
    const newUsers = makeMatrix([5, 1, 9, 2, 30, 3, 0, 0], 90, 'float', 3)
    const features = makeFeatures(8, 9, 4)
    const vectors = await foldInUsers(model, newUsers, { features, solver, pool })
    const prior = predict({ matrix: features, ...model.userFeatures! }, k)
    const rows = [0, 1, 2, 3, 4, 5]
    expectRows(vectors, solveExactly(newUsers, 'users', model.itemFactors, k, objectiveOf(model), rows, prior))
    expectRows(vectors, new Map([6, 7].map((row) => [row, prior.subarray(row * k, (row + 1) * k)])))
    expect(Math.max(...vectors.subarray(6 * k))).not.toBe(0)

    const newItems = makeMatrix(
      Array.from({ length: 120 }, (_, user) => (user % 9 === 0 ? 3 : 0)),
      15,
    )
    const itsFeatures = makeFeatures(15, 20, 5)
    const itemPrior = predict({ matrix: itsFeatures, ...model.itemFeatures! }, k)
    const items = await foldInItems(model, newItems, { features: itsFeatures, solver, pool })
    const known = Array.from({ length: 15 }, (_, row) => row).filter(
      (row) => newItems.csc.indptr[row + 1] > newItems.csc.indptr[row],
    )
    expect(known.length).toBeGreaterThan(8)
    expectRows(items, solveExactly(newItems, 'items', model.userFactors, k, objectiveOf(model), known, itemPrior))
    expectRows(items, new Map([[14, itemPrior.subarray(14 * k)]]))
  })
})

describe('vectors from features alone', () => {
  it('stream by batches, and are what a matrix without interactions is folded in to', async () => {
    const features = makeFeatures(40, 20, 7)
    const [all] = await collect(itemVectors(model, features))
    const expected = predict({ matrix: features, ...model.itemFeatures! }, k)
    expect(all).toEqual(new Float32Array(expected))
    const batches = [0, 1, 2].map((at) => makeFeatures(10 + at, 20, at))
    const streamed = await collect(
      itemVectors(
        model,
        (async function* () {
          yield* batches
        })(),
      ),
    )
    expect(streamed.map(({ length }) => length / k)).toEqual([10, 11, 12])
    expect(streamed[2]).toEqual((await collect(itemVectors(model, batches[2])))[0])
    const none = makeMatrix(
      Array.from({ length: 120 }, () => 0),
      40,
    )
    expect(new Float32Array(await foldInItems(model, none, { features, pool }))).toEqual(all)
    const users = makeFeatures(3, 9, 7)
    const [ofUsers] = await collect(userVectors(model, users))
    expect(ofUsers).toEqual(new Float32Array(predict({ matrix: users, ...model.userFeatures! }, k)))
  })

  it('refuse a model without features and columns that are not its own', async () => {
    const plain = { ...model, itemFeatures: undefined }
    const features = makeFeatures(4, 20, 7)
    const none = makeMatrix(
      Array.from({ length: 120 }, () => 0),
      4,
    )
    await expect(collect(itemVectors(plain, features))).rejects.toThrow('The model has no itemFeatures')
    await expect(foldInItems(plain, none, { features })).rejects.toThrow('The model has no itemFeatures')
    await expect(collect(itemVectors(model, makeFeatures(4, 21, 7)))).rejects.toThrow(
      "The features have 21 columns, the model's itemFeatures 20",
    )
    const renamed = { ...features, names: Array.from(features.names as string[], (name, f) => (f === 3 ? 'x' : name)) }
    await expect(collect(itemVectors(model, renamed))).rejects.toThrow(/Feature 3 is "x", .* "feature 3"/)
    const infinite = featuresFromCsr({ ...features, indptr: [0, 1, 1, 1, 1], indices: [2], values: [1] })
    infinite.values[0] = Number.NaN
    await expect(collect(itemVectors(model, infinite))).rejects.toThrow('row 0, feature 2 (feature 2) is NaN')
    await expect(foldInItems(model, none, { features: makeFeatures(5, 20, 7) })).rejects.toThrow(
      'features has 5 rows, expected 4',
    )
    expect(() => vectorFor(model, { artists: ['a'] })).toThrow('were not made of records')
  })

  it('come from a record of the catalogue', async () => {
    const records = Array.from({ length: 90 }, (_, item) => ({
      artists: [`artist ${item % 11}`, `artist ${item % 7}`],
      year: 1960 + (item % 40),
    }))
    const itemFeatures = await featuresFrom(records, { fields: { artists: 'values', year: { bucket: 5 } } })
    const model = await train(matrix, { ...objective, factors: k, iterations: 3, pool, itemFeatures })
    const [all] = await collect(itemVectors(model, itemFeatures))
    expect(vectorFor(model, records[17])).toEqual(all.subarray(17 * k, 18 * k))
    expect(vectorFor(model, { artists: ['nobody'], style: 'x' })).toEqual(new Float32Array(k))
  })
})

function objectiveOf({ options }: AlsModel): ModelOptions {
  return options
}

function expectRows(vectors: Float32Array, exact: Map<number, Float64Array>): void {
  for (const [row, values] of exact) {
    const error = Math.hypot(...values.map((value, f) => value - vectors[row * k + f]))
    expect(error, `row ${row}`).toBeLessThanOrEqual(1e-5 * Math.hypot(...values))
  }
}

async function collect(vectors: AsyncIterable<Float32Array>): Promise<Float32Array[]> {
  const all: Float32Array[] = []
  for await (const batch of vectors) all.push(batch)
  return all
}
