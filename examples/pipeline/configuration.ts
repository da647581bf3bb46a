import { accessSync, constants, existsSync, statSync } from 'node:fs'
import { availableParallelism } from 'node:os'
import { dirname, resolve } from 'node:path'
import { z } from 'zod'

/** Environment variables by name, as in `process.env`. */
export type Environment = Readonly<Record<string, string | undefined>>

/** Everything the pipeline can be told, by the name of its environment variable. */
export type Configuration = z.infer<typeof schema>

/** Thrown with every bad variable at once, one line each. */
export class ConfigurationError extends Error {
  override readonly name: string = 'ConfigurationError'
  readonly problems: readonly string[]

  constructor(problems: readonly string[]) {
    const count = problems.length === 1 ? 'One setting is' : `${problems.length} settings are`
    super(`${count} not usable:\n${problems.map((problem) => `  ${problem}`).join('\n')}`)
    this.problems = problems
  }
}

const wholeNumber = (minimum: number, maximum: number, standard: number) =>
  z
    .string()
    .regex(/^\d+$/, `expected a whole number from ${minimum} to ${maximum}`)
    .transform(Number)
    .refine((value) => value >= minimum && value <= maximum, `expected a whole number from ${minimum} to ${maximum}`)
    .default(standard)

const numberText = (hint: string, accepts: (value: number) => boolean) =>
  z
    .string()
    .transform(Number)
    .refine((value) => Number.isFinite(value) && accepts(value), `expected ${hint}`)

const fraction = (standard: number) =>
  numberText('a fraction above 0, at most 1', (value) => value > 0 && value <= 1).default(standard)

const location = z
  .string()
  .refine((text) => !text.startsWith('s3:') || /^s3:\/\/[^/]+(\/.*)?$/.test(text), 'expected s3://bucket/prefix/')
  .refine((text) => !/^(?!s3:)[a-z][a-z0-9+.-]+:\/\//i.test(text), 'expected s3://bucket/prefix/, a folder or a file')
  .refine((text) => text.includes(':') || /[*?[{]/.test(text) || existsSync(text), 'no such folder or file')
  .optional()

const folder = z.string().refine(canBeMade, 'expected a folder that can be made or written to')

const schema = z
  .object({
    HAVES: location,
    WANTS: location,
    RATINGS: location,
    RELEASES: location,
    S3_ENDPOINT: z.url({ protocol: /^https?$/, error: 'expected a URL such as http://localhost:9000' }).optional(),
    SAMPLE_FRAC_HAVES: fraction(0.1),
    SAMPLE_FRAC_WANTS: fraction(0.1),
    SAMPLE_FRAC_RATINGS: fraction(0.1),
    MIN_USER_INTERACTIONS: wholeNumber(1, 1e9, 20),
    MIN_ITEM_INTERACTIONS: wholeNumber(1, 1e9, 50),
    VECTOR_DIM: wholeNumber(1, 4096, 128),
    ITERATIONS: wholeNumber(1, 10_000, 15),
    REGULARIZATION: numberText('a number, at least 0', (value) => value >= 0).default(0.1),
    REGULARIZATION_SCALING: z
      .string()
      .transform((text) => (text === 'none' || text === 'count' ? text : Number(text)))
      .refine((scaling) => typeof scaling === 'string' || (scaling >= 0 && scaling <= 1), {
        error: "expected 'none', 'count' or an exponent from 0 to 1",
      })
      .default('none'),
    OBJECTIVE: z.enum(['hkv', 'ials'], { error: "expected 'hkv' or 'ials'" }).default('hkv'),
    ALPHA: numberText('a number above 0', (value) => value > 0).default(1),
    UNOBSERVED_WEIGHT: numberText('a number above 0', (value) => value > 0).default(0.1),
    HOLD_OUT: numberText('a fraction from 0 to 0.9', (value) => value >= 0 && value <= 0.9).default(0),
    THREADS: wholeNumber(1, 1024, availableParallelism()),
    SEED: wholeNumber(0, 2 ** 32 - 1, 42),
    OUTPUT_DIR: folder.default('./model'),
    CHECKPOINT_DIR: folder.optional(),
    INITIAL_MODEL: z.string().optional(),
    QDRANT_URL: z.url({ protocol: /^https?$/, error: 'expected a URL such as http://localhost:6333' }).optional(),
    QDRANT_API_KEY: z.string().optional(),
    COLLECTION_ALIAS: z
      .string()
      .regex(/^[\w.-]{1,200}$/, 'expected letters, digits, dot, dash or underscore')
      .default('recommendations'),
    MAX_WORKERS: wholeNumber(1, 64, 4),
    BATCH_SIZE: wholeNumber(1, 100_000, 500),
  })
  .refine((values) => values.HAVES ?? values.WANTS ?? values.RATINGS, {
    path: ['HAVES'],
    error: 'not set, nor WANTS or RATINGS: name at least one source, as s3://bucket/prefix/ or a folder of Parquet',
    // Looked at beside the other problems, not after them.
    when: () => true,
  })

/** Names of all variables, in the order they are printed in. */
export const variables: readonly string[] = Object.keys(schema.shape)

/**
 * Reads and checks the whole environment. An empty variable counts as not set. `standards` replace defaults, for a
 * program whose defaults differ.
 *
 * @throws ConfigurationError naming every variable that is not usable, what it was and what was expected
 */
export function readConfiguration(environment: Environment, standards: Environment = {}): Configuration {
  const given: Record<string, string> = {}
  for (const name of variables) {
    const text = environment[name]?.trim() || standards[name]
    if (text) given[name] = text
  }
  const result = schema.safeParse(given)
  if (result.success) return result.data
  throw new ConfigurationError(
    result.error.issues.map((issue) => {
      const name = String(issue.path[0])
      return given[name] === undefined
        ? `${name}: ${issue.message}`
        : `${name}=${shown(name, given[name])}: ${issue.message}`
    }),
  )
}

/** The configuration as lines `NAME value`, in the order of the schema; keys and passwords are masked. */
export function describeConfiguration(configuration: Configuration): string[] {
  return variables.map((name) => {
    const value = configuration[name as keyof Configuration]
    return `${name.padEnd(24)}${value === undefined ? '-' : shown(name, String(value))}`
  })
}

/** Whether the nearest part of the path that exists is a folder to write to. */
function canBeMade(folder: string): boolean {
  const path = resolve(folder)
  if (!existsSync(path)) return canBeMade(dirname(path))
  try {
    accessSync(path, constants.W_OK)
    return statSync(path).isDirectory()
  } catch {
    return false
  }
}

function shown(name: string, text: string): string {
  if (name.endsWith('_KEY')) return '********'
  return text.replace(/\/\/[^/@]+@/, '//********@')
}
