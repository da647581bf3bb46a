import type { KernelName } from '../kernel/instantiate.ts'
import type { InteractionMatrix } from '../matrix/interaction-matrix.ts'
import type { WorkerPool } from '../pool/worker-pool.ts'
import type { GroupLimit } from './limit-groups.ts'
import type { RowFilter } from './row-filter.ts'

export interface RecommenderOptions {
  /** What users have already: left out of their recommendations unless `exclude` says otherwise. */
  interactions?: InteractionMatrix
  /** Threads to use; without it the recommender starts its own and ends them on `close`. */
  pool?: WorkerPool
  /** Number of threads of an own pool. Default: all cores. */
  threads?: number
  /** 'simd' or 'relaxed'; results are the same. Default: what the engine has. */
  kernel?: KernelName
}

/** Which rows a list may hold, and how many. */
export interface RankOptions extends RowFilter {
  /** Length of each list. Default: 10. */
  limit?: number
  /**
   * Weight β of a penalty on popularity: scores become score - β·ln(1 + interactions of the row). Default: 0. Useful
   * values are a few hundredths. Exact, like everything here, but it prunes less.
   */
  popularityPenalty?: number
  /** At most `max` rows of one group (an artist, a label) in a list. */
  perGroup?: GroupLimit
  /** Ends the call between two runs of queries; the promise rejects with the signal's reason. */
  signal?: AbortSignal
}

/** What a list holds where the model says nothing: a user without training entries, a newcomer without known items. */
export interface FallbackOptions {
  /**
   * 'mostPopular': the rows with the most `interactionCounts` that the other options let pass, their counts as scores.
   * 'none' (default): nothing, the list is empty.
   */
  fallback?: 'none' | 'mostPopular'
}

export interface RecommendOptions extends RankOptions, FallbackOptions {
  /**
   * Users' items that are left out: those of a matrix, those of the recommender's `interactions` (true), or none (false).
   * Default: true when there are `interactions`.
   */
  exclude?: InteractionMatrix | boolean
}

/** The geometry in which items are alike; docs/serving.md says which to use for what. */
export interface MetricOptions {
  /**
   * 'cosine': the angle between item factors, for "more like this" and long tails. 'taste': what the model would recommend to
   * a user who has these items (`tasteSpace`), for "for you". 'dot': the inner product of item factors.
   */
  metric?: 'cosine' | 'taste' | 'dot'
  /**
   * With 'taste': item vectors are divided by their length to this power, from 0 (default) to 1, which leads from what the
   * model recommends to less popular items. Values above 0 need an index of their own, made at first use: 7 bytes per
   * factor and item; the last value's is kept.
   */
  lengthExponent?: number
}

export interface SimilarOptions extends RankOptions, MetricOptions {
  /** Whether a row may be in its own list. Default: false. */
  includeSelf?: boolean
}

/** `metric` is 'taste' by default. */
export interface BlendOptions extends RankOptions, MetricOptions {}

export const RECOMMENDER_NAMES: Readonly<Record<keyof RecommenderOptions, true>> = {
  interactions: true,
  pool: true,
  threads: true,
  kernel: true,
}

type ListOptions = RecommendOptions & SimilarOptions & BlendOptions

/** Of all calls that make lists. */
export const LIST_NAMES: Readonly<Record<keyof ListOptions, true>> = {
  limit: true,
  popularityPenalty: true,
  perGroup: true,
  signal: true,
  exclude: true,
  fallback: true,
  metric: true,
  lengthExponent: true,
  includeSelf: true,
  allow: true,
  deny: true,
  where: true,
  interactionCount: true,
}

export const METRIC_NAMES: Readonly<Record<keyof MetricOptions, true>> = { metric: true, lengthExponent: true }
