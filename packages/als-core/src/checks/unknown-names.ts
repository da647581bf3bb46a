import { closest, distance } from 'fastest-levenshtein'
import { OptionError } from './option-error.ts'

/**
 * An option that does not exist would be ignored in silence where no compiler looks.
 *
 * @param known an object with every name as a key
 * @throws OptionError for options that are no object, or naming the option of `of` that does not exist, and the nearest that does
 */
export function refuseUnknownNames(of: string, options: object, known: Readonly<Record<string, true>>): void {
  if (typeof options !== 'object' || options === null) {
    throw new OptionError(`The options of ${of} are ${String(options)}, expected an object.`)
  }
  const unknown = Object.keys(options).find((name) => !Object.hasOwn(known, name))
  if (unknown === undefined) return
  const names = Object.keys(known)
  const near = closest(unknown, names)
  const isNear = distance(unknown, near) <= Math.max(2, unknown.length / 3)
  throw new OptionError(
    `${of} has no option ${unknown}: ${isNear ? `did you mean ${near}?` : `expected ${names.join(', ')}.`}`,
  )
}
