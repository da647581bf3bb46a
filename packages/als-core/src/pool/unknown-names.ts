import { closest, distance } from 'fastest-levenshtein'

/**
 * What is wrong with the names of the options given to `of`, if anything: one that does not exist would be ignored in
 * silence where no compiler looks.
 *
 * @param known an object with every name as a key
 */
export function describeUnknownNames(
  of: string,
  given: object,
  known: Readonly<Record<string, true>>,
): string | undefined {
  const unknown = Object.keys(given).find((name) => !Object.hasOwn(known, name))
  if (unknown === undefined) return undefined
  const names = Object.keys(known)
  const near = closest(unknown, names)
  const hint =
    distance(unknown, near) <= Math.max(2, unknown.length / 3)
      ? `did you mean ${near}?`
      : `expected ${names.join(', ')}.`
  return `${of} has no option ${unknown}: ${hint}`
}

/** @throws RangeError naming the option that does not exist */
export function refuseUnknownNames(of: string, given: object, known: Readonly<Record<string, true>>): void {
  const problem = describeUnknownNames(of, given, known)
  if (problem) throw new RangeError(problem)
}
