/** Worker tasks of `fitFeatures`: passes over the rows of a side, and over its features. */

import { type FeatureProducts, sumFeatures } from '../features/feature-products.ts'
import { type ShardBoard, takeShards } from '../pool/run-shards.ts'
import { copyToSource, type RowsTask } from './block-rows.ts'
import type { FeatureMap } from './feature-map.ts'
import { FULL, viewKernel } from './kernel-view.ts'
import { BLOCK_ROWS } from './layout.ts'
import { type InPlaceTask, takeInPlace } from './rows-in-place.ts'

interface Pass {
  readonly board: ShardBoard
  readonly bounds: Float64Array
  readonly padded: number
  /** Of each shard: added up in the order of the shards, so that threads change no bit. */
  readonly sums: Float64Array
}

/** E = Λ(Y - G·B), in the place of the products. */
export interface RowResidualTask extends Omit<Pass, 'padded'>, RowsTask, FeatureProducts {
  readonly weights: Float64Array
  /** rows × padded: Y, in the basis whose P is at `restart`. */
  readonly factors: Float32Array
  readonly products: Float32Array
}

/** Worker task: the residual of the rows. Sums: Σ λ|y|² and Σ λ|y - Bᵀg|². */
export function rowResidualShards(task: RowResidualTask): void {
  const { share, slot, board, bounds, factors, matrix, vectors, weights, products, sums } = task
  const view = viewKernel(share, slot)
  const { kernel, f32, layout } = view
  const { padded } = layout
  const block = view.at('block')
  const predicted = new Float64Array(padded)
  for (const shard of takeShards(board)) {
    let before = 0
    let after = 0
    const end = bounds[2 * shard + 1]
    for (let first = bounds[2 * shard]; first < end; first += BLOCK_ROWS) {
      const rows = copyToSource(view, factors, first, end)
      kernel.multiply(view.at('source'), rows, padded, layout.restart, FULL, block)
      for (let row = first; row < first + rows; row++) {
        const weight = weights[row]
        if (weight === 0) continue
        sumFeatures(predicted, matrix, matrix.indptr[row], matrix.indptr[row + 1], vectors)
        const at = row * padded
        const y = block / 4 + (row - first) * padded
        let length = 0
        let error = 0
        for (let j = 0; j < padded; j++) {
          const value = f32[y + j]
          const difference = value - predicted[j]
          length += value * value
          error += difference * difference
          products[at + j] = weight * difference
        }
        before += weight * length
        after += weight * error
      }
    }
    sums[2 * shard] = before
    sums[2 * shard + 1] = after
  }
}

/** T = Λ·G·D */
export interface RowProductTask extends Pass {
  readonly matrix: FeatureProducts['matrix']
  readonly direction: Float32Array
  readonly weights: Float64Array
  readonly products: Float32Array
}

/** Worker task: the product with G. Sums, by column: Σ λ t² of G·D. */
export function rowProductShards(task: RowProductTask): void {
  const { board, bounds, padded, matrix, direction, weights, products, sums } = task
  const product = new Float64Array(padded)
  for (const shard of takeShards(board)) {
    const sum = sums.subarray(shard * padded, (shard + 1) * padded).fill(0)
    for (let row = bounds[2 * shard]; row < bounds[2 * shard + 1]; row++) {
      const weight = weights[row]
      if (weight === 0) continue
      sumFeatures(product, matrix, matrix.indptr[row], matrix.indptr[row + 1], direction)
      const at = row * padded
      for (let j = 0; j < padded; j++) {
        const weighed = weight * product[j]
        sum[j] += weighed * product[j]
        products[at + j] = weighed
      }
    }
  }
}

/** What a pass over features reads of the map. */
type Features = Pick<FeatureMap, 'byFeature' | 'products' | 'diagonal' | 'regularization'>

/** R = Gᵀ·E - λ_B·B and D = R/M, M the diagonal. */
export interface StartTask extends Pass, Features {
  readonly vectors: Float32Array
  readonly residual: Float32Array
  readonly direction: Float32Array
}

/** Worker task: the first residual and direction. Sums, by column: Σ r²/m, then Σ d². */
export function startShards(task: StartTask): void {
  const { board, bounds, padded, byFeature, products, diagonal, sums } = task
  const product = new Float64Array(padded)
  for (const shard of takeShards(board)) {
    const sum = sums.subarray(2 * shard * padded, 2 * (shard + 1) * padded).fill(0)
    for (let f = bounds[2 * shard]; f < bounds[2 * shard + 1]; f++) {
      const inverse = 1 / diagonal[f]
      sumFeatures(product, byFeature, byFeature.indptr[f], byFeature.indptr[f + 1], products)
      startRow(product, task, f * padded, inverse, sum)
    }
  }
}

/** r = p - λ_B b and d = r/m for the row at `at`; r·d and d² to the sums. */
function startRow(
  product: Float64Array,
  { regularization, vectors, residual, direction }: StartTask,
  at: number,
  inverse: number,
  sum: Float64Array,
): void {
  const k = product.length
  for (let j = 0; j < k; j++) {
    const r = product[j] - regularization * vectors[at + j]
    const d = r * inverse
    residual[at + j] = r
    direction[at + j] = d
    sum[j] += r * d
    sum[k + j] += d * d
  }
}

interface StepTask extends InPlaceTask {
  readonly sums: Float64Array
}

/** B += D·diag(α) */
export interface VectorTask extends StepTask {
  readonly direction: Float32Array
  /** α, by column. */
  readonly lengths: Float64Array
}

/** Worker task: a step of B in place. Sums: |B|². */
export function vectorShards(task: VectorTask): void {
  const { share, bounds, values, direction, lengths, sums } = task
  const { padded } = share.layout
  for (const shard of takeInPlace(task)) {
    let squares = 0
    for (let f = bounds[2 * shard]; f < bounds[2 * shard + 1]; f++) {
      squares += stepRow(values, direction, f * padded, lengths)
    }
    sums[shard] = squares
  }
}

// Rows have functions of their own: these are optimised after a few thousand rows, and a pass, which is called once, is not.

/** b += α d for the row at `at`; returns |b|². */
function stepRow(values: Float32Array, direction: Float32Array, at: number, lengths: Float64Array): number {
  let squares = 0
  for (let j = 0; j < lengths.length; j++) {
    const value = Math.fround(values[at + j] + lengths[j] * direction[at + j])
    values[at + j] = value
    squares += value * value
  }
  return squares
}

/** R -= (Gᵀ·T + λ_B·D)·diag(α) */
export interface ResidualTask extends StepTask, Features {
  readonly direction: Float32Array
  readonly lengths: Float64Array
}

/** Worker task: the residual after a step, in place. Sums, by column: Σ r²/m. */
export function residualShards(task: ResidualTask): void {
  const { share, bounds, values, byFeature, products, direction, diagonal, regularization, lengths, sums } = task
  const { padded } = share.layout
  const product = new Float64Array(padded)
  for (const shard of takeInPlace(task)) {
    const sum = sums.subarray(shard * padded, (shard + 1) * padded).fill(0)
    for (let f = bounds[2 * shard]; f < bounds[2 * shard + 1]; f++) {
      const inverse = 1 / diagonal[f]
      sumFeatures(product, byFeature, byFeature.indptr[f], byFeature.indptr[f + 1], products)
      lowerRow(values, product, direction, f * padded, regularization, lengths, inverse, sum)
    }
  }
}

/** r -= α (p + λ_B d) for the row at `at`; r²/m to the sums. */
function lowerRow(
  values: Float32Array,
  product: Float64Array,
  direction: Float32Array,
  at: number,
  regularization: number,
  lengths: Float64Array,
  inverse: number,
  sum: Float64Array,
): void {
  for (let j = 0; j < lengths.length; j++) {
    const r = values[at + j] - lengths[j] * (product[j] + regularization * direction[at + j])
    values[at + j] = r
    sum[j] += r * r * inverse
  }
}

/** D = R/M + D·diag(β) */
export interface DirectionTask extends StepTask {
  readonly residual: Float32Array
  readonly diagonal: Float64Array
  /** β, by column. */
  readonly shares: Float64Array
}

/** Worker task: the next direction in place. Sums, by column: Σ d². */
export function directionShards(task: DirectionTask): void {
  const { share, bounds, values, residual, diagonal, shares, sums } = task
  const { padded } = share.layout
  for (const shard of takeInPlace(task)) {
    const sum = sums.subarray(shard * padded, (shard + 1) * padded).fill(0)
    for (let f = bounds[2 * shard]; f < bounds[2 * shard + 1]; f++) {
      const inverse = 1 / diagonal[f]
      turnRow(values, residual, f * padded, inverse, shares, sum)
    }
  }
}

/** d = r/m + β d for the row at `at`; d² to the sums. */
function turnRow(
  values: Float32Array,
  residual: Float32Array,
  at: number,
  inverse: number,
  shares: Float64Array,
  sum: Float64Array,
): void {
  for (let j = 0; j < shares.length; j++) {
    const d = residual[at + j] * inverse + shares[j] * values[at + j]
    values[at + j] = d
    sum[j] += d * d
  }
}
