import { refuseUnknownNames } from '../checks/unknown-names.ts'
import { checkMatrixLike } from '../matrix/check-matrix.ts'
import type { InteractionMatrix } from '../matrix/interaction-matrix.ts'
import type { TrainOptions } from '../train/options.ts'
import { type MatrixShape, shapeOf } from './matrix-shape.ts'
import { toTrainOptions } from './parameters.ts'
import { type RelativeSettings, toParameters } from './relative-settings.ts'

export interface Recommended {
  /** For `train`. */
  readonly options: TrainOptions
  /** Why, by option. */
  readonly reasons: Readonly<Record<string, string>>
}

/**
 * Settings from the shape of the data alone, without a training: a good start, and what `tune` searches around. Its
 * constants are the same for all data; docs/choosing-settings.md says how they were found and what they are worth.
 *
 * @param base options that are decided already, such as `factors`
 * @throws MatrixError for what is no matrix; RangeError for one without entries
 */
export function recommendedOptions(
  matrix: InteractionMatrix,
  base: Pick<TrainOptions, 'factors' | 'objective'> = {},
): Recommended {
  checkMatrixLike(matrix)
  refuseUnknownNames('recommendedOptions', base, { factors: true, objective: true })
  const shape = shapeOf(matrix)
  const settings = recommendedSettings(shape, base)
  const { nu, ...parameters } = toParameters(settings, shape)
  const { items, perUser, meanValue, medianValue } = shape
  const skewed =
    meanValue > 3 * medianValue
      ? ` Half of the values are below ${short(medianValue)}: a few large ones decide. Logarithms of the values are likely better.`
      : ''
  const reasons: Record<string, string> = {
    objective:
      "'ials' says with unobservedWeight how much a pair counts that was not observed; 'hkv' reaches the same lists by a large alpha.",
    factors:
      base.factors === undefined
        ? `128 or a quarter of the smaller side (${Math.min(shape.users, items)} rows), whichever is less: more than that is not in the data.`
        : 'As given.',
    iterations: 'With momentum the lists hardly change after 12.',
    alpha: `An entry has the value ${short(meanValue)} on average, and the confidence 1 with this alpha.${skewed}`,
    unobservedWeight: `All ${items} items together weigh ${UNOBSERVED} times what the ${short(perUser)} entries of an average user do.`,
    regularization: `${LAMBDA} of the weight of a row.`,
    regularizationScaling:
      'ν = 1: in proportion to the weight of each row, so that users with many entries are not favoured.',
    popularityExponent:
      'Entries of popular items weigh less, by the fourth root of the count: popular items need no help to be found.',
  }
  return { options: { ...toTrainOptions({ ...parameters, nu }), iterations: ITERATIONS }, reasons }
}

/** What `tune` begins with. */
export function recommendedSettings(
  { users, items }: MatrixShape,
  { factors, objective = 'ials' }: Pick<TrainOptions, 'factors' | 'objective'>,
): RelativeSettings {
  const least = Math.min(users, items)
  return {
    objective,
    factors: factors ?? Math.max(8, Math.min(128, 8 * Math.floor(least / 32))),
    unobserved: UNOBSERVED,
    lambda: LAMBDA,
    nu: 1,
    exponent: 0.25,
  }
}

const UNOBSERVED = 20
const LAMBDA = 0.01
export const ITERATIONS = 12

function short(value: number): string {
  return String(Number(value.toPrecision(3)))
}
