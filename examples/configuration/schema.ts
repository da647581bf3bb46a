import { existsSync } from 'node:fs'
import type { RegularizationScaling } from '@seesaw/als-core'
import type { SourceOptions } from '@seesaw/loader'
import type { PayloadIndexes } from '@seesaw/qdrant-sink'
import { z } from 'zod'
import { usableMemory, usableProcessors } from './limits.ts'

/** How a payload column is published: as it is in the file, or always as a list of strings. */
export type PayloadKind = 'value' | 'list'

const integer = (min: number, max: number) => {
  const error = `expected an integer from ${min} to ${max}`
  return z.number({ error }).int({ error }).min(min, { error }).max(max, { error })
}

const number = (expected: string, accepts: (value: number) => boolean) => {
  const error = `expected ${expected}`
  return z.number({ error }).refine(accepts, { error })
}

const nonNegative = number('a number of at least 0', (value) => value >= 0)
const positive = number('a number above 0', (value) => value > 0)
const fraction = number('a fraction above 0, at most 1', (value) => value > 0 && value <= 1)

const location = z
  .string()
  .refine((text) => !text.startsWith('s3:') || /^s3:\/\/[^/]+(\/.*)?$/.test(text), 'expected s3://bucket/prefix/')
  .refine((text) => !/^(?!s3:)[a-z][a-z0-9+.-]+:\/\//i.test(text), 'expected s3://bucket/prefix/, a folder or a file')
  .refine((text) => text.includes(':') || /[*?[{]/.test(text) || existsSync(text), 'no such folder or file')

const name = z.string().regex(/^[a-z][a-z0-9_-]*$/i, 'expected a name of letters, digits, dashes and underscores')

/** What the pipeline needs to know of a source; the loader checks the rest before it reads anything. */
const source = z.looseObject({
  name,
  uri: location.optional(),
  files: z.array(location).min(1).optional(),
  sample: fraction.optional(),
})

const regularizationScaling = z.union(
  [z.literal('none'), z.literal('count'), z.strictObject({ nu: z.number().min(0).max(1) })],
  { error: "expected 'none', 'count' or an exponent from 0 to 1" },
)

const url = (example: string) => z.url({ protocol: /^https?$/, error: `expected a URL such as ${example}` })

/** Everything that the pipeline can be told, with its defaults. */
export const schema = z.strictObject({
  sources: z.array(source).min(1, 'expected at least one source'),
  thresholds: z
    .strictObject({
      user: integer(1, 1e9).default(1),
      item: integer(1, 1e9).default(1),
      repeat: z.boolean().default(false),
    })
    .prefault({}),
  merge: z.enum(['max', 'sum', 'last'], { error: "expected 'max', 'sum' or 'last'" }).default('max'),
  items: z
    .strictObject({
      name: name.default('items'),
      uri: location.optional(),
      id: z.string().min(1).default('item_id'),
      payload: z.record(z.string(), z.enum(['value', 'list'], { error: "expected 'value' or 'list'" })).default({}),
      indexes: z.record(z.string(), z.any()).default({}),
      features: z.array(z.string().min(1, 'expected names of columns')).default([]),
      buckets: z
        .record(
          z.string(),
          z.strictObject({ bucket: positive, minimum: z.number().optional(), maximum: z.number().optional() }),
        )
        .default({}),
      catalogue: z.enum(['trained', 'all'], { error: "expected 'trained' or 'all'" }).default('trained'),
    })
    .refine(({ catalogue, features }) => catalogue === 'trained' || features.length > 0, {
      path: ['catalogue'],
      error: "expected 'trained' without features: what nobody has is placed by them. Name some, as artists,styles",
    })
    .refine(({ uri, features }) => uri !== undefined || features.length === 0, {
      path: ['features'],
      error: 'expected none without a catalogue: features are columns of it. Say where it is',
    })
    .prefault({}),
  training: z
    .strictObject({
      factors: integer(1, 4096).default(128),
      iterations: integer(1, 10_000).default(15),
      regularization: nonNegative.default(0.1),
      regularizationScaling: regularizationScaling.default('none'),
      objective: z.enum(['hkv', 'ials'], { error: "expected 'hkv' or 'ials'" }).default('hkv'),
      alpha: positive.default(1),
      unobservedWeight: positive.default(0.1),
      popularityExponent: number('an exponent from 0 to 1', (value) => value >= 0 && value <= 1).default(0),
      tolerance: nonNegative.optional(),
      featureRegularization: positive.optional(),
    })
    .prefault({}),
  holdOut: number('a fraction from 0 to 0.9', (value) => value >= 0 && value <= 0.9).default(0),
  tune: z.boolean({ error: "expected 'true' or 'false'" }).default(false),
  seed: integer(0, 2 ** 32 - 1).default(42),
  threads: integer(1, 1024).default(() => usableProcessors()),
  memory: number("bytes as '4GB' or '4Gi'", (bytes) => bytes > 0).default(() => usableMemory()),
  output: z
    .strictObject({
      model: z.string().min(1).default('./model'),
      checkpoint: z.string().min(1).optional(),
      initialModel: z.string().min(1).optional(),
      temporary: z.string().min(1).optional(),
      tuneJournal: z.string().min(1).default('./tune.jsonl'),
    })
    .prefault({}),
  report: z.strictObject({ users: integer(0, 100).default(10) }).prefault({}),
  qdrant: z
    .strictObject({
      url: url('http://localhost:6333').optional(),
      apiKey: z.string().optional(),
      alias: z
        .string()
        .regex(/^[\w.-]{1,200}$/, 'expected letters, digits, dots, dashes or underscores')
        .default('recommendations'),
      allowNewShape: z.boolean({ error: "expected 'true' or 'false'" }).default(false),
      vectors: z.enum(['similar', 'taste', 'both'], { error: "expected 'similar', 'taste' or 'both'" }).default('both'),
      users: z.boolean({ error: "expected 'true' or 'false'" }).default(false),
      concurrency: integer(1, 64).default(4),
      batchSize: integer(1, 100_000).default(500),
    })
    .refine(({ users, vectors }) => !users || vectors !== 'similar', {
      path: ['users'],
      error: "expected 'false' when only the vector 'similar' is published: users need 'taste'",
    })
    .prefault({}),
  s3: z.strictObject({ endpoint: url('http://localhost:9000').optional() }).prefault({}),
})

type Checked = z.output<typeof schema>

/** A configuration that has been checked, with every default filled in. */
export interface Configuration extends Omit<Checked, 'sources' | 'items'> {
  /** Those that have a place to read from. */
  readonly sources: readonly SourceOptions[]
  readonly items: Omit<Checked['items'], 'indexes'> & { readonly indexes: PayloadIndexes }
  /** None of the options that fit a training to its data is given: `recommendedOptions` says them when the data are there. */
  readonly recommend?: boolean
}

type Given = z.input<typeof schema>

/** What a `seesaw.config.ts` may say; everything but the sources has a default. */
export interface SeesawConfig {
  /**
   * Where interactions come from, as the loader takes them: columns, weights, time windows and decay. A source without
   * `uri` gets it from the environment variable of its name in capitals, and is left out where there is none.
   */
  sources: SourceOptions[]
  /** Rows that a user and an item need, over all sources. Default 1 each. */
  thresholds?: Given['thresholds']
  /** What several signals for one pair become: the largest (default), their sum, or the latest. */
  merge?: Given['merge']
  /** The catalogue: what is known of the items, and what of it goes into the payload of a point. */
  items?: {
    /** Names its environment variable. Default `items`. */
    name?: string
    /** Where it is; without it a payload has the id and the number of interactions. */
    uri?: string
    /** Column of the id. Default `item_id`. */
    id?: string
    /** Columns that go into the payload, the most telling first; `list` makes one value a list of one, and none an empty list. */
    payload?: Record<string, PayloadKind>
    /** Payload indexes by field, beside those of `item_id` and `interaction_count`, as Qdrant takes them. */
    indexes?: PayloadIndexes
    /**
     * Columns that the training learns from, beside the interactions: each value of one is a feature. Default none. With some, items
     * that few or nobody have get vectors too: docs/releases-nobody-has-yet.md.
     */
    features?: string[]
    /** Columns of numbers of which intervals are features, not single values: `{ year: { bucket: 5 } }`. */
    buckets?: Record<string, { bucket: number; minimum?: number; maximum?: number }>
    /** What is published: the items of the model (`trained`, the default), or `all` of the catalogue. */
    catalogue?: 'trained' | 'all'
  }
  /**
   * Options of the training. Default: 128 factors, 15 iterations, and the rest by `recommendedOptions` from the shape of the data.
   * With one of regularization (0.1), its scaling ('none'), objective (`hkv`), alpha (1), unobservedWeight (0.1) and
   * popularityExponent (0), the others are what stands here.
   */
  training?: {
    factors?: number
    iterations?: number
    regularization?: number
    regularizationScaling?: RegularizationScaling
    objective?: 'hkv' | 'ials'
    alpha?: number
    unobservedWeight?: number
    popularityExponent?: number
    tolerance?: number
    featureRegularization?: number
  }
  /** Fraction of the entries to measure with instead of training on them. Default 0. */
  holdOut?: number
  /**
   * Finds the options of the training itself, all but the number of factors, in the time of 15 to 20 trainings. What it
   * has tried stays in `output.tuneJournal` (default ./tune.jsonl), from which the next night starts. Default false.
   */
  tune?: boolean
  /** Default 42. */
  seed?: number
  /** Default: the cores that this process may use, by its machine and its container. */
  threads?: number
  /** Bytes that this process may use: a plan that exceeds them is refused. Default: those of its container or its machine. */
  memory?: number
  output?: Given['output']
  /** The report beside the model: how many users it shows by name. Default 10. */
  report?: Given['report']
  qdrant?: Given['qdrant']
  s3?: Given['s3']
}

/** Types a configuration where it is written; it is checked where it is read. */
export function defineConfig(config: SeesawConfig): SeesawConfig {
  return config
}
