import { OptionError } from '../checks/option-error.ts'
import type { RankedRows, RankRequest } from '../rank/ranker.ts'
import type { GroupLimit } from './limit-groups.ts'

/** What fills the lists of cold queries: the rows that may be recommended, by how many interactions they have. */
export interface MostPopularRows {
  /** Interactions of each row: its score. */
  readonly counts: ArrayLike<number>
  /** 1 for each row that may be recommended; absent: all. */
  readonly allowed: Uint8Array | undefined
  readonly perGroup: GroupLimit | undefined
}

/**
 * The queries whose vector is zero, such as users without training entries: every score would be 0, and the order that of
 * the rows.
 *
 * @throws RangeError (OptionError for a vector of the caller) when one is not finite, or beyond 1e27 as in `buildRankingIndex`: its scores would not be numbers
 */
export function findColdQueries(
  { vectors, vectorRows, queries }: Pick<RankRequest, 'vectors' | 'vectorRows' | 'queries'>,
  k: number,
): number[] {
  const cold: number[] = []
  for (let query = 0; query < queries; query++) {
    const from = (vectorRows?.[query] ?? query) * k
    let largest = 0
    for (let at = from; at < from + k; at++) {
      const size = Math.abs(vectors[at])
      if (!(size < 2 ** 90)) {
        const which = vectorRows ? `row ${vectorRows[query]}` : `vector ${query}`
        const message = `The query's ${which} holds ${vectors[at]}, expected finite numbers below 1e27.`
        // A row is the model's, a vector the caller's.
        throw vectorRows ? new RangeError(message) : new OptionError(message)
      }
      if (size > largest) largest = size
    }
    if (largest === 0) cold.push(query)
  }
  return cold
}

/** Empties the lists of cold queries, or fills them with the most popular rows, in descending order of interactions. */
export function replaceColdLists(
  { rows, scores, counts }: RankedRows,
  width: number,
  cold: readonly number[],
  { excluded }: Pick<RankRequest, 'excluded'>,
  popular: MostPopularRows | undefined,
): void {
  const order = popular && byInteractions(popular)
  for (const query of cold) {
    const from = query * width
    rows.fill(0, from, from + width)
    scores.fill(0, from, from + width)
    counts[query] = 0
    if (!popular || !order) continue
    const list = excluded?.lists?.[query] ?? query
    const own = new Set(excluded?.indices.subarray(excluded.indptr[list], excluded.indptr[list + 1]))
    const ofGroup = new Map<number | string, number>()
    for (const row of order) {
      if (counts[query] === width) break
      if (own.has(row) || isFull(ofGroup, row, popular.perGroup)) continue
      rows[from + counts[query]] = row
      scores[from + counts[query]++] = popular.counts[row]
    }
  }
}

/** Rows with the same number of interactions stand in ascending order. */
function byInteractions({ counts, allowed }: MostPopularRows): Uint32Array {
  const rows = Uint32Array.from({ length: counts.length }, (_, row) => row)
  const able = allowed ? rows.filter((row) => allowed[row] === 1) : rows
  return able.sort((a, b) => counts[b] - counts[a] || a - b)
}

/** Counts the row into its group, unless that is full. */
function isFull(taken: Map<number | string, number>, row: number, limit: GroupLimit | undefined): boolean {
  if (!limit) return false
  const group = limit.groups[row]
  const before = taken.get(group) ?? 0
  if (before === limit.max) return true
  taken.set(group, before + 1)
  return false
}
