import { OptionError } from './option-error.ts'
import { show } from './show.ts'

/** The value, an integer from `min` to `max`. @throws OptionError naming the option. */
export function integer(name: string, value: number, min: number, max: number): number {
  if (Number.isInteger(value) && value >= min && value <= max) return value
  throw new OptionError(`${name} is ${show(value)}, expected an integer from ${min} to ${max}.`)
}

/** The value, an integer of at least 1. @throws OptionError naming the option. */
export function positiveInteger(name: string, value: number): number {
  if (Number.isInteger(value) && value >= 1) return value
  throw new OptionError(`${name} is ${show(value)}, expected a positive integer.`)
}

/** The value, a number from `min` to `max`. @throws OptionError naming the option. */
export function number(name: string, value: number, min: number, max: number = Number.MAX_VALUE): number {
  if (Number.isFinite(value) && value >= min && value <= max) return value
  const range = max < Number.MAX_VALUE ? `a number from ${min} to ${max}` : `a finite number of at least ${min}`
  throw new OptionError(`${name} is ${show(value)}, expected ${range}.`)
}

/** The value, a finite number above 0. @throws OptionError naming the option. */
export function positive(name: string, value: number): number {
  if (Number.isFinite(value) && value > 0) return value
  throw new OptionError(`${name} is ${show(value)}, expected a finite number above 0.`)
}

/** The value, one of the choices. @throws OptionError naming the option. */
export function oneOf<T extends string>(name: string, value: T, choices: readonly T[]): T {
  if (choices.includes(value)) return value
  throw new OptionError(`${name} is ${show(value)}, expected one of '${choices.join("', '")}'.`)
}
