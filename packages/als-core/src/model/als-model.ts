import type { FeatureNames } from '../features/feature-matrix.ts'
import type { FeatureVocabulary } from '../features/feature-vocabulary.ts'
import type { IdColumn, InteractionMatrix } from '../matrix/interaction-matrix.ts'
import type { PopularityWeights } from '../matrix/weight-items.ts'
import type { ModelOptions } from './options.ts'

/** Seconds spent in the phases of an iteration. */
export interface PhaseSeconds {
  /** FᵀF of the fixed side. */
  gram: number
  /** The change of basis and its k×k products: eigen-decomposition, or Cholesky where one λ serves all rows. */
  basis: number
  /** The fixed side, brought to the new basis. */
  transform: number
  /** The rows. */
  solve: number
  /** The maps from features to factors; 0 without features. */
  features: number
}

/** What one iteration did. */
export interface IterationReport {
  /** From 1. */
  iteration: number
  /** The objective after the iteration, over all users × items pairs. */
  loss: number
  seconds: number
  phases: PhaseSeconds
  /** Rows solved, users and items. */
  rows: number
  rowsPerSecond: number
  /** Entries of both half-sweeps a second. */
  entriesPerSecond: number
  /** Conjugate-gradient steps per row, on average. */
  stepsPerRow: number
  /** The validation metric after the iteration, where it was measured. */
  validation?: number
}

/** What a training learned of the features of one side: a row of features g is expected to have the factors Bᵀg. */
export interface FeatureVectors {
  /** What each feature is, by row of `vectors`. */
  readonly names: FeatureNames
  /** B: features × factors, row-major. Zero for a feature of no row that has entries. */
  readonly vectors: Float32Array<SharedArrayBuffer>
  /** What makes a row of a record, where the features were made of records. */
  readonly vocabulary?: FeatureVocabulary
  /** λ_B, as given or by default. */
  readonly regularization: number
}

/** Factors of users and items whose inner products score a pair. */
export interface AlsModel {
  /** Length k of a factor vector. */
  readonly factors: number
  readonly users: number
  readonly items: number
  /** users × factors, row-major. */
  readonly userFactors: Float32Array<SharedArrayBuffer>
  /** items × factors, row-major. */
  readonly itemFactors: Float32Array<SharedArrayBuffer>
  readonly userIds?: IdColumn
  readonly itemIds?: IdColumn
  /** Of a training with `userFeatures` and `itemFeatures`. */
  readonly userFeatures?: FeatureVectors
  readonly itemFeatures?: FeatureVectors
  /** Interactions of each item in the data it was trained on. */
  readonly interactionCounts?: Uint32Array
  /** What `popularityExponent` multiplied the values of each item by; absent without it. */
  readonly itemWeights?: Float32Array<SharedArrayBuffer>
  /** The weights as a function of the number of entries, for items that are folded in. */
  readonly popularityWeights?: PopularityWeights
  /** Mean λ of the users who have entries, as regularizationScaling made them: what `tasteSpace` takes. */
  readonly userRegularization?: number
  /** What users have, of a model that was saved with it: left out of their recommendations. */
  readonly interactions?: InteractionMatrix
  readonly options: ModelOptions
  /** One report per iteration. */
  readonly history: readonly IterationReport[]
}
