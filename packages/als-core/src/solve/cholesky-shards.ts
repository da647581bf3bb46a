import { cholesky, solveCholesky } from '../linear-algebra/dense.ts'
import { valueAt } from '../matrix/entries.ts'
import type { CompressedRows } from '../matrix/interaction-matrix.ts'
import { entryTerms, lambdaOf, rowLambda, targetOf, weightOf } from '../model/objective.ts'
import { runShards, type ShardBoard, stopShards, takeShards } from '../pool/run-shards.ts'
import { sharedFloat32, sharedFloat64 } from '../pool/shared-arrays.ts'
import { type Prior, priorOf } from './prior.ts'
import type { FailedRow, RowSystem, SolveTotals } from './row-system.ts'
import { addTotals, setTotals, shardTotals, throwOnFailure } from './row-system.ts'
import type { Side } from './sides.ts'
import type { Workbench } from './workbench.ts'

/** Solves the rows of `solved` by Cholesky; `gram` is FᵀF of the fixed side. The rows take the place of those before. */
export async function solveByCholesky(
  bench: Workbench,
  solved: Side,
  fixed: Side,
  gram: Float64Array,
): Promise<SolveTotals> {
  const { options, share, pool, running, codebook } = bench
  const k = options.factors
  const perRow = options.regularizationScaling !== 'none'
  const dense = sharedFloat64(k * k)
  for (let i = 0; i < k; i++) {
    for (let j = 0; j < k; j++) dense[i * k + j] = options.unobservedWeight * gram[i * k + j]
    if (!perRow) dense[i * k + i] += options.regularization
  }
  const { count, bounds } = solved.solveShards
  const totals = shardTotals(count)
  const values = solved.factors?.values ?? sharedFloat32(solved.rows * share.layout.padded)
  const task = {
    bounds,
    rows: solved.sparse,
    values,
    codebook,
    fixed: fixed.factors!.values,
    dense,
    k,
    padded: share.layout.padded,
    ...(solved.prior && { prior: priorOf(solved.prior, options) }),
    system: { ...entryTerms(options), ...(perRow && { lambda: rowLambda(options, fixed.rows) }) },
    totals,
  }
  const failures = await runShards<typeof choleskyShards>(pool, 'choleskyShards', count, task, running)
  throwOnFailure(failures, solved, options)
  solved.factors = { values }
  return addTotals(totals)
}

export interface CholeskyTask {
  readonly board: ShardBoard
  readonly bounds: Float64Array
  readonly rows: CompressedRows
  /** rows × padded: written, never read, so that a shard can be run again. */
  readonly values: Float32Array
  readonly codebook?: Float32Array
  /** The fixed side, rows × padded. */
  readonly fixed: Float32Array
  /** α0·FᵀF (k×k), plus λ on the diagonal when λ is the same for all rows. */
  readonly dense: Float64Array
  readonly k: number
  readonly padded: number
  readonly prior?: Prior
  readonly system: Pick<RowSystem, 'alpha' | 'shift' | 'lambda'>
  readonly totals: Float64Array
}

/**
 * Worker task, the reference: each row's normal equations (α0·FᵀF + λI + Σ w f fᵀ) x = Σ b f, formed and solved by Cholesky
 * in float64, with λp added to the right-hand side for a prior p. n·k² + k³/3 per row where conjugate gradients pay a few times n·k.
 */
export function choleskyShards(task: CholeskyTask): FailedRow | undefined {
  const { board, bounds, rows, values, codebook, fixed, dense, k, padded, prior, system, totals } = task
  const { indptr, indices } = rows
  const a = new Float64Array(k * k)
  const b = new Float64Array(k)
  const f = new Float64Array(k)
  const p = new Float64Array(k)
  for (const shard of takeShards(board)) {
    let objective = 0
    let penalty = 0
    let priorPenalty = 0
    let priorProduct = 0
    for (let row = bounds[2 * shard]; row < bounds[2 * shard + 1]; row++) {
      const n = indptr[row + 1] - indptr[row]
      b.fill(0)
      if (n > 0) {
        a.set(dense)
        let lambda = 0
        if (system.lambda) {
          lambda = Math.fround(lambdaOf(system.lambda, n))
          for (let i = 0; i < k; i++) a[i * k + i] += lambda
        }
        for (let e = indptr[row]; e < indptr[row + 1]; e++) {
          const value = valueAt(rows, codebook, e)
          const weight = weightOf(value, system)
          const target = targetOf(value, system)
          for (let i = 0; i < k; i++) f[i] = fixed[indices[e] * padded + i]
          for (let i = 0; i < k; i++) {
            const s = weight * f[i]
            b[i] += target * f[i]
            for (let j = 0; j <= i; j++) a[i * k + j] += s * f[j]
          }
        }
        const lower = cholesky(a, k)
        if (!lower) {
          stopShards(board)
          return { failedRow: row }
        }
        if (prior) {
          const weight = system.lambda ? lambda : prior.lambda
          for (let i = 0; i < k; i++) {
            const predicted = prior.predicted[row * padded + i]
            priorPenalty += weight * predicted * predicted
            p[i] = weight * predicted
            b[i] += p[i]
          }
        }
        // f(x) = xᵀAx - 2xᵀb = -xᵀb at the solution.
        const rhs = b.slice()
        solveCholesky(lower, k, b)
        let squared = 0
        for (let i = 0; i < k; i++) {
          objective -= b[i] * rhs[i]
          squared += b[i] * b[i]
          if (prior) priorProduct += b[i] * p[i]
        }
        penalty += lambda * squared
      }
      values.set(b, row * padded)
    }
    setTotals(totals, shard, { objective, penalty, steps: 0, priorPenalty, priorProduct })
  }
  return undefined
}
