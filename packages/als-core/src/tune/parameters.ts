import type { TrainOptions } from '../train/options.ts'

/** Values to draw from: a list, or a range, even or in proportion (`log`). */
export type Choices = readonly number[] | { min: number; max: number; log?: boolean; integer?: boolean }

/** What `tune` may vary; `nu` stands for `regularizationScaling: { nu }`. */
export interface SearchSpace {
  factors?: Choices
  regularization?: Choices
  alpha?: Choices
  unobservedWeight?: Choices
  nu?: Choices
  popularityExponent?: Choices
  /** λ_B, where `base` has features. By default it goes with λ, and is not varied. */
  featureRegularization?: Choices
}

/** What distinguishes a trial. */
export type Parameters = { [name in keyof SearchSpace]: number } & { objective?: 'ials' | 'hkv' }

/** The same as options of `train`. */
export function toTrainOptions({ nu, ...others }: Parameters): TrainOptions {
  return nu === undefined ? others : { ...others, regularizationScaling: { nu } }
}
