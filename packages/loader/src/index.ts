/**
 * Parquet on a disk or in S3 to a sparse matrix, in two passes.
 *
 * @module @seesaw/loader
 */
export { LoadError, type LoadErrorCode, type LoadErrorPlace } from './errors.ts'
export { type IntegerIds, StringColumn } from './ids/id-column.ts'
export type { IdKind } from './ids/keys.ts'
export { type CatalogueOptions, type ItemsPlan, type PlanItemsOptions, planItems } from './items/plan-items.ts'
export { type ItemRow, type ReadItemsOptions, readItems } from './items/read-items.ts'
export { type LoadedInteractions, loadInteractions, type RareItems } from './load-interactions.ts'
export type {
  Confidence,
  ConfidenceTable,
  LoadOptions,
  Merge,
  SourceOptions,
  TimeOptions,
} from './options.ts'
export type { MemoryPlan } from './plan/memory.ts'
export type { DiskPlan } from './plan/plan-disk.ts'
export { type LoadPlan, type PlannedFile, type PlannedIds, type PlannedSource, planLoad } from './plan/plan-load.ts'
export type { LoadProgress } from './progress.ts'
export type { IdStats, LoadStats, SourceStats } from './statistics.ts'
export type { S3Credentials, S3Options } from './storage/connection.ts'
export type { LeftOut, LeftOutReason } from './storage/listing.ts'
export {
  type ReadVectorsOptions,
  readVectors,
  type VectorFiles,
  type VectorFilesBatch,
} from './vectors/read-vectors.ts'
