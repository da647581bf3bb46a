import { rowRandom } from '../evaluate/row-random.ts'
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
}

export type Parameters = { [name in keyof SearchSpace]: number }

/** The parameters of a trial, from the seed and its number alone. @throws RangeError for a range that holds nothing. */
export function drawParameters(space: SearchSpace, seed: number, trial: number): Parameters {
  const random = rowRandom(seed, trial)
  const drawn: Parameters = {}
  for (const name of names) {
    const choices = space[name]
    if (choices === undefined) continue
    drawn[name] = drawFrom(choices, random(), name)
  }
  return drawn
}

/** The same as options of `train`. */
export function toTrainOptions({ nu, ...others }: Parameters): TrainOptions {
  return nu === undefined ? others : { ...others, regularizationScaling: { nu } }
}

const names = ['factors', 'regularization', 'alpha', 'unobservedWeight', 'nu'] as const

function drawFrom(choices: Choices, at: number, name: string): number {
  if ('min' in choices) {
    const { min, max, log = false, integer = name === 'factors' } = choices
    if (!(min <= max && (!log || min > 0))) {
      throw new RangeError(
        `${name}: min is ${min} and max ${max}; min must not exceed max${log ? ', nor be 0 or less' : ''}.`,
      )
    }
    const value = log ? min * (max / min) ** at : min + (max - min) * at
    return integer ? Math.round(value) : Number(value.toPrecision(4))
  }
  if (choices.length === 0) throw new RangeError(`${name} has no values to choose from.`)
  return choices[Math.floor(at * choices.length)]
}
