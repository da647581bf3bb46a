import type { InteractionMatrix } from '../matrix/interaction-matrix.ts'
import type { RecommendationBatch, RecommendationSource } from '../recommend/recommendations.ts'

/** A way to recommend that a model has to be better than. It recommends as a `Recommender` does, on this thread. */
export interface Baseline extends RecommendationSource {
  /** The best items of each user (row number). */
  recommend(users: ArrayLike<number>, options?: BaselineOptions): Promise<RecommendationBatch>
}

export interface BaselineOptions {
  /** Length of each list. Default 10. */
  limit?: number
  /** What is left out: the rows of a matrix, or nothing (false). Default: what the users have in training. */
  exclude?: InteractionMatrix | false
  /** Only these items may be listed. Default: all. */
  allow?: ArrayLike<number>
  signal?: AbortSignal
}

/** Items that a user's list leaves out. */
export function excludedRows(
  train: InteractionMatrix,
  exclude: BaselineOptions['exclude'] = train,
  user: number,
): Uint32Array {
  if (!exclude) return new Uint32Array(0)
  const { indptr, indices } = exclude.csr
  return indices.subarray(indptr[user], indptr[user + 1])
}

/** 1 for each item that may be listed, by item; undefined where all may. */
export function allowedItems(items: number, allow: ArrayLike<number> | undefined): Uint8Array | undefined {
  if (!allow) return undefined
  const allowed = new Uint8Array(items)
  for (let i = 0; i < allow.length; i++) allowed[allow[i]] = 1
  return allowed
}
