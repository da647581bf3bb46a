import { createHash } from 'node:crypto'
import { rowRandom } from '../src/evaluate/row-random.ts'
import { type InteractionMatrix, matrixFromTriplets, type TrainOptions, train } from '../src/index.ts'

/**
 * Six trainings that between them take every objective, scaling and precision, values with and without a codebook, k of one
 * and of several cache lines, and rows longer than a block. The portable kernel gives the same bits on every machine.
 */
export const fixedTrainings: Record<string, { matrix: MatrixShape; options: TrainOptions }> = {
  'hkv, none, 31, int8': {
    matrix: { users: 1500, items: 700, entries: 30_000, distinct: 5 },
    options: { factors: 31, regularization: 0.1, gatherPrecision: 'int8', iterations: 4 },
  },
  'hkv, count, 31, float32': {
    matrix: { users: 1500, items: 700, entries: 30_000, distinct: 5 },
    options: { factors: 31, alpha: 10, regularizationScaling: 'count', gatherPrecision: 'float32', iterations: 4 },
  },
  'ials, nu, 128, int8': {
    matrix: { users: 40_000, items: 300, entries: 150_000, distinct: 3 },
    options: {
      factors: 128,
      objective: 'ials',
      unobservedWeight: 0.05,
      regularizationScaling: { nu: 1 },
      gatherPrecision: 'int8',
      iterations: 3,
    },
  },
  'ials, none, 128, float32, values': {
    matrix: { users: 2000, items: 900, entries: 60_000, distinct: 0 },
    options: { factors: 128, objective: 'ials', regularization: 1, gatherPrecision: 'float32', iterations: 3 },
  },
  'hkv, nu, 512, float32': {
    matrix: { users: 900, items: 800, entries: 40_000, distinct: 5 },
    options: { factors: 512, regularizationScaling: { nu: 0.5 }, gatherPrecision: 'float32', iterations: 2 },
  },
  'ials, none, 512, int8, values': {
    matrix: { users: 900, items: 800, entries: 40_000, distinct: 0 },
    options: { factors: 512, objective: 'ials', regularization: 2, gatherPrecision: 'int8', iterations: 2 },
  },
}

interface MatrixShape {
  users: number
  items: number
  entries: number
  /** Number of distinct values; 0: one of its own for each entry. */
  distinct: number
}

/** SHA-256 of the user factors followed by the item factors. */
export async function digestTraining(name: string, threads: number): Promise<string> {
  const { matrix, options } = fixedTrainings[name]
  const model = await train(skewedMatrix(matrix), { seed: 7, kernel: 'simd', threads, momentum: 0, ...options })
  return createHash('sha256').update(model.userFactors).update(model.itemFactors).digest('hex')
}

/** Entries whose items fall off steeply, so that the first item has a row of tens of thousands where there are as many users. */
function skewedMatrix({ users, items, entries, distinct }: MatrixShape): InteractionMatrix {
  const random = rowRandom(11, users)
  const rows = new Uint32Array(entries)
  const columns = new Uint32Array(entries)
  const values = new Float32Array(entries)
  for (let e = 0; e < entries; e++) {
    rows[e] = Math.floor(random() * users)
    columns[e] = Math.floor(items * random() ** 3)
    const value = distinct > 0 ? 1 + Math.floor(random() * distinct) : 0.5 + 4 * random()
    values[e] = random() < 0.1 ? -value : value
  }
  if (users > 32_768) for (let e = 0; e < 36_000; e++) [rows[e], columns[e]] = [e, 0]
  return matrixFromTriplets({ users, items, rows, columns, values, duplicates: 'max' })
}
