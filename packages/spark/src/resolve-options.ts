import { z } from 'zod'
import { SparkError } from './errors.ts'
import type { Confidence, ResolvedOptions, S3Options, SparkOptions, TrainOnSparkOptions } from './options.ts'
import type { SparkProgress } from './progress.ts'

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
