import type { RankingIndex } from './ranking-index.ts'

/** Lists of rows to leave out, ascending, in compressed rows; `lists[q]` is query q's list (default: q). */
export interface ExcludedRows {
  readonly indptr: Float64Array
  readonly indices: Uint32Array
  readonly lists?: Uint32Array
}

/** The `to - from` queries of one task; every array is on shared memory. */
export interface RankTask {
  readonly index: RankingIndex
  /** Which of the index's areas this task owns. */
  readonly area: number
  /** Query vectors, k each. */
  readonly vectors: Float32Array
  /** Vector of each query (default: its own number). */
  readonly vectorRows?: Uint32Array
  readonly from: number
  readonly to: number
  /** Only positions in panels [first, last) of the index (default: all). */
  readonly panels?: readonly [first: number, last: number]
  readonly limit: number
  readonly metric: 'dot' | 'cosine'
  readonly excluded?: ExcludedRows
  /** One bit for each position of the index: whether its row may be recommended. */
  readonly mask?: Uint8Array
  /** Weight of ln(1 + interactions), taken off each score. */
  readonly penalty: number
  readonly counts?: ArrayLike<number>
  /** limit × queries. */
  readonly rows: Uint32Array
  readonly scores: Float32Array
  /** Results of each query. */
  readonly found: Uint32Array
}
