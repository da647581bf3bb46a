import { z } from 'zod'
import { SparkError } from './errors.ts'
import type { SparkProgress } from './progress.ts'

/**
 * How much a row counts: a constant, a table from the values of a column (rows with other values are left out), or a
 * number column weighted as `offset + factor · x` or `offset + factor · ln(1 + x)`. As in `@seesaw/loader`.
 */
export type Confidence =
  | number
  | { column: string; values: Readonly<Record<string, number>> | ReadonlyMap<string | number, number> }
  | { column: string; weight: 'linear' | 'log1p'; factor?: number; offset?: number }

export interface SparkSource {
  /** For statistics and messages. */
  name: string
  /**
   * A file, or a folder or prefix (all *.parquet, *.parq and *.pq below it, hidden names left out): a path, or `s3://`,
   * `hdfs://` ... as Spark reads it. Hive partitions are no columns.
   */
  uri?: string
  /** Files, in place of `uri`. */
  files?: readonly string[]
  /** Column of user ids: integers or strings. Default `user_id`. */
  user?: string
  /** Column of item ids. Default `item_id`. */
  item?: string
  /** Default 1, which needs an `alpha` above 1. */
  confidence?: Confidence
  /** Fraction of the users to take, in (0, 1]: the same in every source. Default 1. */
  sample?: number
}

export interface S3Credentials {
  accessKeyId: string
  secretAccessKey: string
  sessionToken?: string
}

/** How to reach the store, as for the loader; what is left out is Spark's own to find. */
export interface S3Options {
  /** `http(s)://host[:port]` of an S3-compatible store. Default: AWS. */
  endpoint?: string
  region?: string
  /** Fixed keys, or a function that is asked once, when the job starts. They travel in the environment alone. */
  credentials?: S3Credentials | (() => Promise<S3Credentials>)
  /** `endpoint/bucket/key` instead of `bucket.endpoint/key`. Default: true when `endpoint` is given. */
  forcePathStyle?: boolean
  maxAttempts?: number
}

/** How to start Spark. */
export interface SparkOptions {
  /**
   * Environment of spark-submit: PATH, JAVA_HOME, HADOOP_CONF_DIR ... Usually `process.env`, which the library does not
   * read by itself.
   */
  environment: Readonly<Record<string, string | undefined>>
  /** Default `spark-submit`, found on the PATH. */
  submit?: string
  /** `local[*]` (default), `local[N]`, `spark://host:port`, `yarn` or `k8s://...`. */
  master?: string
  /**
   * Python of the driver, with numpy. Default: that of the virtual environment that `submit` is in, else Spark's own
   * choice (PYSPARK_PYTHON, or `python3`).
   */
  python?: string
  /** Properties of Spark by name. Keys of S3 are refused here: a command line is for everybody to see. */
  conf?: Readonly<Record<string, string | number | boolean>>
  /** Maven coordinates that Spark fetches at its start, such as `org.apache.hadoop:hadoop-aws:3.5.0`. */
  packages?: readonly string[]
  /** Jars to add. */
  jars?: readonly string[]
}

export interface MergeOnSparkOptions {
  sources: readonly SparkSource[]
  /** Rows a user and an item need over all sources, after sampling and confidence. Default 1, as in `@seesaw/loader`. */
  thresholds?: { user?: number; item?: number }
  /** Decides the sample, the start and what is held out. Default 42. */
  seed?: number
  /** Folder that all nodes reach: a path, or `s3://`, `hdfs://` ... One run at a time. */
  directory: string
  spark: SparkOptions
  s3?: S3Options
  /** Ends the run: SIGTERM to spark-submit, SIGKILL to its process group after 8 s. */
  signal?: AbortSignal
  onProgress?: (progress: SparkProgress) => void
}

export interface TrainOnSparkOptions extends MergeOnSparkOptions {
  /** Length k of a vector. Default 128. */
  factors?: number
  /** Iterations of alternating least squares. Default 15; MLlib starts afar, its tenth is about our third. */
  iterations?: number
  /** L2 penalty, times the entries of a row: `regularizationScaling: 'count'`, the only one that MLlib has. Default 0.1. */
  regularization?: number
  /** Confidence of an entry is `alpha` times its value; that must be above 1 for every entry. Default 1. */
  alpha?: number
  /** Blocks of users and of items. Default max(10, entries / 10 million). */
  blocks?: number
  /** Iterations between two checkpoints, which cut the lineage. Default 5. */
  checkpointInterval?: number
  /** Fraction of the entries, by a hash of (user, item), not to train on but to measure with. Default 0. */
  holdOut?: number
  /** Users whose entries and vectors are written apart to measure with. Default 20,000. */
  heldOutUsers?: number
}

/** A source with every default filled in: `uri` or `files`, one of the two. */
export interface ResolvedSource {
  name: string
  uri?: string
  files?: string[]
  user: string
  item: string
  confidence: Confidence
  sample: number
}

/** Options with every default filled in. */
export interface ResolvedOptions {
  sources: ResolvedSource[]
  thresholds: { user: number; item: number }
  seed: number
  directory: string
  spark: Required<Omit<SparkOptions, 'python'>> & { python?: string }
  s3?: S3Options
  factors: number
  /** 0: the merged entries and no model. */
  iterations: number
  regularization: number
  alpha: number
  blocks?: number
  checkpointInterval: number
  holdOut: number
  heldOutUsers: number
  signal?: AbortSignal
  onProgress?: (progress: SparkProgress) => void
}

/** Checks all options at once: the error lists every one that is wrong. */
export function resolveOptions(options: TrainOnSparkOptions): ResolvedOptions {
  const result = schema.safeParse(options)
  if (result.success) return result.data
  const lines = result.error.issues.map((issue) => `  ${issue.path.join('.') || 'options'}: ${issue.message}`)
  throw new SparkError('options', `The options of the job are not right:\n${lines.join('\n')}`)
}

/** An option of the loader or of `train` that has no form here: absent, or the one value that it stands for anyway. */
const only = (value: unknown, reason: string) =>
  z.custom<undefined>((given) => given === undefined || given === value, reason).optional()

const positive = z.number().positive().finite()
const column = z.string().min(1)
const place = z
  .string()
  .min(1)
  .refine((text) => !/[*?[\]{}]/.test(text) || !text.includes('://'), 'expected a folder or a file, not a glob')

const confidence = z.union(
  [
    positive,
    z.strictObject({
      column,
      values: z.union([z.record(z.string(), positive), z.map(z.union([z.string(), z.number()]), positive)]),
    }),
    z.strictObject({
      column,
      weight: z.enum(['linear', 'log1p']),
      factor: positive.default(1),
      offset: z.number().min(0).finite().default(0),
    }),
  ],
  'expected a number above 0, { column, values } with numbers above 0, or { column, weight }',
)

const source = z
  .strictObject({
    name: z.string().min(1),
    uri: place.optional(),
    files: z.array(z.string().min(1)).min(1).optional(),
    user: column.default('user_id'),
    item: column.default('item_id'),
    confidence: confidence.default(1),
    sample: z.number().gt(0).max(1).default(1),
    time: only(undefined, 'windows and decay are not in the job: write the rows that count, with their weight, first'),
    partitions: only(undefined, 'not in the job: name the folders of the partitions in `uri`, or their files'),
  })
  .refine((value) => (value.uri === undefined) !== (value.files === undefined), {
    error: 'give either `uri` or `files`',
  })

const secretProperty = /^spark\.hadoop\.fs\.s3.*\.(access\.key|secret\.key|session\.token)$/

const spark = z.strictObject({
  // process.env is no plain object.
  environment: z.custom<SparkOptions['environment']>(
    (value) => typeof value === 'object' && value !== null,
    'expected an object of variables, such as process.env',
  ),
  submit: z.string().min(1).default('spark-submit'),
  master: z
    .string()
    .regex(/^(local(\[.+\])?|spark:\/\/.+|yarn|k8s:\/\/.+)$/, {
      error: ({ input }) =>
        String(input).startsWith('sc://')
          ? 'Spark Connect refuses ALS models above some 2 million rows: name the cluster itself'
          : "expected 'local[*]', 'local[N]', 'spark://host:port', 'yarn' or 'k8s://...'",
    })
    .default('local[*]'),
  python: z.string().min(1).optional(),
  conf: z
    .record(z.string(), z.union([z.string(), z.number(), z.boolean()]))
    .superRefine((conf, context) => {
      for (const [name, value] of Object.entries(conf)) {
        if (!name.startsWith('spark.')) {
          context.addIssue({ code: 'custom', path: [name], message: 'expected a name that begins with "spark."' })
        }
        if (secretProperty.test(name)) {
          context.addIssue({
            code: 'custom',
            path: [name],
            message: 'a command line is for everybody to see: give s3.credentials',
          })
        }
        if (name === 'spark.submit.deployMode' && value !== 'client') {
          context.addIssue({
            code: 'custom',
            path: [name],
            message: `is ${value}, expected client: in cluster mode an abort here does not end the application`,
          })
        }
      }
    })
    .default({}),
  packages: z.array(z.string().regex(/^[^:,\s]+:[^:,\s]+:[^:,\s]+$/, 'expected group:artifact:version')).default([]),
  jars: z.array(z.string().min(1)).default([]),
})

const s3 = z.strictObject({
  endpoint: z.url({ protocol: /^https?$/, error: 'expected a URL such as http://localhost:9000' }).optional(),
  region: z.string().min(1).optional(),
  credentials: z
    .custom<S3Options['credentials']>((value) => typeof value === 'object' || typeof value === 'function')
    .optional(),
  forcePathStyle: z.boolean().optional(),
  maxAttempts: z.number().int().min(1).optional(),
})

const whole = (least: number) => z.number().int().min(least)

const schema = z
  .strictObject({
    sources: z.array(source).min(1),
    thresholds: z
      .strictObject({
        user: whole(1).default(1),
        item: whole(1).default(1),
        repeat: only(false, 'the job applies thresholds once: the (user, item)-core needs the matrix in one memory'),
      })
      .prefault({}),
    seed: whole(0).max(0xffffffff).default(42),
    directory: place,
    spark,
    s3: s3.optional(),
    factors: whole(1).max(4096).default(128),
    iterations: whole(0).max(10_000).default(15),
    regularization: z.number().min(0).finite().default(0.1),
    alpha: positive.default(1),
    blocks: whole(1).max(100_000).optional(),
    checkpointInterval: whole(1).default(5),
    holdOut: z.number().min(0).max(0.9).default(0),
    heldOutUsers: whole(1).max(1_000_000).default(20_000),
    signal: z.instanceof(AbortSignal).optional(),
    onProgress: z.custom<(progress: SparkProgress) => void>((value) => typeof value === 'function').optional(),
    merge: only('max', "the job keeps the largest confidence of a pair: expected 'max'"),
    sampleBy: only('user', "the job samples whole users: expected 'user'"),
    objective: only('hkv', "MLlib minimises the objective of Hu, Koren and Volinsky alone: expected 'hkv'"),
    regularizationScaling: only('count', "MLlib multiplies λ by a row's entries, always: expected 'count'"),
    unobservedWeight: only(undefined, "belongs to the objective 'ials', which MLlib does not have"),
    popularityExponent: only(0, 'MLlib does not weigh items by their popularity: expected 0'),
    tolerance: only(undefined, 'MLlib solves every row exactly'),
    initial: only(undefined, 'MLlib starts at random, not from an earlier model'),
  })
  .refine(({ sources }) => new Set(sources.map(({ name }) => name)).size === sources.length, {
    path: ['sources'],
    error: 'two sources have the same name; use `files` for several places of one source',
  })
  .superRefine(({ sources, alpha, iterations }, context) => {
    // Constants and tables are known before the job; weights are checked in it, on the merged entries.
    if (iterations === 0) return
    for (const [index, { name, confidence }] of sources.entries()) {
      const values = constantsOf(confidence)
      const least = Math.min(...values)
      if (values.length > 0 && !(least * alpha > 1)) {
        context.addIssue({
          code: 'custom',
          path: ['sources', index, 'confidence'],
          message:
            `the least of "${name}" is ${least}, times alpha ${alpha} it is ${least * alpha}; MLlib trains on confidence - 1 and would ` +
            'take it for a dislike. Raise alpha, or multiply all confidences by a number, until each is above 1',
        })
      }
    }
  })

function constantsOf(confidence: Confidence): number[] {
  if (typeof confidence === 'number') return [confidence]
  if (!('values' in confidence)) return []
  return confidence.values instanceof Map ? [...confidence.values.values()] : Object.values(confidence.values)
}
