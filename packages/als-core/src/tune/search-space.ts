import { rowRandom } from '../evaluate/row-random.ts'
import type { Choices, Parameters, SearchSpace } from './parameters.ts'

/** The parameters of a trial, from the seed and its number alone. @throws RangeError for a range that holds nothing. */
export function drawParameters(space: SearchSpace, seed: number, trial: number): Parameters {
  const random = rowRandom(seed, trial)
  const drawn: Parameters = {}
  for (const name of Object.keys(SPACE_NAMES) as (keyof SearchSpace)[]) {
    const choices = space[name]
    if (choices === undefined) continue
    drawn[name] = drawFrom(choices, random(), name)
  }
  return drawn
}

export const SPACE_NAMES: Readonly<Record<keyof SearchSpace, true>> = {
  factors: true,
  regularization: true,
  alpha: true,
  unobservedWeight: true,
  nu: true,
  popularityExponent: true,
  featureRegularization: true,
}

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
