/** What became of the rows of one source. Each row is counted once: rows = the drops + `counted`. */
export interface SourceStats {
  readonly name: string
  readonly files: number
  readonly rows: number
  readonly nullIds: number
  readonly negativeIds: number
  readonly notSampled: number
  readonly outsideWindow: number
  /** Rows whose value has no confidence: ratings of 1 and 2, nulls, weights that are not above 0. */
  readonly withoutConfidence: number
  /** Rows that count as activity: the sum of the three below. */
  readonly counted: number
  readonly inactiveUser: number
  readonly inactiveItem: number
  /** Rows that went into the matrix, before merging; with `rareItems` into either of the two. */
  readonly used: number
}
