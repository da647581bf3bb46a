/**
 * A fixed side of more than 4 GiB in the solver's basis, which no WebAssembly memory holds: one iteration, whose rows are
 * checked against their normal equations, written out and solved in float64.
 */
import { createWorkerPool, type InteractionMatrix, planMemory, train } from '@seesaw/als-core'
import { gramOf } from '../../packages/als-core/src/linear-algebra/gram-rows.ts'
import { generateInteractions } from '../generate-interactions.ts'
import { peakRssMb } from '../process-cost.ts'
import { randomStream } from '../random-stream.ts'
import { printTable } from './table.ts'

const size = { users: 9_000_000, items: 20_000, entries: 45_000_000 }
const factors = 128
const regularization = 10
/** Rows of each side that are checked, spread over all of them. */
const sample = 100

type Rows = Float32Array<SharedArrayBuffer>

export async function overFourGib({ threads }: { threads: number }): Promise<Record<string, unknown>> {
  const matrix = await generateInteractions(size)
  const pool = createWorkerPool({ threads })
  try {
    const itemFactors = randomFactors(matrix.items)
    const model = await train(matrix, {
      factors,
      regularization,
      iterations: 1,
      tolerance: 1e-5,
      maxSteps: 100,
      gatherPrecision: 'float32',
      initial: { itemFactors },
      pool,
    })
    const peak = peakRssMb()
    const planned = planMemory({ ...size, factors, threads, gatherPrecision: 'float32' }).total / 1e6
    const [{ seconds, stepsPerRow }] = model.history
    const usersError = worstError(
      matrix,
      'users',
      await gramOf(itemFactors, factors, pool),
      itemFactors,
      model.userFactors,
    )
    const users = model.userFactors as Rows
    const itemsError = worstError(matrix, 'items', await gramOf(users, factors, pool), users, model.itemFactors)
    printTable(
      [
        ['users × items, entries', () => `${size.users} × ${size.items}, ${size.entries}`],
        ['fixed side, GiB', () => ((size.users * factors * 4) / 2 ** 30).toFixed(2)],
        ['s/iteration', () => seconds.toFixed(1)],
        ['steps/row', () => stepsPerRow.toFixed(2)],
        ['peak RSS, MB (planned)', () => `${peak.toFixed(0)} (${planned.toFixed(0)})`],
        [`worst of ${sample} users`, () => usersError.toExponential(1)],
        [`worst of ${sample} items`, () => itemsError.toExponential(1)],
      ],
      [undefined],
    )
    return {
      size: 'over-4-gib',
      factors,
      threads,
      secondsPerIteration: seconds,
      peakRssMb: Math.round(peak),
      plannedMb: Math.round(planned),
      worstUserError: usersError,
      worstItemError: itemsError,
    }
  } finally {
    await pool.close()
  }
}

function randomFactors(rows: number): Rows {
  const random = randomStream(1, 0)
  const values = new Float32Array(new SharedArrayBuffer(4 * rows * factors))
  for (let at = 0; at < values.length; at++) values[at] = 0.2 * (random() - 0.5)
  return values
}

/** Largest relative error of the sampled rows of a side against the solutions of (G + λI + Σ (c - 1) f fᵀ) x = Σ c f. */
function worstError(
  { csr, csc, codebook }: InteractionMatrix,
  side: 'users' | 'items',
  gram: Float64Array,
  fixed: Float32Array,
  solved: Float32Array,
): number {
  const { indptr, indices, values } = side === 'users' ? csr : csc
  const rows = indptr.length - 1
  const k = factors
  let worst = 0
  for (let s = 0; s < sample; s++) {
    const row = Math.floor(((s + 0.5) * rows) / sample)
    const a = gram.slice()
    const b = new Float64Array(k)
    for (let i = 0; i < k; i++) a[i * k + i] += regularization
    for (let e = indptr[row]; e < indptr[row + 1]; e++) {
      const c = codebook![values[e]]
      const f = fixed.subarray(indices[e] * k, (indices[e] + 1) * k)
      for (let i = 0; i < k; i++) {
        b[i] += c * f[i]
        for (let j = 0; j < k; j++) a[i * k + j] += (c - 1) * f[i] * f[j]
      }
    }
    const exact = solve(a, b, k)
    let error = 0
    let norm = 0
    for (let i = 0; i < k; i++) {
      error += (solved[row * k + i] - exact[i]) ** 2
      norm += exact[i] ** 2
    }
    if (norm > 0) worst = Math.max(worst, Math.sqrt(error / norm))
  }
  return worst
}

/** Gaussian elimination of a symmetric positive definite system. */
function solve(a: Float64Array, b: Float64Array, k: number): Float64Array {
  for (let column = 0; column < k; column++) {
    for (let row = column + 1; row < k; row++) {
      const ratio = a[row * k + column] / a[column * k + column]
      for (let j = column; j < k; j++) a[row * k + j] -= ratio * a[column * k + j]
      b[row] -= ratio * b[column]
    }
  }
  for (let row = k - 1; row >= 0; row--) {
    for (let j = row + 1; j < k; j++) b[row] -= a[row * k + j] * b[j]
    b[row] /= a[row * k + row]
  }
  return b
}
