import { availableParallelism, tmpdir } from 'node:os'
import { z } from 'zod'
import { LoadError } from './errors.ts'
import { ITEM_COLUMN } from './parquet/find-column.ts'
import type { LoadProgress } from './progress.ts'
import type { S3Options } from './storage/connection.ts'

/** What becomes of several signals for one (user, item). */
export type Merge = 'max' | 'sum' | 'last'

/**
 * How much a row of a source counts: a constant, a table from the values of a column (rows with other values are left
 * out, and counted), or a number column weighted as `offset + factor · x` or `offset + factor · ln(1 + x)`.
 */
export type Confidence =
  | number
  | { column: string; values: ConfidenceTable }
  | { column: string; weight: 'linear' | 'log1p'; factor?: number; offset?: number }

/** Confidences by value: of numbers, decimals, booleans (`true` and `false`) or strings. */
export type ConfidenceTable = Readonly<Record<string, number>> | ReadonlyMap<string | number | boolean, number>

/** When a row happened: a timestamp or date column, or a number of seconds, milliseconds ... since 1970. */
export interface TimeOptions {
  column: string
  /** Required for columns of numbers. */
  unit?: 's' | 'ms' | 'us' | 'ns'
  /** Rows before this moment, or from `until` on, are left out. Default: all. Rows without a time always are. */
  since?: Date
  until?: Date
  /** Days after which a confidence counts half. Default: no decay. */
  halfLifeDays?: number
  /** The moment that ages are measured from. Default `until`; one of the two is needed for a decay. */
  reference?: Date
}

export interface SourceOptions {
  /** Used in statistics and messages. */
  name: string
  /** A file, a folder or prefix (all data files below it), or a glob, on disk or as `s3://bucket/...`. */
  uri?: string
  /** Several of these, in place of `uri`. */
  files?: readonly string[]
  /** Keep only files in these hive partitions: `{ year: ['2024', '2025'] }` keeps `.../year=2024/...` and 2025. */
  partitions?: Readonly<Record<string, string | readonly string[]>>
  /** Column of user ids: integers or strings. Default `user_id`. */
  user?: string
  /** Column of item ids. Default `item_id`, or in a file without it the only other column whose name ends in `_id`. */
  item?: string
  /** How much a row counts. Default 1. */
  confidence?: Confidence
  /** Fraction of this source to keep, in (0, 1]. Default 1. */
  sample?: number
  time?: TimeOptions
}

export interface LoadOptions {
  sources: readonly SourceOptions[]
  /**
   * Rows a user and an item need (default 1, once), counted over all sources after sampling, window and
   * confidence. With `repeat`, users and items are removed from the merged matrix until each has that many entries.
   */
  thresholds?: { user?: number; item?: number; repeat?: boolean }
  /**
   * Also hand out the items below their threshold, with the entries of active users, as `rare`: to fold them into a model.
   * Not with `thresholds.repeat`, `split` or `keepTimes`. Default false. To part them takes a copy of one orientation for a moment, which the
   * plan counts: 5 bytes per entry (8 where confidences are more than 256).
   */
  rareItems?: boolean
  /** Decides the sample. Default 42. */
  seed?: number
  /** Sample whole users, the same in every source (default), or single (user, item) pairs. */
  sampleBy?: 'user' | 'row'
  /** Several signals for one pair: the largest confidence (default), their sum, or the latest. */
  merge?: Merge
  /**
   * Rows from this moment on go to `test`, a matrix of the same users and items, without the pairs that are in `matrix`:
   * a model is then judged by what happened after what it has learned from. Every source needs a `time`. Thresholds count
   * the rows of both sides, with `repeat` the entries of `matrix`.
   */
  split?: { at: Date }
  /** Gives `times`, for `splitByTime`: when the first row of each entry happened. Every source needs a `time`. Default false. */
  keepTimes?: boolean
  /** Rows with a null or a negative id: dropped and counted (default), or an error. */
  invalidIds?: { null?: 'drop' | 'error'; negative?: 'drop' | 'error' }
  /** Bytes the loader may hold besides the matrix it returns. Above it, it works through temporary files. */
  memoryBudget?: number
  /**
   * Bytes of temporary files that may hold what the first pass fetched from S3, so that the second need not fetch it again.
   * Default: 90 % of what `temporaryDirectory` has free, or 0 where it lies in memory (tmpfs).
   */
  downloadBudget?: number
  /** Where temporary files go. Default: the system's. */
  temporaryDirectory?: string
  /** Worker threads. Default: one for each core. */
  threads?: number
  /**
   * Where the worker file is, for programs that are bundled: the bundle of `@seesaw/loader/worker`, as an absolute URL or
   * path. Default: the worker file of this package.
   */
  workerUrl?: URL | string
  s3?: S3Options
  signal?: AbortSignal
  /** Called at most every 100 ms, and at the end of each phase. */
  onProgress?: (progress: LoadProgress) => void
}

export interface ResolvedSource {
  name: string
  locations: readonly string[]
  partitions: Readonly<Record<string, readonly string[]>>
  user: string
  item: string
  confidence: Confidence
  sample: number
  time?: TimeOptions
}

/** LoadOptions with every default filled in. */
export interface ResolvedOptions {
  sources: readonly ResolvedSource[]
  thresholds: { user: number; item: number; repeat: boolean }
  rareItems: boolean
  seed: number
  sampleBy: 'user' | 'row'
  merge: Merge
  split?: { at: Date }
  keepTimes: boolean
  invalidIds: { null: 'drop' | 'error'; negative: 'drop' | 'error' }
  memoryBudget: number
  downloadBudget?: number
  temporaryDirectory: string
  threads: number
  workerUrl?: URL | string
  s3?: S3Options
  signal?: AbortSignal
  onProgress?: (progress: LoadProgress) => void
}

/** Whether rows carry their times to the matrix. */
export function isTimed({ merge, keepTimes }: Pick<ResolvedOptions, 'merge' | 'keepTimes'>): boolean {
  return merge === 'last' || keepTimes
}

/** Checks all options at once: the error lists every one that is wrong. */
export function resolveOptions(options: LoadOptions): ResolvedOptions {
  const result = schema.safeParse(options)
  if (!result.success) {
    const lines = result.error.issues.map((issue) => `  ${issue.path.join('.') || 'options'}: ${issue.message}`)
    throw new LoadError('options', `The options of the load are not right:\n${lines.join('\n')}`)
  }
  return result.data as ResolvedOptions
}

const confidenceValue = z.number().positive().finite()
const column = z.string().min(1)
const moment = z.date()

const confidence = z.union(
  [
    confidenceValue,
    z.strictObject({
      column,
      values: z.union([
        z.record(z.string(), confidenceValue),
        z.map(z.union([z.string(), z.number(), z.boolean()]), confidenceValue),
      ]),
    }),
    z.strictObject({
      column,
      weight: z.enum(['linear', 'log1p']),
      factor: z.number().positive().finite().default(1),
      offset: z.number().min(0).finite().default(0),
    }),
  ],
  'expected a number above 0, { column, values } with numbers above 0, or { column, weight }',
)

const time = z
  .strictObject({
    column,
    unit: z.enum(['s', 'ms', 'us', 'ns']).optional(),
    since: moment.optional(),
    until: moment.optional(),
    halfLifeDays: z.number().positive().optional(),
    reference: moment.optional(),
  })
  .refine((value) => value.halfLifeDays === undefined || (value.reference ?? value.until) !== undefined, {
    error: 'a half-life needs `reference` or `until` to measure ages from',
  })

const source = z
  .strictObject({
    name: z.string().min(1),
    uri: z.string().min(1).optional(),
    files: z.array(z.string().min(1)).min(1).optional(),
    partitions: z.record(z.string(), z.union([z.string(), z.array(z.string())])).default({}),
    user: column.default('user_id'),
    item: column.default(ITEM_COLUMN),
    confidence: confidence.default(1),
    sample: z.number().gt(0).max(1).default(1),
    time: time.optional(),
  })
  .refine((value) => (value.uri === undefined) !== (value.files === undefined), {
    error: 'give either `uri` or `files`',
  })
  .transform(({ uri, files, partitions, ...rest }) => ({
    ...rest,
    locations: files ?? [uri],
    partitions: Object.fromEntries(Object.entries(partitions).map(([key, value]) => [key, [value].flat()])),
  }))

const certificates = z.custom<string | Buffer | (string | Buffer)[]>(
  (value) => [value].flat().every((each) => typeof each === 'string' || each instanceof Uint8Array),
  'expected text or bytes in PEM',
)

const s3 = z.strictObject({
  endpoint: z.url({ protocol: /^https?$/, error: 'expected http(s)://host[:port]' }).optional(),
  region: z.string().min(1).optional(),
  credentials: z
    .custom<S3Options['credentials']>(
      (value) => typeof value === 'function' || (typeof value === 'object' && value !== null && 'accessKeyId' in value),
      'expected { accessKeyId, secretAccessKey } or a function that promises them',
    )
    .optional(),
  forcePathStyle: z.boolean().optional(),
  maxAttempts: z.number().int().min(1).optional(),
  requesterPays: z.boolean().optional(),
  proxy: z.url({ protocol: /^https?$/, error: 'expected http(s)://[user:password@]host:port' }).optional(),
  tls: z
    .strictObject({
      ca: certificates.optional(),
      cert: certificates.optional(),
      key: certificates.optional(),
      passphrase: z.string().optional(),
      servername: z.string().optional(),
      rejectUnauthorized: z.boolean().optional(),
    })
    .optional(),
})

const policy = z.enum(['drop', 'error']).default('drop')

const schema = z
  .strictObject({
    sources: z.array(source).min(1),
    thresholds: z
      .strictObject({
        user: z.number().int().min(1).default(1),
        item: z.number().int().min(1).default(1),
        repeat: z.boolean().default(false),
      })
      .prefault({}),
    rareItems: z.boolean().default(false),
    seed: z.number().int().min(0).max(0xffffffff).default(42),
    sampleBy: z.enum(['user', 'row']).default('user'),
    merge: z.enum(['max', 'sum', 'last']).default('max'),
    split: z.strictObject({ at: moment }).optional(),
    keepTimes: z.boolean().default(false),
    invalidIds: z.strictObject({ null: policy, negative: policy }).prefault({}),
    memoryBudget: z.number().positive().default(Number.POSITIVE_INFINITY),
    downloadBudget: z.number().min(0).optional(),
    temporaryDirectory: z.string().min(1).default(tmpdir()),
    threads: z.number().int().min(1).max(256).default(availableParallelism()),
    workerUrl: z.union([z.string().min(1), z.instanceof(URL)]).optional(),
    s3: s3.optional(),
    signal: z.instanceof(AbortSignal).optional(),
    onProgress: z.custom<(progress: LoadProgress) => void>((value) => typeof value === 'function').optional(),
  })
  .refine(({ sources }) => new Set(sources.map(({ name }) => name)).size === sources.length, {
    path: ['sources'],
    error: 'two sources have the same name; use `files` for several places of one source',
  })
  .refine((value) => !(value.rareItems && value.thresholds.repeat), {
    path: ['rareItems'],
    error:
      'not together with thresholds.repeat, which has no single set of users for items outside its core. Leave one out',
  })
  .refine((value) => value.merge !== 'last' || value.sources.every((each) => each.time !== undefined), {
    path: ['merge'],
    error: '"last" needs a `time` column in every source',
  })
  .refine((value) => value.split === undefined || value.sources.every((each) => each.time !== undefined), {
    path: ['split'],
    error: 'a split needs a `time` column in every source',
  })
  .refine((value) => !value.keepTimes || value.sources.every((each) => each.time !== undefined), {
    path: ['keepTimes'],
    error: 'times need a `time` column in every source',
  })
  .refine((value) => value.split === undefined || !value.keepTimes, {
    path: ['keepTimes'],
    error: '`split` divides the rows already: leave out one of the two',
  })
