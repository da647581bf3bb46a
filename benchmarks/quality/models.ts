/** The options chosen for each data set, and the training with them. */
import { type AlsModel, type InteractionMatrix, type TrainOptions, train, weightByPopularity } from '@seesaw/als-core'
import type { DataSet } from './data-sets.ts'

export interface IalsOptions extends TrainOptions {
  /** Of `weightByPopularity`. */
  exponent: number
}

const common = {
  objective: 'ials',
  factors: 1024,
  exponent: 0.25,
  unobservedWeight: 0.015,
  regularization: 0.005,
  regularizationScaling: { nu: 1 },
  // One to two steps a row; closer solutions are no better (docs/quality.md).
  tolerance: 0.2,
  maxSteps: 4,
  // The iterations were chosen for plain alternating least squares; with momentum fewer reach as far, and as many too far.
  momentum: 0,
} as const

/** Chosen on a validation split of the training part, see docs/quality.md. */
export const chosen: Record<DataSet, IalsOptions> = {
  gowalla: { ...common, iterations: 6 },
  'amazon-cds': { ...common, iterations: 10 },
}

export function trainIals(matrix: InteractionMatrix, { exponent, ...options }: IalsOptions): Promise<AlsModel> {
  return train(weightByPopularity(matrix, exponent), options)
}
