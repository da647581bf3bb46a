import { cholesky, solveCholesky } from '../linear-algebra/dense.ts'
import { type ShardBoard, stopShards, takeShards } from '../pool/run-shards.ts'
import type { FailedRow, RowSystem, SolveRows } from './solve-shards.ts'

export interface CholeskyTask {
  readonly board: ShardBoard
  readonly bounds: Float64Array
  readonly rows: SolveRows
  readonly codebook?: Float32Array
  /** The fixed side, rows × padded. */
  readonly fixed: Float32Array
  /** α0·FᵀF (k×k), plus λ on the diagonal when λ is the same for all rows. */
  readonly gram: Float64Array
  readonly k: number
  readonly padded: number
  readonly system: RowSystem
  /** For each shard: Σ f, Σ λ|x|², steps. */
  readonly sums: Float64Array
}

/**
 * The reference: each row's normal equations (α0·FᵀF + λI + Σ w f fᵀ) x = Σ b f, formed and solved by Cholesky in
 * float64. n·k² + k³/3 a row where conjugate gradients pay a few times n·k.
 */
export function choleskyShards(task: CholeskyTask): FailedRow | undefined {
  const { board, bounds, rows, codebook, fixed, gram, k, padded, system, sums } = task
  const { indptr, indices, values, after } = rows
  const a = new Float64Array(k * k)
  const b = new Float64Array(k)
  const f = new Float64Array(k)
  for (const shard of takeShards(board)) {
    let loss = 0
    let penalty = 0
    for (let row = bounds[2 * shard]; row < bounds[2 * shard + 1]; row++) {
      const n = indptr[row + 1] - indptr[row]
      b.fill(0)
      if (n > 0) {
        a.set(gram)
        let lambda = 0
        if (system.lambda) {
          lambda = Math.fround(system.lambda.base * (n + system.lambda.extra) ** system.lambda.exponent)
          for (let i = 0; i < k; i++) a[i * k + i] += lambda
        }
        for (let e = indptr[row]; e < indptr[row + 1]; e++) {
          const c = system.alpha * (codebook ? codebook[values[e]] : values[e])
          const weight = Math.abs(c) - system.shift
          const target = Math.max(c, 0)
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
        // f(x) = xᵀAx - 2xᵀb = -xᵀb at the solution.
        const rhs = b.slice()
        solveCholesky(lower, k, b)
        let squared = 0
        for (let i = 0; i < k; i++) {
          loss -= b[i] * rhs[i]
          squared += b[i] * b[i]
        }
        penalty += lambda * squared
      }
      after.set(b, row * padded)
    }
    sums[3 * shard] = loss
    sums[3 * shard + 1] = penalty
    sums[3 * shard + 2] = 0
  }
  return undefined
}
