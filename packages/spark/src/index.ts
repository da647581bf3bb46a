/**
 * The same training on Apache Spark.
 *
 * @module @seesaw/spark
 */
export { SparkError, type SparkErrorCode } from './errors.ts'
export type {
  Confidence,
  MergeOnSparkOptions,
  S3Credentials,
  S3Options,
  SparkOptions,
  SparkSource,
  TrainOnSparkOptions,
} from './options.ts'
export type { SparkPhase, SparkProgress } from './progress.ts'
export {
  mergeOnSpark,
  type SparkEntries,
  type SparkModel,
  type SparkSourceStats,
  trainOnSpark,
} from './train-on-spark.ts'
