import type { FeatureMatrix } from '../features/feature-matrix.ts'
import { transpose } from '../matrix/compressed-rows.ts'
import type { CompressedRows } from '../matrix/interaction-matrix.ts'
import { lambdaOf, rowLambda } from '../model/objective.ts'
import type { ModelOptions } from '../model/options.ts'
import { sharedFloat32, sharedFloat64, sharedUint32 } from '../pool/shared-arrays.ts'
import { type FeatureSlab, makeFeatureSlabs } from './feature-memory.ts'
import type { FeatureRows } from './feature-view.ts'
import { padFactors } from './layout.ts'
import { planSolveShards, SHARD_ROWS, type Shards } from './plan-shards.ts'
import type { Predictions } from './prior.ts'

/**
 * The map from a side's features to its factors, B (features × k): the ridge regression of the factors Y on the features G,
 * Σ λ_i |y_i - Bᵀg_i|² + λ_B|B|² over the rows i that have entries, and what its conjugate gradients keep.
 *
 * A feature of no row with entries has no evidence, and its vector is zero. While it is trained the map is without such features:
 * G and B have a column and a row for each of the others, in the same order. Of two million, twelve a row of 100,000, they are
 * most.
 */
export interface FeatureMap extends Predictions {
  /** G, of rows with entries and features with evidence. */
  readonly matrix: FeatureRows
  /** The features with evidence, ascending. */
  readonly evident: Uint32Array
  /** Gᵀ·Λ: features with evidence × rows. */
  readonly byFeature: FeatureRows
  /** λ_i of each row; 0 for one without entries, which carries no evidence. */
  readonly weights: Float64Array<SharedArrayBuffer>
  /** λ_B */
  readonly regularization: number
  /** 1/m for the diagonal of GᵀΛG + λ_B·I, the preconditioner. */
  readonly inverse: Float64Array<SharedArrayBuffer>
  /** B: room for all features × padded; its first rows are those of the features with evidence. */
  readonly vectors: Float32Array<SharedArrayBuffer>
  /** D, the last step of B: features with evidence × padded. */
  readonly step: Float32Array<SharedArrayBuffer>
  /**
   * G·B, rows × padded: each step adds its part. The half-sweep reads it instead of gathering B, and so does the next fit: a step
   * takes two gathers, where a fit of one step took four.
   */
  readonly predicted: Float32Array<SharedArrayBuffer>
  /** G·D */
  readonly predictedStep: Float32Array<SharedArrayBuffer>
  /** Where a step is gathered from and to. */
  readonly slabs: readonly FeatureSlab[]
  /** Runs of features with evidence, and of rows. */
  readonly featureShards: Shards
  readonly rowShards: Shards
  /** |B|² */
  squaredNorm: number
}

/** A map as it was. */
export interface FeatureMapStart {
  /** Features × padded. */
  readonly vectors: Float32Array<SharedArrayBuffer>
  /** Of a training that resumes, and goes on from the same sums. Its features with evidence are together already. */
  readonly resumed?: Pick<FeatureMap, 'step' | 'predicted' | 'predictedStep' | 'squaredNorm'>
}

/** Where the map's arrays go. */
export interface FeatureMapRoom {
  readonly threads: number
  /** Bytes of a WebAssembly memory. */
  readonly memoryLimit: number
}

/**
 * The map of a side before its first fit: zero, or from `start`, which is used in place. From an earlier model's vectors `predicted`
 * is zero still: see `predictRows`.
 *
 * @param sparse the side's interactions, `others` the number of rows of the other side
 */
export function makeFeatureMap(
  matrix: FeatureMatrix,
  { indptr }: Pick<CompressedRows, 'indptr'>,
  others: number,
  options: ModelOptions,
  { threads, memoryLimit }: FeatureMapRoom,
  start?: FeatureMapStart,
): FeatureMap {
  const padded = padFactors(options.factors)
  const weights = rowWeights(indptr, others, options)
  const regularization = options.featureRegularization ?? meanWeight(weights)
  const evident = withEvidence(matrix, weights)
  const compact = keepFeatures(matrix, weights, evident)
  const byFeature = transpose(compact, evident.length) as FeatureRows
  const inverse = invertDiagonal(byFeature, weights, regularization)
  for (let e = 0; e < byFeature.values.length; e++) byFeature.values[e] *= weights[byFeature.indices[e]]
  const vectors = start?.vectors ?? sharedFloat32(matrix.features * padded)
  if (start && !start.resumed) bringTogether(vectors, evident, padded)
  const size = { features: evident.length, rows: matrix.rows, padded }
  return {
    matrix: compact,
    evident,
    byFeature,
    weights,
    regularization,
    inverse,
    vectors,
    slabs: makeFeatureSlabs(size, threads, memoryLimit, options.kernel),
    featureShards: planSolveShards(byFeature.indptr, SHARD_ROWS / 2),
    rowShards: planSolveShards(compact.indptr, SHARD_ROWS / 2),
    ...(start?.resumed ?? {
      step: sharedFloat32(evident.length * padded),
      predicted: sharedFloat32(matrix.rows * padded),
      predictedStep: sharedFloat32(matrix.rows * padded),
      squaredNorm: sumOfSquares(vectors.subarray(0, evident.length * padded)),
    }),
  }
}

/** B with a row for each feature, zeros where there is no evidence: a copy, or in the map's own memory, which ends with that. */
export function toAllFeatures(
  { vectors, evident }: FeatureMap,
  padded: number,
  own: boolean,
): Float32Array<SharedArrayBuffer> {
  const all = own ? vectors : sharedFloat32(vectors.length)
  if (!own) all.set(vectors.subarray(0, evident.length * padded))
  spreadVectors(all, evident, padded)
  return all
}

/** The rows of `vectors` that have evidence, which are its first, to the places of their features; zeros to the others. */
function spreadVectors(vectors: Float32Array, evident: Uint32Array, padded: number): void {
  for (let at = evident.length - 1; at >= 0 && evident[at] > at; at--) {
    vectors.copyWithin(evident[at] * padded, at * padded, (at + 1) * padded)
    vectors.fill(0, at * padded, (at + 1) * padded)
  }
}

/** The opposite. A feature without evidence keeps nothing of what it may have had in an earlier model. */
function bringTogether(vectors: Float32Array, evident: Uint32Array, padded: number): void {
  evident.forEach((feature, at) => {
    if (feature > at) vectors.copyWithin(at * padded, feature * padded, (feature + 1) * padded)
  })
  vectors.fill(0, evident.length * padded)
}

/** Features that some row with entries has, ascending. */
function withEvidence({ features, indptr, indices, values }: FeatureMatrix, weights: Float64Array): Uint32Array {
  const has = new Uint8Array(features)
  let count = 0
  for (let row = 0; row < weights.length; row++) {
    for (let e = indptr[row]; e < indptr[row + 1]; e++) {
      if (has[indices[e]] === 1 || !(weights[row] * values[e] ** 2 > 0)) continue
      has[indices[e]] = 1
      count++
    }
  }
  const evident = new Uint32Array(count)
  for (let f = 0, at = 0; f < features; f++) if (has[f] === 1) evident[at++] = f
  return evident
}

/** The rows with entries, with the columns of `evident`. */
function keepFeatures(
  { features, indptr, indices, values }: FeatureMatrix,
  weights: Float64Array,
  evident: Uint32Array,
): FeatureRows {
  // One more than the column; 0 for a feature without.
  const columns = new Uint32Array(features)
  evident.forEach((feature, at) => {
    columns[feature] = at + 1
  })
  const offsets = sharedFloat64(indptr.length)
  for (let row = 0; row < weights.length; row++) {
    let kept = 0
    if (weights[row] > 0) for (let e = indptr[row]; e < indptr[row + 1]; e++) if (columns[indices[e]] > 0) kept++
    offsets[row + 1] = offsets[row] + kept
  }
  const keptIndices = sharedUint32(offsets[weights.length])
  const keptValues = sharedFloat32(keptIndices.length)
  for (let row = 0, at = 0; row < weights.length; row++) {
    if (offsets[row + 1] === offsets[row]) continue
    for (let e = indptr[row]; e < indptr[row + 1]; e++) {
      if (columns[indices[e]] === 0) continue
      keptIndices[at] = columns[indices[e]] - 1
      keptValues[at++] = values[e]
    }
  }
  return { indptr: offsets, indices: keptIndices, values: keptValues }
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

function invertDiagonal(
  { indptr, indices, values }: FeatureRows,
  weights: Float64Array,
  regularization: number,
): Float64Array<SharedArrayBuffer> {
  const inverse = sharedFloat64(indptr.length - 1)
  for (let f = 0; f < inverse.length; f++) {
    let sum = regularization
    for (let e = indptr[f]; e < indptr[f + 1]; e++) sum += weights[indices[e]] * values[e] ** 2
    inverse[f] = 1 / sum
  }
  return inverse
}

function sumOfSquares(values: Float32Array): number {
  let sum = 0
  for (let at = 0; at < values.length; at++) sum += values[at] * values[at]
  return sum
}
