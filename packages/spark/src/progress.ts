/** Where a job stands. */
export interface SparkProgress {
  readonly phase: SparkPhase
  /** Tasks of Spark, or iterations (in halves) while it trains. */
  readonly done: number
  /** Of the job that runs now; unknown when absent. */
  readonly total?: number
  readonly unit: 'tasks' | 'iterations'
  /** Since the phase began. */
  readonly seconds: number
}

/** In this order; with entries of an earlier run, `train` follows `plan`. */
export type SparkPhase = 'start' | 'plan' | 'count users' | 'count items' | 'merge' | 'train' | 'write' | 'held out'
