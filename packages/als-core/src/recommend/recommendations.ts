import type { IdColumn } from '../matrix/interaction-matrix.ts'

/** Ranked lists, best first, one for each query. */
export interface Recommendations {
  /** Number of lists. */
  readonly queries: number
  /** Room of each list: list q begins at q × limit in `rows` and `scores`. */
  readonly limit: number
  /** Results in each list; fewer than `limit` where fewer are allowed. */
  readonly counts: Uint32Array
  /** Row numbers; 0 past a list's count. */
  readonly rows: Uint32Array
  /** Inner products or cosines, falling within a list; 0 past a list's count. */
  readonly scores: Float32Array
  /** Original ids of list `query`, or its row numbers where the model has no ids. */
  ids(query: number): (number | string)[]
  /** List `query` as pairs, for printing and for loops that need no typed arrays. */
  list(query: number): { row: number; id: number | string; score: number }[]
}

/** Puts the arrays of a result behind the interface. */
export function createRecommendations(
  limit: number,
  counts: Uint32Array,
  rows: Uint32Array,
  scores: Float32Array,
  ids: IdColumn | undefined,
): Recommendations {
  const idOf = (row: number): number | string => ids?.at(row) ?? row
  const range = (query: number): { from: number; to: number } => {
    if (!(query >= 0 && query < counts.length)) {
      throw new RangeError(`There is no list ${query}: this result has ${counts.length}, from 0.`)
    }
    return { from: query * limit, to: query * limit + counts[query] }
  }
  return {
    queries: counts.length,
    limit,
    counts,
    rows,
    scores,
    ids(query) {
      const { from, to } = range(query)
      return Array.from(rows.subarray(from, to), idOf)
    },
    list(query) {
      const { from, to } = range(query)
      return Array.from(rows.subarray(from, to), (row, i) => {
        const id = idOf(row)
        const score = scores[from + i]
        return { row, id, score }
      })
    },
  }
}
