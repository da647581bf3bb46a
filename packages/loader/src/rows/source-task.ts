/** A source as the workers see it: every default filled in, every option checked, plain data. */
export interface SourceTask {
  readonly name: string
  readonly user: string
  readonly item: string
  readonly userKind: 'integer' | 'string'
  readonly itemKind: 'integer' | 'string'
  readonly confidence: ConfidenceTask
  readonly time?: TimeTask
  readonly sample: SampleTask
  readonly nulls: 'drop' | 'error'
  readonly negatives: 'drop' | 'error'
  /** Seed of the string fingerprints. */
  readonly seed: number
}

/** `code` is a place in the load's codebook of confidences. */
export type ConfidenceTask =
  | { readonly way: 'constant'; readonly code: number }
  | { readonly way: 'table'; readonly column: string; readonly codes: ReadonlyMap<string | number, number> }
  | {
      readonly way: 'weight'
      readonly column: string
      readonly scale: 'linear' | 'log1p'
      readonly factor: number
      readonly offset: number
    }

export interface TimeTask {
  readonly column: string
  /** Units in a millisecond, where the column is a number; undefined where the source states no unit. */
  readonly perMillisecond?: number
  /** Window [since, until) in milliseconds since 1970; ±Infinity where open. */
  readonly since: number
  readonly until: number
  /** Milliseconds after which a confidence counts half; Infinity for no decay. */
  readonly halfLife: number
  readonly reference: number
}

/** What all rows of a file have because a partition in its path says so (`event=purchase`), in place of a column. */
export interface FixedValues {
  /** For a table of confidences: the code, or -1 where the value has none. */
  readonly code?: number
  /** For weighted confidences. */
  readonly number?: number
  /** Milliseconds since 1970. NaN where the partition is that of the nulls. */
  readonly time?: number
}

export interface SampleTask {
  readonly by: 'user' | 'row'
  /** Kept are hashes below this, of 2^32. */
  readonly below: number
  readonly seed: number
}

/** What became of the rows of a source in one pass. Places in the counters that workers return. */
export const Outcome = {
  rows: 0,
  nullIds: 1,
  negativeIds: 2,
  outsideWindow: 3,
  notSampled: 4,
  withoutConfidence: 5,
  kept: 6,
  inactiveUser: 7,
  inactiveItem: 8,
  entries: 9,
} as const

export const OUTCOMES = 10
