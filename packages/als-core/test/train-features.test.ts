/** Training with features, by the contract of the solvers: rows, maps and loss are those of the equations written out. */
import { afterAll, describe, expect, it } from 'vitest'
import { type AlsModel, computeLoss, createWorkerPool, train } from '../src/index.ts'
import { objectivesOf, solvers, tight } from './contract.ts'
import { random } from './recommend-model.ts'
import { makeFeatures, makeMatrix, type Predictor, predict, regress, solveExactly, sumLoss } from './reference.ts'

const pool = createWorkerPool({ threads: 2 })
afterAll(() => pool.close())

const objectives = objectivesOf(
  ['hkv', 'none', 5],
  ['hkv', { nu: 0.5 }, 0.3],
  ['ials', 'count', 0.3],
  ['ials', { nu: 1 }, 0.02],
)

const next = random(3)
const matrix = makeMatrix(
  Array.from({ length: 150 }, (_, user) => (user % 11 === 5 ? 0 : Math.floor(60 * next() ** 2) + 1)),
  200,
)
const itemFeatures = makeFeatures(matrix.items, 40, 5)
const userFeatures = makeFeatures(matrix.users, 13, 6)

describe.each(solvers)('$solver $kernel', (solver) => {
  it.each([8, 31, 64])('solves rows, maps and loss with %i factors', async (k) => {
    for (const objective of objectives) {
      const models: AlsModel[] = []
      const featureRegularization = objective.objective === 'hkv' ? undefined : 0.7
      const model = await train(matrix, {
        ...objective,
        ...tight,
        ...solver,
        ...(featureRegularization && { featureRegularization }),
        factors: k,
        iterations: 2,
        pool,
        itemFeatures,
        userFeatures,
        onIteration: async (_, model) => void models.push(await model()),
      })
      const [before, after] = models
      const name = JSON.stringify(objective)
      const of = ({ userFeatures: users, itemFeatures: items }: AlsModel): Record<'users' | 'items', Predictor> => ({
        users: { matrix: userFeatures, ...users! },
        items: { matrix: itemFeatures, ...items! },
      })
      const solve = (side: 'users' | 'items', count: number, fixed: Float32Array) => {
        const rows = Array.from({ length: count }, (_, row) => row)
        return solveExactly(matrix, side, fixed, k, objective, rows, predict(of(before)[side], k))
      }
      expect(worst(solve('users', 150, before.itemFactors), after.userFactors, k), name).toBeLessThan(1e-5)
      expect(worst(solve('items', 200, after.userFactors), after.itemFactors, k), name).toBeLessThan(1e-5)
      for (const { userFeatures: a, itemFeatures: b, userFactors, itemFactors } of models) {
        if (featureRegularization) expect([a!.regularization, b!.regularization]).toEqual([0.7, 0.7])
        const exactA = regress(matrix, 'users', userFeatures, userFactors, k, objective, a!.regularization)
        const exactB = regress(matrix, 'items', itemFeatures, itemFactors, k, objective, b!.regularization)
        expect(distance(exactA, a!.vectors), name).toBeLessThan(1e-5)
        expect(distance(exactB, b!.vectors), name).toBeLessThan(1e-5)
      }
      models.forEach((model, at) => {
        const summed = sumLoss(matrix, model.userFactors, model.itemFactors, k, objective, of(model))
        const computed = computeLoss(model, matrix, model.options, { userFeatures, itemFeatures })
        expect(Math.abs(computed / summed - 1), name).toBeLessThan(1e-9)
        expect(Math.abs(model.history[at].loss / summed - 1), name).toBeLessThan(1e-5)
      })
      expect(model.itemFeatures!.vectors).toEqual(after.itemFeatures!.vectors)
    }
  })
})

/** Worst relative error of a row. */
function worst(exact: Map<number, Float64Array>, solved: Float32Array, k: number): number {
  return Math.max(...[...exact].map(([row, values]) => distance(values, solved.subarray(row * k, (row + 1) * k))))
}

/** |a - b| / |a| */
function distance(a: Float64Array, b: Float32Array): number {
  let error = 0
  let size = 0
  for (let at = 0; at < a.length; at++) {
    error += (a[at] - b[at]) ** 2
    size += a[at] ** 2
  }
  return size === 0 ? error : Math.sqrt(error / size)
}
