/**
 * Vectors and payloads to a Qdrant collection behind an alias, and queries to it.
 *
 * @module @seesaw/qdrant-sink
 */
export { PublishError, type PublishErrorDetails, SupersededError } from './errors.ts'
export { type CollectGarbageOptions, collectGarbage, type Garbage, type GarbageReport } from './generation/garbage.ts'
export { type Generation, type GenerationsOptions, generations } from './generation/generations.ts'
export type { Owner } from './generation/owner.ts'
export type { GenerationRecord } from './generation/record.ts'
export { type Rollback, type RollbackOptions, rollback } from './generation/rollback.ts'
export { checkIds } from './points/check-ids.ts'
export type { Payload, Payloads } from './points/payload.ts'
export { type Id, type Ids, itemPoint, POINT_NAMESPACE, type PointId } from './points/point-id.ts'
export type {
  Distance,
  NamedVectorBatch,
  NamedVectorStream,
  NamedVectors,
  VectorBatch,
  VectorData,
  VectorInput,
  VectorShape,
  VectorStream,
  Vectors,
} from './points/vectors.ts'
export type { PublishWarning } from './publish/inspect.ts'
export type {
  CollectionParameters,
  PayloadIndexes,
  PublishedPoints,
  PublishOptions,
  VectorParameters,
} from './publish/options.ts'
export { type PlannedVectors, type Preflight, type PreflightOptions, preflight } from './publish/preflight.ts'
export type { Phase, PublishProgress } from './publish/progress.ts'
export { type Publication, publish } from './publish/publish.ts'
export {
  atLeastAsPopularAs,
  type Bounds,
  type Condition,
  type Filter,
  type FilterSpecification,
  filter,
  hasId,
  isEmpty,
  match,
  matchAny,
  matchExcept,
  range,
  rarerThan,
  type Value,
} from './query/filter.ts'
export {
  type Group,
  type GroupOptions,
  Index,
  type QueryOptions,
  type ScoredPoint,
  type ScrollOptions,
} from './query/queries.ts'
export {
  type BlendOptions,
  blend,
  crowdFavourites,
  type Example,
  type ForUserOptions,
  forUser,
  hiddenGems,
  type QueryRequest,
  type RequestOptions,
  type Rescore,
  type SimilarOptions,
  type Strategy,
  similar,
} from './query/request.ts'
export type { ServerOptions } from './server/connection.ts'
export { ServerError, type ServerErrorDetails } from './server/errors.ts'
export type { RetryOptions } from './server/retry.ts'
