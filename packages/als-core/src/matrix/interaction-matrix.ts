/**
 * One orientation of a sparse matrix in compressed rows (CSR when rows are users, CSC when rows are items), every
 * array on a SharedArrayBuffer so that worker threads read it in place.
 */
export interface CompressedRows {
  /** rows + 1 offsets into `indices`. Float64 so that they stay exact past 2^31 entries (up to 2^53). */
  readonly indptr: Float64Array<SharedArrayBuffer>
  /** Column of each entry, ascending within a row, no duplicates. */
  readonly indices: Uint32Array<SharedArrayBuffer>
  /** Value of each entry, or, when the matrix has a `codebook`, its one-byte code, a position in that codebook. */
  readonly values: Float32Array<SharedArrayBuffer> | Uint8Array<SharedArrayBuffer>
}

/**
 * Interactions of users (rows) with items (columns), stored in both orientations.
 *
 * A value r is a strength of preference: positive for "liked", negative for "disliked" (explicit dislike), never 0, NaN
 * or infinite. `train` turns it into a confidence.
 */
export interface InteractionMatrix {
  /** Number of users m. */
  readonly users: number
  /** Number of items n. */
  readonly items: number
  /** Number of stored (user, item) pairs. */
  readonly entries: number
  /** users × items, one row per user. */
  readonly csr: CompressedRows
  /** items × users, one row per item: the transpose of `csr`. */
  readonly csc: CompressedRows
  /** At most 256 distinct values; when present, `values` of both orientations are bytes that index it. */
  readonly codebook?: Float32Array<SharedArrayBuffer>
}

/**
 * Original ids by dense row number. Typed arrays, plain arrays and the loader's string columns all fit.
 */
export interface IdColumn {
  readonly length: number
  at(row: number): number | string | undefined
}
