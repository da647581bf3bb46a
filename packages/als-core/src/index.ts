/**
 * Implicit-feedback matrix factorization: a sparse matrix in; factors, exact lists and their evaluation out.
 *
 * @module @seesaw/als-core
 */
export { OptionError } from './checks/option-error.ts'
export type { Baseline, BaselineOptions } from './evaluate/baseline.ts'
export { contentNeighbours } from './evaluate/content-neighbours.ts'
export {
  type EvaluateOptions,
  type Evaluation,
  evaluate,
  type ItemGroup,
  type UserCounts,
} from './evaluate/evaluate.ts'
export { evaluateItemGroups, type ItemGroupFigures, type ItemGroupOptions } from './evaluate/evaluate-item-groups.ts'
export {
  answerInProcess,
  type EvaluateServingOptions,
  evaluateServing,
  type ServingFigures,
  type ServingIndex,
} from './evaluate/evaluate-serving.ts'
export { type ItemNeighboursOptions, itemNeighbours } from './evaluate/item-neighbours.ts'
export { mostPopular } from './evaluate/most-popular.ts'
export { randomItems } from './evaluate/random-items.ts'
export type { RankingMetrics } from './evaluate/ranking-metrics.ts'
export type { QuestionOptions, ServingQuestion, ServingQuestionKind } from './evaluate/serving-questions.ts'
export {
  type HeldOutUsers,
  holdOutUsers,
  leaveKOut,
  type Split,
  type SplitOptions,
  splitByTime,
  splitRandomly,
  type TimedMatrix,
} from './evaluate/split.ts'
export { type ColdItemsOptions, type ColdItemsSplit, splitColdItems } from './evaluate/split-cold-items.ts'
export {
  type DenseFeatures,
  type FeatureMatrix,
  type FeatureNames,
  featuresFromCsr,
  featuresFromDense,
  type SparseFeatures,
} from './features/feature-matrix.ts'
export type { FeatureRecord } from './features/feature-names.ts'
export { FeatureRows } from './features/feature-rows.ts'
export type { FeatureSpec, FieldKind, ResolvedFeatureSpec } from './features/feature-spec.ts'
export { type FeatureRow, FeatureVocabulary, type SavedVocabulary } from './features/feature-vocabulary.ts'
export { FeatureCounter, featuresFrom } from './features/features-from.ts'
export type { KernelName } from './kernel/instantiate.ts'
export { MatrixError } from './matrix/compressed-rows.ts'
export { type CsrInput, type DuplicatePolicy, matrixFromCsr } from './matrix/from-csr.ts'
export { matrixFromTriplets, type Triplets } from './matrix/from-triplets.ts'
export type { CompressedRows, IdColumn, InteractionMatrix } from './matrix/interaction-matrix.ts'
export { type Interactions, type InteractionsOptions, interactionsFrom } from './matrix/interactions-from.ts'
export type { NumericArray } from './matrix/numbers.ts'
export type { ArrowRows, ColumnRows, RowFields, RowStream, Rows } from './matrix/read-rows.ts'
export { type PopularityWeights, weightByPopularity } from './matrix/weight-items.ts'
export type { AlsModel, FeatureVectors, IterationReport, PhaseSeconds } from './model/als-model.ts'
export { writeNpyFactors } from './model/factors-npy.ts'
export type { InputIds } from './model/id-column.ts'
export { readImplicitModel, writeImplicitModel } from './model/implicit-model.ts'
export { type LoadModelOptions, loadModel } from './model/load-model.ts'
export { DirectoryLockedError, inOwnDirectory, lockDirectory } from './model/lock-directory.ts'
export { ModelFormatError } from './model/manifest.ts'
export { computeLoss, type ObjectiveOptions } from './model/objective.ts'
export type { ModelOptions, RegularizationScaling } from './model/options.ts'
export { type SaveModelOptions, saveModel } from './model/save-model.ts'
export { type ModelStream, saveModelStream } from './model/save-model-stream.ts'
export { readScipyMatrix, type ScipyMatrixOptions, writeScipyMatrix } from './model/scipy-matrix.ts'
export type { SideBatch } from './model/write-side.ts'
export { createWorkerPool, type WorkerPool, type WorkerPoolOptions } from './pool/worker-pool.ts'
export type { Examples } from './recommend/average-vectors.ts'
export type { Contribution, Explanation } from './recommend/explain.ts'
export type { BlendExplanation } from './recommend/explain-blend.ts'
export type { History } from './recommend/fold-in-histories.ts'
export type { FeatureContribution, KnownFeatures } from './recommend/known-features.ts'
export type { GroupLimit } from './recommend/limit-groups.ts'
export type {
  BlendOptions,
  FallbackOptions,
  MetricOptions,
  RankOptions,
  RecommenderOptions,
  RecommendOptions,
  SimilarOptions,
} from './recommend/options.ts'
export { type FeatureBatches, itemVectors, userVectors, vectorFor } from './recommend/predicted-vectors.ts'
export type { RecommendAllOptions, RecommendAllResult } from './recommend/recommend-all.ts'
export type {
  Recommendation,
  RecommendationBatch,
  RecommendationSource,
  Recommendations,
  SourceOptions,
} from './recommend/recommendations.ts'
export { Recommender } from './recommend/recommender.ts'
export { RequestError, type RequestErrorCode } from './recommend/request-error.ts'
export type { RowFilter } from './recommend/row-filter.ts'
export type { RowOrId, RowsOrIds } from './recommend/side-rows.ts'
export {
  type StreamedItems,
  type TasteSpace,
  type TasteSpaceOptions,
  type TasteVectorsOptions,
  tasteSpace,
} from './recommend/taste-space.ts'
export { SingularError } from './solve/basis.ts'
export { RowError } from './solve/row-system.ts'
export { CheckpointError } from './train/checkpoint.ts'
export { type FoldInOptions, foldInItems, foldInUsers } from './train/fold-in.ts'
export type {
  CheckpointOptions,
  InitialFactors,
  TrainOptions,
  TrainProgress,
  ValidationMetric,
  ValidationOptions,
} from './train/options.ts'
export { type FeatureSize, type MemoryInput, type MemoryPlan, planMemory } from './train/plan-memory.ts'
export { train } from './train/train.ts'
export { TrainingAborted } from './train/training-aborted.ts'
export type { Choices, Parameters, SearchSpace } from './tune/parameters.ts'
export { type Recommended, recommendedOptions } from './tune/recommended-options.ts'

export { type TuneOptions, type TuneResult, type TuneRun, tune } from './tune/tune.ts'
export { tuneTable } from './tune/tune-table.ts'
