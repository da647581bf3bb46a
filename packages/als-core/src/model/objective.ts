import type { InteractionMatrix } from '../matrix/interaction-matrix.ts'
import type { AlsModel } from './als-model.ts'
import type { ModelOptions } from './options.ts'

/**
 * The objective of a model on a matrix, over all users × items pairs, in float64 and without forming them:
 * Σ_all α0 (x·y)² = α0·trace(XᵀX · YᵀY), plus a term for each observed entry, plus the regularisation.
 * `train` reports the same number from its last half-sweep; this one recomputes it from the factors.
 */
export function computeLoss(
  model: Pick<AlsModel, 'factors' | 'userFactors' | 'itemFactors'>,
  matrix: InteractionMatrix,
  options: Pick<ModelOptions, 'objective' | 'unobservedWeight' | 'alpha' | 'regularization' | 'regularizationScaling'>,
): number {
  const { factors: k, userFactors: x, itemFactors: y } = model
  const { csr, csc, codebook, users, items } = matrix
  const shift = options.objective === 'hkv' ? 1 : 0
  let loss = 0
  for (let u = 0; u < users; u++) {
    for (let e = csr.indptr[u]; e < csr.indptr[u + 1]; e++) {
      let score = 0
      const at = csr.indices[e] * k
      for (let j = 0; j < k; j++) score += x[u * k + j] * y[at + j]
      const value = options.alpha * (codebook ? codebook[csr.values[e]] : csr.values[e])
      const confidence = Math.abs(value)
      const preference = value > 0 ? 1 : 0
      // hkv counts an observed pair once, with c; the trace below has counted it as unobserved.
      loss += confidence * (preference - score) ** 2 - shift * score * score
    }
  }
  const gramX = gram(x, k)
  const gramY = gram(y, k)
  let trace = 0
  for (let i = 0; i < k * k; i++) trace += gramX[i] * gramY[i]
  loss += options.unobservedWeight * trace
  const penalty = (f: Float32Array, indptr: Float64Array, others: number): number => {
    const { base, extra, exponent } = rowLambda(options, others)
    let sum = 0
    for (let r = 0; r + 1 < indptr.length; r++) {
      let squared = 0
      for (let j = 0; j < k; j++) squared += f[r * k + j] ** 2
      if (squared > 0) sum += squared * base * (indptr[r + 1] - indptr[r] + extra) ** exponent
    }
    return sum
  }
  return loss + penalty(x, csr.indptr, items) + penalty(y, csc.indptr, users)
}

/** λ of a row with n entries as base·(n + extra)^exponent; `others`: rows of the other side. */
export function rowLambda(
  options: Pick<ModelOptions, 'regularization' | 'regularizationScaling' | 'unobservedWeight'>,
  others: number,
): { base: number; extra: number; exponent: number } {
  const base = options.regularization
  if (options.regularizationScaling === 'none') return { base, extra: 0, exponent: 0 }
  if (options.regularizationScaling === 'count') return { base, extra: 0, exponent: 1 }
  return { base, extra: options.unobservedWeight * others, exponent: options.regularizationScaling.nu }
}

function gram(f: Float32Array, k: number): Float64Array {
  const sum = new Float64Array(k * k)
  for (let r = 0; r < f.length; r += k) {
    for (let i = 0; i < k; i++) {
      const s = f[r + i]
      for (let j = 0; j < k; j++) sum[i * k + j] += s * f[r + j]
    }
  }
  return sum
}
