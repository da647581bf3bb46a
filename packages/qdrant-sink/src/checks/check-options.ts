import { z } from 'zod'

/** A schema for each option of `T`, those that may be left out included. */
export type OptionKinds<T> = { readonly [Name in keyof Required<T>]: z.ZodType }

/** An object of these options and no others. */
export function only(kinds: Record<string, z.ZodType>): z.ZodType {
  const names = Object.keys(kinds).join(', ')
  return z.strictObject(kinds, {
    error: ({ code }) => (code === 'unrecognized_keys' ? `one of: ${names}` : 'an object of options'),
  })
}

/**
 * Refuses an option that does not exist or is not of its kind, before the first request. No compiler looks at what comes from JavaScript
 * or from `JSON.parse`, and the server cannot tell either: JSON has no NaN, and `mustNo` is no filter at all.
 *
 * @param schema whose messages say what is expected
 * @throws RangeError for a number, TypeError for anything else; both name the option
 */
export function checkOptions(of: string, schema: z.ZodType, options: unknown): void {
  const { error } = schema.safeParse(options, { reportInput: true })
  if (!error) return
  // A name that does not exist says more than the one that is missing.
  const issue = error.issues.find(({ code }) => code === 'unrecognized_keys') ?? error.issues[0]
  const path = issue.path.map(String)
  if (issue.code === 'unrecognized_keys') {
    const name = [...path, issue.keys[0]].join('.')
    throw new TypeError(`\`${name}\` is no option of ${of}, expected ${issue.message}.`)
  }
  const what = path.length > 0 ? `\`${path.join('.')}\` is` : `The options of ${of} are`
  const message = `${what} ${describe(issue.input)}, expected ${issue.message}.`
  throw typeof issue.input === 'number' ? new RangeError(message) : new TypeError(message)
}

function describe(value: unknown): string {
  if (typeof value === 'string') return JSON.stringify(value.length > 60 ? `${value.slice(0, 60)}…` : value)
  if (typeof value === 'function') return 'a function'
  if (typeof value !== 'object' || value === null) return String(value)
  return Array.isArray(value)
    ? `an array of ${value.length}`
    : `an object (${value.constructor?.name ?? 'of no class'})`
}
