import type { RankTask } from './task.ts'

/** A query of a task: its number, where its vector begins, and the vector's norm. */
export interface RankedQuery {
  readonly query: number
  readonly vector: number
  readonly norm: number
}

/**
 * The scores that order a result: x·y in float64 (each product of two float32 is exact there, added up in order), over
 * |x||y| for cosine, less the penalty, rounded to float32. They do not depend on the kernel, the batch or the thread.
 */
export function exactScores(task: RankTask, { vector, norm }: RankedQuery, rows: ArrayLike<number>): Float32Array {
  const { index, metric, penalty, counts } = task
  const scores = innerProducts(task.vectors, vector, index.factors, rows, index.k)
  if (metric === 'cosine') {
    for (let i = 0; i < rows.length; i++) {
      const norms = norm * index.norms[rows[i]]
      scores[i] = norms > 0 ? scores[i] / norms : 0
    }
  }
  if (penalty !== 0) for (let i = 0; i < rows.length; i++) scores[i] -= penalty * Math.log1p(counts![rows[i]])
  return Float32Array.from(scores)
}

/** Four rows side by side: their additions need not wait for each other, nor do their ways from memory (390 -> 210 ns). */
function innerProducts(
  x: Float32Array,
  at: number,
  factors: Float32Array,
  rows: ArrayLike<number>,
  k: number,
): Float64Array {
  const products = new Float64Array(rows.length)
  for (let n = 0; n < rows.length; n += 4) {
    const a = rows[n] * k
    const b = rows[Math.min(n + 1, rows.length - 1)] * k
    const c = rows[Math.min(n + 2, rows.length - 1)] * k
    const d = rows[Math.min(n + 3, rows.length - 1)] * k
    let sumA = 0
    let sumB = 0
    let sumC = 0
    let sumD = 0
    for (let i = 0; i < k; i++) {
      const value = x[at + i]
      sumA += value * factors[a + i]
      sumB += value * factors[b + i]
      sumC += value * factors[c + i]
      sumD += value * factors[d + i]
    }
    products[n] = sumA
    // Beyond the end of a typed array an assignment has no effect.
    products[n + 1] = sumB
    products[n + 2] = sumC
    products[n + 3] = sumD
  }
  return products
}
