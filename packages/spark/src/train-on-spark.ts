import { mkdtemp, rm, writeFile } from 'node:fs/promises'
import { tmpdir } from 'node:os'
import { join } from 'node:path'
import { argumentsOf, environmentOf } from './command-line.ts'
import { SparkError } from './errors.ts'
import { explain, type Failure } from './explain.ts'
import { jobOf } from './job.ts'
import type { MergeOnSparkOptions, ResolvedOptions, TrainOnSparkOptions } from './options.ts'
import type { SparkPhase, SparkProgress } from './progress.ts'
import { resolveOptions } from './resolve-options.ts'
import { runSparkSubmit } from './spark-submit.ts'
import { loaderPath } from './storage-path.ts'

/** What became of the rows of one source: rows = counted + the rest. */
export interface SparkSourceStats {
  readonly name: string
  readonly rows: number
  readonly nullIds: number
  readonly negativeIds: number
  readonly notSampled: number
  readonly withoutConfidence: number
  /** Rows that count as activity. */
  readonly counted: number
}

/** Entries merged by Spark, as Parquet. */
export interface SparkEntries {
  /** Columns user and item (ids), user_row and item_row (from 0, in ascending order of id), value. */
  readonly entriesAt: string
  /** Columns id, row. */
  readonly userIdsAt: string
  readonly itemIdsAt: string
  readonly entries: number
  /** Sum of the merged confidences. */
  readonly confidenceSum: number
  readonly leastConfidence: number
  /** Distinct ids with at least one row that counts, and those that the thresholds keep. */
  readonly users: { readonly seen: number; readonly active: number }
  readonly items: { readonly seen: number; readonly active: number }
  readonly sources: readonly SparkSourceStats[]
  /** True when an earlier run of the same files and settings had left them. */
  readonly resumed: boolean
  /** Hash of the settings and of the files' paths, lengths and times. */
  readonly fingerprint: string
  /** Version of Spark. */
  readonly spark: string
  /** Seconds by phase. */
  readonly seconds: Readonly<Partial<Record<SparkPhase, number>>>
  /** What would make it better, in sentences. */
  readonly warnings: readonly string[]
}

/** A model trained by Spark, as Parquet. */
export interface SparkModel extends SparkEntries {
  /** Columns id, row, vector (list of float), interaction_count, in ascending order of id. Without entries, zeros. */
  readonly usersAt: string
  readonly itemsAt: string
  /** With `holdOut`: entries (user_row, item_row, value, held_out) and users (id, row, vector) of the users to measure with. */
  readonly heldOutAt?: { readonly entries: string; readonly users: string }
  readonly factors: number
  readonly iterations: number
  readonly regularization: number
  /** Mean λ of the users who have entries to train on, for `tasteSpace` of als-core. */
  readonly userRegularization: number
  /** Entries less those that were held out. */
  readonly trainedEntries: number
  readonly alpha: number
  readonly seed: number
  readonly blocks: number
}

/**
 * Trains on Apache Spark, by MLlib's ALS, what `train` of als-core trains on one machine with the objective `hkv` and λ
 * scaled by the count: rows of the sources to confidences, seeded sample, thresholds, the largest of each pair, factors.
 * Everything stays where `directory` is; the merged entries are kept for the next run of the same files and settings.
 *
 * @throws SparkError with a code and what to do, or the reason of `signal`
 */
export async function trainOnSpark(options: TrainOnSparkOptions): Promise<SparkModel> {
  const resolved = resolveOptions(options)
  if (resolved.iterations === 0) {
    throw new SparkError(
      'options',
      'iterations is 0, expected at least 1. For entries without a model call mergeOnSpark.',
    )
  }
  const { directory, ...result } = await runJob(resolved)
  return {
    ...(result as unknown as SparkModel),
    usersAt: `${directory}/users`,
    itemsAt: `${directory}/items`,
    ...(resolved.holdOut > 0 && {
      heldOutAt: { entries: `${directory}/held-out/entries`, users: `${directory}/held-out/users` },
    }),
  }
}

/** The passes alone, for training on one machine: the merged entries that `trainOnSpark` would train on. */
export async function mergeOnSpark(options: MergeOnSparkOptions): Promise<SparkEntries> {
  const { directory: _, ...result } = await runJob(resolveOptions({ ...options, iterations: 0 }))
  return result
}

async function runJob(options: ResolvedOptions): Promise<SparkEntries & { directory: string }> {
  const { signal, onProgress } = options
  const job = jobOf(options)
  const environment = await environmentOf(options)
  const folder = await mkdtemp(join(tmpdir(), 'seesaw-spark-'))
  const warnings: string[] = []
  let result: Omit<SparkEntries, 'warnings' | 'entriesAt' | 'userIdsAt' | 'itemIdsAt'> | undefined
  let failure: Failure | undefined
  const understand = (line: string): boolean => {
    const message = messageOf(line)
    if (message === undefined) return false
    const { event, ...fields } = message
    if (event === 'progress') onProgress?.(progressOf(fields))
    else if (event === 'started' && !fields.nativeBlas) warnings.push(noNativeBlas)
    else if (event === 'failed') failure = fields as unknown as Failure
    else if (event === 'done') result = fields as unknown as typeof result
    return true
  }
  try {
    const file = join(folder, 'job.json')
    await writeFile(file, JSON.stringify(job))
    onProgress?.({ phase: 'start', done: 0, unit: 'tasks', seconds: 0 })
    const args = argumentsOf(options, file, join(folder, 'local'))
    const ending = await runSparkSubmit(options.spark.submit, args, environment, understand, signal)
    signal?.throwIfAborted()
    if (result === undefined || ending.code !== 0) throw explain(ending, failure)
  } finally {
    await rm(folder, { recursive: true, force: true, maxRetries: 3 })
  }
  const directory = loaderPath(job.directory)
  return {
    directory,
    entriesAt: `${directory}/entries`,
    userIdsAt: `${directory}/ids/users`,
    itemIdsAt: `${directory}/ids/items`,
    ...result,
    warnings,
  }
}

const noNativeBlas =
  'MLlib finds no native BLAS and takes twice the time: install libopenblas (libblas.so.3, liblapack.so.3) on every node.'

const MARK = '@seesaw '

/** A message of the job, or undefined for any other line. */
function messageOf(line: string): ({ event: string } & Record<string, unknown>) | undefined {
  // A line of Spark's own may stand before it, unfinished.
  const at = line.indexOf(MARK)
  if (at < 0) return undefined
  try {
    return JSON.parse(line.slice(at + MARK.length))
  } catch {
    return undefined
  }
}

function progressOf({ phase, done, total, seconds }: Record<string, unknown>): SparkProgress {
  return {
    phase: phase as SparkPhase,
    done: done as number,
    ...(total !== undefined && { total: total as number }),
    unit: phase === 'train' ? 'iterations' : 'tasks',
    seconds: seconds as number,
  }
}
