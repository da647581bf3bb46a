import { z } from 'zod'

/** A request that cannot be answered as it is. */
export class BadRequest extends Error {
  override readonly name = 'BadRequest'
  readonly statusCode = 400
}

const text = (error: string) => z.string({ error }).min(1, { error }).max(200, { error })
const word = text('expected one value of 1 to 200 characters')
const integer = (least: number, most: number) => {
  const error = `expected an integer from ${least} to ${most}`
  return z
    .string({ error })
    .regex(/^-?\d{1,6}$/, { error })
    .transform(Number)
    .refine((value) => value >= least && value <= most, { error })
}
/** A parameter that may come several times. */
const several = z
  .union([word, z.array(word)])
  .default([])
  .transform((value) => [...new Set([value].flat())])
  .refine((values) => values.length <= 50, { error: 'expected at most 50' })

const question = {
  seed: several,
  not: several,
  dial: z.enum(['likeness', 'between', 'taste'], { error: "expected 'likeness', 'between' or 'taste'" }).optional(),
  genre: word.optional(),
  style: word.optional(),
  country: word.optional(),
  from: integer(-10_000, 10_000).optional(),
  to: integer(-10_000, 10_000).optional(),
  popularity: integer(-95, 95).default(0),
  artists: z.literal('one', { error: "expected 'one'" }).optional(),
  limit: integer(1, 100).default(20),
}

/** Parameters of each path. */
export const parameters = {
  neighbours: z.strictObject(question),
  explain: z.strictObject({ ...question, item: word }),
  search: z.strictObject({ q: word, limit: integer(1, 50).default(10) }),
  nothing: z.strictObject({}),
}

export type QuestionParameters = z.output<(typeof parameters)['neighbours']>

/** @throws BadRequest naming every parameter that is not usable, what came, and what was expected. */
export function readParameters<T extends z.ZodObject>(schema: T, query: unknown): z.output<T> {
  const result = schema.safeParse(query)
  if (result.success) return result.data
  const given = query as Record<string, unknown>
  const problems = result.error.issues.flatMap((issue) => {
    if (issue.code === 'unrecognized_keys') {
      const known = Object.keys(schema.shape).join(', ')
      return issue.keys.map((name) => `${brief(name)}: no such parameter, expected ${known || 'none'}`)
    }
    const name = String(issue.path[0])
    return [`${name}=${brief(String(given[name] ?? ''))}: ${expectation(issue)}`]
  })
  throw new BadRequest(problems.join('\n'))
}

/** A union says what its branches expected. */
function expectation(issue: z.core.$ZodIssue): string {
  const inner = issue.code === 'invalid_union' ? issue.errors.flat()[0] : undefined
  return inner?.message ?? issue.message
}

function brief(value: string): string {
  return value.length > 40 ? `${value.slice(0, 40)}…` : value
}
