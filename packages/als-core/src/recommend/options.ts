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

/** Which rows a list may hold and how many. */
export interface RankOptions extends RowFilter {
  /** Length of each list. Default: 10. */
  limit?: number
  /**
   * Weight β of a penalty on popularity: scores become score - β·ln(1 + interactions of the row). Default: 0. Useful
   * values are a few hundredths. Exact, like everything here, but it prunes less.
   */
  popularityPenalty?: number
  /** At most `most` rows of one group (an artist, a label) in a list. */
  perGroup?: GroupLimit
  /** Ends the call between two runs of queries; the promise rejects with the signal's reason. */
  signal?: AbortSignal
}

export interface RecommendOptions extends RankOptions {
  /**
   * Users' items that are left out: those of a matrix, those of the recommender's `interactions` (true), or none (false).
   * Default: true when there are `interactions`.
   */
  exclude?: InteractionMatrix | boolean
}

export interface SimilarOptions extends RankOptions {
  /** Whether a row may be in its own list. Default: false. */
  includeSelf?: boolean
}

export interface BlendOptions extends RankOptions {
  /** As the collection in Qdrant is set up. Default: 'cosine'. */
  metric?: 'cosine' | 'dot'
}
