import type { FeatureMatrix } from '../features/feature-matrix.ts'
import type { FeatureProducts } from '../features/feature-products.ts'
import { transpose } from '../matrix/compressed-rows.ts'
import type { CompressedRows } from '../matrix/interaction-matrix.ts'
import { lambdaOf, rowLambda } from '../model/objective.ts'
import type { ModelOptions } from '../model/options.ts'
import { sharedFloat32, sharedFloat64 } from '../pool/shared-arrays.ts'
import { padFactors } from './layout.ts'
import { planSolveShards, type Shards } from './plan-shards.ts'

/**
 * The map from a side's features to its factors, B (features × k): the ridge regression of the factors Y on the features G,
 * Σ λ_i |y_i - Bᵀg_i|² + λ_B|B|² over the rows i that have entries, and what its conjugate gradients keep.
 */
export interface FeatureMap extends FeatureProducts {
  /** Gᵀ: features × rows. */
  readonly byFeature: CompressedRows & { readonly values: Float32Array<SharedArrayBuffer> }
  /** λ_i of each row; 0 for one without entries, which carries no evidence. */
  readonly weights: Float64Array<SharedArrayBuffer>
  /** λ_B */
  readonly regularization: number
  /** Diagonal of GᵀΛG + λ_B·I, the preconditioner; 0 for a feature of no row with entries, whose vector is zero. */
  readonly diagonal: Float64Array<SharedArrayBuffer>
  /** features × padded: the residual of the normal equations, and the direction of the step. */
  readonly residual: Float32Array<SharedArrayBuffer>
  readonly direction: Float32Array<SharedArrayBuffer>
  /** rows × padded: what a product with G has given, times λ_i. */
  readonly products: Float32Array<SharedArrayBuffer>
  /** Runs of features. */
  readonly featureShards: Shards
  /** |B|² */
  squaredNorm: number
}

/** A map as it was, features × padded. */
export interface FeatureMapStart {
  readonly vectors: Float32Array<SharedArrayBuffer>
  /** |B|², if known: a training that resumes goes on from the same sum. */
  readonly squaredNorm?: number
}

/**
 * The map of a side before its first fit: zero, or from `start` (features × padded, used in place).
 *
 * @param sparse the side's interactions, `others` the number of rows of the other side
 */
export function makeFeatureMap(
  matrix: FeatureMatrix,
  { indptr }: Pick<CompressedRows, 'indptr'>,
  others: number,
  options: ModelOptions,
  start?: FeatureMapStart,
): FeatureMap {
  const padded = padFactors(options.factors)
  const byFeature = transpose(matrix, matrix.features) as FeatureMap['byFeature']
  const weights = rowWeights(indptr, others, options)
  const regularization = options.featureRegularization ?? meanWeight(weights)
  const vectors = start?.vectors ?? sharedFloat32(matrix.features * padded)
  const diagonal = diagonalOf(byFeature, weights, regularization)
  // A feature without evidence keeps nothing of what it may have had in an earlier model.
  for (let f = 0; start && f < matrix.features; f++) {
    if (diagonal[f] === 0) vectors.fill(0, f * padded, (f + 1) * padded)
  }
  return {
    // Not the names, which threads have no use for.
    matrix: { indptr: matrix.indptr, indices: matrix.indices, values: matrix.values },
    byFeature,
    weights,
    regularization,
    vectors,
    diagonal,
    residual: sharedFloat32(matrix.features * padded),
    direction: sharedFloat32(matrix.features * padded),
    products: sharedFloat32(matrix.rows * padded),
    featureShards: planSolveShards(byFeature.indptr),
    squaredNorm: start ? (start.squaredNorm ?? sumOfSquares(vectors)) : 0,
  }
}

/** λ of each row, 0 for rows without entries. */
function rowWeights(indptr: Float64Array, others: number, options: ModelOptions): Float64Array<SharedArrayBuffer> {
  const lambda = rowLambda(options, others)
  const weights = sharedFloat64(indptr.length - 1)
  for (let r = 0; r < weights.length; r++) {
    const n = indptr[r + 1] - indptr[r]
    if (n > 0) weights[r] = lambdaOf(lambda, n)
  }
  return weights
}

/** Mean over the rows that have entries. */
function meanWeight(weights: Float64Array): number {
  let sum = 0
  let active = 0
  for (let r = 0; r < weights.length; r++) {
    if (weights[r] === 0) continue
    sum += weights[r]
    active++
  }
  return active > 0 ? sum / active : 0
}

function diagonalOf(
  { indptr, indices, values }: FeatureMap['byFeature'],
  weights: Float64Array,
  regularization: number,
): Float64Array<SharedArrayBuffer> {
  const diagonal = sharedFloat64(indptr.length - 1)
  for (let f = 0; f < diagonal.length; f++) {
    let sum = 0
    for (let e = indptr[f]; e < indptr[f + 1]; e++) sum += weights[indices[e]] * values[e] ** 2
    if (sum > 0) diagonal[f] = sum + regularization
  }
  return diagonal
}

function sumOfSquares(values: Float32Array): number {
  let sum = 0
  for (let at = 0; at < values.length; at++) sum += values[at] * values[at]
  return sum
}
