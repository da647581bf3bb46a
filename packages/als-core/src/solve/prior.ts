import { type FeatureProducts, sumFeatures } from '../features/feature-products.ts'
import type { ModelOptions } from '../model/options.ts'
import { FULL, type KernelView } from './kernel-view.ts'

/** What a half-sweep regularises rows towards, and λ where it is the same for all of them. */
export interface Prior extends FeatureProducts {
  readonly lambda: number
}

export function priorOf({ matrix, vectors }: FeatureProducts, { regularization }: ModelOptions): Prior {
  const { indptr, indices, values } = matrix
  // Not the names, which threads have no use for.
  return { matrix: { indptr, indices, values }, vectors, lambda: regularization }
}

/**
 * In a worker: λ P p of rows [from, to) to the scratch area; returns Σ λ|p|². λ is in the scratch area where `byRow`. Rows without
 * entries have no prior.
 */
export function bringPriors(
  { kernel, layout, f32, at }: KernelView,
  { matrix, vectors, lambda }: Prior,
  rows: Float64Array,
  from: number,
  to: number,
  byRow: boolean,
): number {
  const { padded } = layout
  const source = at('source') / 4
  const lambdas = at('lambda') / 4
  const predicted = new Float64Array(padded)
  let squares = 0
  for (let row = from; row < to; row++) {
    const r = row - from
    const to = source + r * padded
    if (rows[row + 1] === rows[row]) {
      f32.fill(0, to, to + padded)
      continue
    }
    sumFeatures(predicted, matrix, matrix.indptr[row], matrix.indptr[row + 1], vectors)
    const weight = byRow ? f32[lambdas + r] : lambda
    squares += weight * weighTo(f32, to, predicted, weight)
  }
  kernel.multiply(at('source'), to - from, padded, layout.prior, FULL, at('priors'))
  return squares
}

/** λ p to `at`; returns |p|². */
function weighTo(f32: Float32Array, at: number, predicted: Float64Array, weight: number): number {
  let squared = 0
  for (let j = 0; j < predicted.length; j++) {
    squared += predicted[j] * predicted[j]
    f32[at + j] = weight * predicted[j]
  }
  return squared
}
