/** One contract for every solver: the rows are those of the normal equations, the loss is the objective. */
import { afterAll, describe, expect, it } from 'vitest'
import { computeLoss, createWorkerPool, type InteractionMatrix, type ModelOptions, train } from '../src/index.ts'
import { BLOCK_ENTRIES } from '../src/solve/layout.ts'
import { objectivesOf, solvers, tight } from './contract.ts'
import { makeFactors, makeMatrix, type Objective, solveExactly, sumLoss } from './reference.ts'

const pool = createWorkerPool({ threads: 2 })
afterAll(() => pool.close())

/** λ of each scaling such that α0·G + λI has a condition number of about 100 at most: see the last test for more. */
const objectives = objectivesOf(
  ['hkv', 'none', 5],
  ['hkv', 'count', 0.2],
  ['hkv', { nu: 0.5 }, 0.3],
  ['hkv', { nu: 1 }, 0.02],
  ['ials', 'none', 1],
  ['ials', 'count', 0.1],
  ['ials', { nu: 0.5 }, 0.2],
  ['ials', { nu: 1 }, 0.02],
)

/** No entry, one, a few, and more than fit a tile at large k. */
const counts = [0, 1, 2, 5, 8, 9, 64, 129, 290, 0]

describe.each(solvers)('$solver $kernel', (solver) => {
  it.each([8, 16, 31, 64, 100, 128, 256])('solves every row to 1e-5 with %i factors', async (k) => {
    for (const [at, objective] of objectives.entries()) {
      const matrix = makeMatrix(counts, 300, at % 3 === 0 ? 'float' : 'codebook')
      const { users, items } = await worstErrors(matrix, k, objective, solver, { items: [0, 1, 299] })
      expect(Math.max(users, items), JSON.stringify(objective)).toBeLessThan(1e-5)
    }
  })

  // The exact solve of one such row at 256 factors takes seconds; Cholesky has no scratch area.
  it.each(solver.solver === 'cg' ? [8, 16, 31, 64, 100, 128, 256] : [31])(
    'solves rows longer than every scratch area with %i factors',
    async (k) => {
      const counts = [BLOCK_ENTRIES + 1777, 0, 3, 1, BLOCK_ENTRIES, 40]
      for (const at of k > 64 ? [7] : [1, 7]) {
        const matrix = makeMatrix(counts, BLOCK_ENTRIES + 3000, at === 1 ? 'float' : 'codebook')
        const { users } = await worstErrors(matrix, k, objectives[at], solver, { items: [] })
        expect(users).toBeLessThan(1e-5)
      }
    },
  )

  it('reports the loss that the factors have', async () => {
    for (const objective of objectives) {
      const matrix = makeMatrix(counts, 300)
      const losses: number[][] = []
      await train(matrix, {
        ...objective,
        ...solver,
        gatherPrecision: 'float32',
        factors: 20,
        iterations: 3,
        pool,
        onIteration: async ({ loss }, model) => {
          const { userFactors, itemFactors } = await model()
          const summed = sumLoss(matrix, userFactors, itemFactors, 20, objective)
          losses.push([loss, computeLoss({ factors: 20, userFactors, itemFactors }, matrix, objective), summed])
        },
      })
      for (const [reported, computed, summed] of losses) {
        expect(Math.abs(computed / summed - 1)).toBeLessThan(1e-9)
        expect(Math.abs(reported / summed - 1)).toBeLessThan(1e-5)
      }
    }
  })
})

describe('where float32 ends', () => {
  // Z = F·W has entries rounded to 6e-8 of the largest direction, and W blows the weakest up by the root of the condition
  // number: what is left of a row's digits is 1e-7 times that number. The loss does not notice.
  it.each([0.01, 0.1, 1])(
    'a row loses the digits of the condition number, regularization %f',
    async (regularization) => {
      const k = 64
      const objective = { ...objectives[0], regularization }
      const matrix = makeMatrix(counts, 300)
      const { users, items, condition } = await worstErrors(matrix, k, objective, solvers[0], { items: [0, 1, 299] })
      expect(condition.items).toBeGreaterThan(100)
      expect(users).toBeLessThan(1e-5 + 2e-7 * condition.users)
      expect(items).toBeLessThan(1e-5 + 2e-7 * condition.items)
    },
  )
})

type Solved = Map<number, Float64Array>
const exactUsers = new Map<string, Solved>()

/** Worst relative error of any row, users and items, and the condition numbers of α0·G + λI. */
async function worstErrors(
  matrix: InteractionMatrix,
  k: number,
  objective: Objective,
  solver: Partial<ModelOptions>,
  rows: { items: number[] },
): Promise<{ users: number; items: number; condition: { users: number; items: number } }> {
  const initial = { itemFactors: makeFactors(matrix.items, k, k) }
  const options = { ...objective, ...tight, ...solver, factors: k, iterations: 1 }
  const { userFactors, itemFactors } = await train(matrix, { ...options, initial, pool })
  // The users are solved from the same factors by every solver.
  const key = JSON.stringify([k, objective, matrix.users, matrix.items, matrix.entries, matrix.codebook?.length])
  const users = Array.from({ length: matrix.users }, (_, row) => row)
  const exact = exactUsers.get(key) ?? solveExactly(matrix, 'users', initial.itemFactors, k, objective, users)
  exactUsers.set(key, exact)
  return {
    users: worst(exact, userFactors, k),
    items: worst(solveExactly(matrix, 'items', userFactors, k, objective, rows.items), itemFactors, k),
    condition: {
      users: conditionNumber(initial.itemFactors, k, objective.regularization),
      items: conditionNumber(userFactors, k, objective.regularization),
    },
  }
}

function worst(exact: Solved, solved: Float32Array, k: number): number {
  let worst = 0
  for (const [row, values] of exact) {
    let error = 0
    let size = 0
    for (let f = 0; f < k; f++) {
      error += (solved[row * k + f] - values[f]) ** 2
      size += values[f] ** 2
    }
    worst = Math.max(worst, size === 0 ? error : Math.sqrt(error / size))
  }
  return worst
}

/** (largest eigenvalue + λ) / λ of FᵀF, by power iteration. */
function conditionNumber(factors: Float32Array, k: number, lambda: number): number {
  let v = new Float64Array(k).fill(1)
  let largest = 0
  for (let round = 0; round < 20; round++) {
    const next = new Float64Array(k)
    for (let row = 0; row < factors.length; row += k) {
      let dot = 0
      for (let f = 0; f < k; f++) dot += factors[row + f] * v[f]
      for (let f = 0; f < k; f++) next[f] += dot * factors[row + f]
    }
    largest = Math.hypot(...next)
    v = next.map((value) => value / largest)
  }
  return (largest + lambda) / lambda
}
