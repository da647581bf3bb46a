/** Kinds of option; the message of each is what is expected. */
import { z } from 'zod'

/** What is checked elsewhere. */
export const anything: z.ZodType = z.any().optional()
export const boolean: z.ZodType = z.boolean('true or false')
export const text: z.ZodType = z.string('a string')
export const name: z.ZodType = z.string('a name').min(1, 'a name')
export const number: z.ZodType = z.number('a finite number')
export const positiveInteger: z.ZodType = z.int('a positive integer').min(1, 'a positive integer')
export const nonNegativeInteger: z.ZodType = z.int('a non-negative integer').min(0, 'a non-negative integer')
export const object: z.ZodType = z.custom(
  (value) => typeof value === 'object' && value !== null && !Array.isArray(value),
  'an object',
)
export const callback: z.ZodType = z.custom((value) => typeof value === 'function', 'a function')
export const list: z.ZodType = z.array(z.any(), 'an array')
export const names: z.ZodType = z.array(name, 'an array of names')
export const signal: z.ZodType = z.instanceof(AbortSignal, { error: 'an AbortSignal' })

/** Infinity for no end. */
export const milliseconds: z.ZodType = z.custom(
  (value) => typeof value === 'number' && value >= 0,
  'a non-negative number of milliseconds',
)

/** What a timer of Node takes. */
export const timeout: z.ZodType = z
  .int('a positive integer of milliseconds')
  .min(1, 'a positive integer of milliseconds')
  .max(2 ** 32 - 1, 'at most 2^32 - 1 milliseconds')

export function oneOf(...choices: string[]): z.ZodType {
  return z.enum(choices, `one of '${choices.join("', '")}'`)
}
