/** What both train with. */
export interface Setting {
  /** Merged entries as Parquet: user, item, value. */
  readonly entries: string
  /** Where our model goes. */
  readonly model: string
  readonly factors: number
  readonly iterations: number
  readonly regularization: number
  readonly regularizationScaling: 'count'
  readonly objective: 'hkv'
  readonly alpha: number
  readonly seed: number
  readonly threads: number
}
