import type { IdColumn, InteractionMatrix } from '../matrix/interaction-matrix.ts'

/** One place of a list. A class for the reason that `RankingMetrics` gives. */
export class Recommendation {
  readonly row: number
  /** Original id, or the row number where there are none. */
  readonly id: number | string
  readonly score: number

  constructor(row: number, id: number | string, score: number) {
    this.row = row
    this.id = id
    this.score = score
  }
}

/** One ranked list, best first; iterates over its places. */
export interface Recommendations extends Iterable<Recommendation> {
  readonly length: number
  /** Row numbers. */
  readonly rows: Uint32Array
  /** Original ids, or the row numbers where there are none. */
  readonly ids: readonly (number | string)[]
  /** Inner products or cosines, in descending order. */
  readonly scores: Float32Array
}

/** The ranked lists of a batch, one per query, in two flat arrays; iterates over the lists. */
export interface RecommendationBatch extends Iterable<Recommendations> {
  /** Number of lists. */
  readonly length: number
  /** Room of each list: list q begins at q × limit in `rows` and `scores`. */
  readonly limit: number
  /** Length of each list: less than `limit` where fewer rows may be recommended. */
  readonly counts: Uint32Array
  /** Row numbers; 0 past the end of a list. */
  readonly rows: Uint32Array
  /** Inner products or cosines, in descending order within a list; 0 past its end. */
  readonly scores: Float32Array
  /** List `query`. @throws RangeError when there is none. */
  at(query: number): Recommendations
}

/** Anything that ranks items for users by row: a `Recommender`, `mostPopular`, `itemNeighbours`, or one of your own. */
export interface RecommendationSource {
  /** The best items of each user, without those in `exclude`. */
  recommend(
    users: Uint32Array,
    options: SourceOptions,
  ): Promise<Pick<RecommendationBatch, 'limit' | 'counts' | 'rows' | 'scores'>>
}

/** What `evaluate` asks of a source. */
export interface SourceOptions {
  limit: number
  /** A matrix whose rows are left out, users × items as in training. */
  exclude: InteractionMatrix
  /** Only these items may be listed. Default: all. */
  allow?: ArrayLike<number>
  signal?: AbortSignal
}

/** Puts the arrays of a result behind the interface. */
export function createBatch(
  limit: number,
  counts: Uint32Array,
  rows: Uint32Array,
  scores: Float32Array,
  ids: IdColumn | undefined,
): RecommendationBatch {
  return {
    length: counts.length,
    limit,
    counts,
    rows,
    scores,
    at(query) {
      if (!(query >= 0 && query < counts.length)) {
        throw new RangeError(`query is ${query}, expected a list of this batch, from 0 to ${counts.length - 1}.`)
      }
      const from = query * limit
      const to = from + counts[query]
      return createList(rows.slice(from, to), scores.slice(from, to), ids)
    },
    *[Symbol.iterator]() {
      for (let query = 0; query < counts.length; query++) yield this.at(query)
    },
  }
}

function createList(rows: Uint32Array, scores: Float32Array, ids: IdColumn | undefined): Recommendations {
  const listed = Array.from(rows, (row) => ids?.at(row) ?? row)
  return {
    length: rows.length,
    rows,
    ids: listed,
    scores,
    *[Symbol.iterator]() {
      for (let n = 0; n < rows.length; n++) yield new Recommendation(rows[n], listed[n], scores[n])
    },
  }
}
