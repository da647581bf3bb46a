import type { ModelOptions } from '../model/options.ts'
import { FULL, type KernelView } from './kernel-view.ts'

/** What the rows of a side are regularised towards: row r towards Bᵀg_r. */
export interface Predictions {
  /** G·B: rows × padded, in the basis of the model; zero for rows without entries. */
  readonly predicted: Float32Array<SharedArrayBuffer>
}

/** For a half-sweep, with λ where it is the same for all rows. */
export interface Prior extends Predictions {
  readonly lambda: number
}

export function priorOf({ predicted }: Predictions, { regularization }: ModelOptions): Prior {
  return { predicted, lambda: regularization }
}

/** In a worker: λ P p of rows [from, to) to the scratch area; returns Σ λ|p|². λ is in the scratch area where `byRow`. */
export function bringPriors(
  { kernel, layout, f32, at }: KernelView,
  { predicted, lambda }: Prior,
  from: number,
  to: number,
  byRow: boolean,
): number {
  const { padded } = layout
  const rows = to - from
  const [source, lambdas] = [at('source'), at('lambda')]
  f32.set(predicted.subarray(from * padded, to * padded), source / 4)
  if (!byRow) f32.fill(lambda, lambdas / 4, lambdas / 4 + rows)
  const squares = kernel.weighRows(source, rows, padded, lambdas)
  kernel.multiply(source, rows, padded, layout.prior, FULL, at('priors'))
  return squares
}
