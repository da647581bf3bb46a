import { afterAll, beforeAll, describe, expect, it } from 'vitest'
import {
  type AlsModel,
  createWorkerPool,
  foldInItems,
  foldInUsers,
  type InteractionMatrix,
  type ModelOptions,
  matrixFromTriplets,
  Recommender,
  train,
  type WorkerPool,
} from '../src/index.ts'
import { makeInteractions, random } from './recommend-model.ts'

let pool: WorkerPool
beforeAll(() => {
  pool = createWorkerPool({ threads: 2 })
})
afterAll(() => pool.close())

const variants: [string, Partial<ModelOptions>][] = [
  ['hkv', { alpha: 3, regularization: 0.1 }],
  ['hkv, λ·n', { regularization: 0.05, regularizationScaling: 'count' }],
  ['ials, ν', { objective: 'ials', unobservedWeight: 0.05, regularization: 0.02, regularizationScaling: { nu: 0.8 } }],
]

/** Values from 1 to 5, one entry in nine a dislike. */
function interactions(users: number, items: number, seed: number): InteractionMatrix {
  const pairs = makeInteractions(users, items, 9, seed)
  const next = random(seed)
  const rows: number[] = []
  for (let user = 0; user < users; user++)
    for (let e = pairs.csr.indptr[user]; e < pairs.csr.indptr[user + 1]; e++) rows.push(user)
  const values = rows.map(() => (next() < 1 / 9 ? -1 : 1) * Math.ceil(5 * next() + 1e-9))
  return matrixFromTriplets({ users, items, rows, columns: pairs.csr.indices, values })
}

/** The row system by its definition, solved by Gaussian elimination in float64. */
function exactRow(fixed: Float32Array, model: AlsModel, columns: number[], values: number[]): number[] {
  const { factors: k, options: o } = model
  const n = fixed.length / k
  const a = Array.from({ length: k }, () => new Array<number>(k + 1).fill(0))
  const addOuter = (row: number, weight: number) => {
    for (let i = 0; i < k; i++) for (let j = 0; j < k; j++) a[i][j] += weight * fixed[row * k + i] * fixed[row * k + j]
  }
  for (let row = 0; row < n; row++) addOuter(row, o.objective === 'hkv' ? 1 : o.unobservedWeight)
  for (const [e, column] of columns.entries()) {
    const c = o.alpha * values[e]
    addOuter(column, Math.abs(c) - (o.objective === 'hkv' ? 1 : 0))
    for (let i = 0; i < k; i++) a[i][k] += Math.max(0, c) * fixed[column * k + i]
  }
  const scaling = o.regularizationScaling
  const count = columns.length
  const factor = scaling === 'none' ? 1 : scaling === 'count' ? count : (count + o.unobservedWeight * n) ** scaling.nu
  for (let i = 0; i < k; i++) a[i][i] += o.regularization * factor
  for (let i = 0; i < k; i++) {
    for (let r = 0; r < k; r++) {
      if (r === i) continue
      const s = a[r][i] / a[i][i]
      for (let j = i; j <= k; j++) a[r][j] -= s * a[i][j]
    }
  }
  return a.map((row, i) => row[k] / row[i])
}

const rowOf = ({ csr, codebook }: InteractionMatrix, row: number, rows = csr) => {
  const range = [rows.indptr[row], rows.indptr[row + 1]] as const
  return {
    columns: Array.from(rows.indices.subarray(...range)),
    values: Array.from(rows.values.subarray(...range), (value) => (codebook ? codebook[value] : value)),
  }
}

function expectClose(actual: ArrayLike<number>, expected: number[]): void {
  const norm = Math.hypot(...expected)
  const error = Math.hypot(...expected.map((value, i) => value - actual[i]))
  expect(error).toBeLessThanOrEqual(2e-5 * norm)
}

describe.each(variants)('fold-in and explanation, %s', (_, options) => {
  const users = 150
  const items = 110
  const k = 14
  const matrix = interactions(users, items, 1)
  let model: AlsModel
  beforeAll(async () => {
    model = await train(matrix, { factors: k, iterations: 4, pool, ...options })
  })

  it('solves new users and new items as their row systems say', async () => {
    const newUsers = interactions(40, items, 2)
    const folded = await foldInUsers(model, newUsers, { pool })
    for (let user = 0; user < 40; user++) {
      const { columns, values } = rowOf(newUsers, user)
      expectClose(folded.subarray(user * k, (user + 1) * k), exactRow(model.itemFactors, model, columns, values))
    }
    const newItems = interactions(users, 30, 3)
    const foldedItems = await foldInItems(model, newItems, { pool })
    for (let item = 0; item < 30; item++) {
      const { columns, values } = rowOf(newItems, item, newItems.csc)
      if (columns.length === 0) continue
      expectClose(foldedItems.subarray(item * k, (item + 1) * k), exactRow(model.userFactors, model, columns, values))
    }
  })

  it('gives what the next two half-sweeps of training give, to the bit where both solve exactly', async () => {
    const next = await train(matrix, { ...options, initial: model, iterations: 1, solver: 'cholesky', pool })
    const halfway = { ...model, userFactors: next.userFactors }
    expect(await foldInUsers(model, matrix, { pool, solver: 'cholesky' })).toEqual(next.userFactors)
    expect(await foldInItems(halfway, matrix, { pool, solver: 'cholesky' })).toEqual(next.itemFactors)
  })

  it('explains a score by contributions that add up to it', async () => {
    await using recommender = new Recommender(model, { interactions: matrix, pool })
    const folded = await foldInUsers(model, matrix, { pool })
    for (const user of [0, 77, 149]) {
      const { rows } = await recommender.recommend(user, { limit: 3 })
      for (const item of rows) {
        const { score, modelScore, contributions } = await recommender.explain(user, item)
        const dot = (x: ArrayLike<number>) =>
          model.itemFactors.subarray(item * k, (item + 1) * k).reduce((sum, y, i) => sum + x[i] * y, 0)
        expect(score).toBeCloseTo(dot(folded.subarray(user * k, (user + 1) * k)), 4)
        expect(modelScore).toBeCloseTo(dot(model.userFactors.subarray(user * k, (user + 1) * k)), 5)
        expect(contributions.reduce((sum, { contribution }) => sum + contribution, 0)).toBeCloseTo(score, 12)
        const { columns, values } = rowOf(matrix, user)
        expect(contributions.map(({ row }) => row).sort((a, b) => a - b)).toEqual(columns)
        const disliked = columns.filter((_, e) => values[e] < 0)
        for (const { row, contribution } of contributions) if (disliked.includes(row)) expect(contribution).toBe(0)
      }
    }
  })
})

describe('fold-in', () => {
  it('gives lists for users who are not in the model', async () => {
    const matrix = interactions(150, 110, 1)
    const model = await train(matrix, { factors: 8, iterations: 3, pool })
    const vectors = await foldInUsers(model, matrix, { pool })
    await using recommender = new Recommender(model, { pool })
    const lists = await recommender.recommendForVectors(vectors, { limit: 5, exclude: matrix })
    expect(lists.length).toBe(150)
    for (const row of lists.rows.subarray(0, lists.counts[0])) expect(rowOf(matrix, 0).columns).not.toContain(row)
    await expect(recommender.recommendForVectors(new Float32Array(9))).rejects.toThrow(
      'vectors has 9 values, expected a multiple of 8',
    )
    await expect(recommender.explain(0, 0)).rejects.toThrow('explain needs what users have')
    await expect(foldInUsers(model, interactions(3, 9, 1))).rejects.toThrow('The matrix has 9 items, the model 110')
    await expect(foldInItems(model, interactions(3, 9, 1))).rejects.toThrow('The matrix has 3 users, the model 150')
  })
})
