import type { InteractionMatrix } from '../matrix/interaction-matrix.ts'
import { sharedFloat32, sharedUint32 } from '../pool/shared-arrays.ts'
import { createBatch, type RecommendationBatch, type RecommendationSource } from '../recommend/recommendations.ts'

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

/** A list under way: items in descending order of score. */
export interface BaselineList {
  readonly rows: Uint32Array
  readonly scores: Float32Array
}

/** A list for each of the users, on this thread. `rank` fills in one user's list and returns its length. */
export async function recommendEach(
  users: ArrayLike<number>,
  width: number,
  signal: AbortSignal | undefined,
  rank: (user: number, list: BaselineList) => number,
): Promise<RecommendationBatch> {
  const rows = sharedUint32(users.length * width)
  const scores = sharedFloat32(users.length * width)
  const counts = sharedUint32(users.length)
  for (let q = 0; q < users.length; q++) {
    signal?.throwIfAborted()
    const [from, to] = [q * width, (q + 1) * width]
    counts[q] = rank(users[q], { rows: rows.subarray(from, to), scores: scores.subarray(from, to) })
  }
  return createBatch(width, counts, rows, scores, undefined)
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
