import { refuseUnknownNames } from '../checks/unknown-names.ts'
import { positiveInteger } from '../checks/values.ts'
import { countUsers, type UserCounts } from '../evaluate/evaluate.ts'
import { splitRandomly } from '../evaluate/split.ts'
import { checkMatrixLike } from '../matrix/check-matrix.ts'
import type { InteractionMatrix } from '../matrix/interaction-matrix.ts'
import { createWorkerPool, type WorkerPool } from '../pool/worker-pool.ts'
import { hashFeatures } from '../train/feature-maps.ts'
import type { TrainOptions, ValidationMetric } from '../train/options.ts'
import { train } from '../train/train.ts'
import { drawAround } from './default-space.ts'
import { Journal } from './journal.ts'
import { shapeOf } from './matrix-shape.ts'
import { type Parameters, type SearchSpace, toTrainOptions } from './parameters.ts'
import { ITERATIONS } from './recommended-options.ts'
import { drawParameters, SPACE_NAMES } from './search-space.ts'

export interface TuneOptions {
  /** What is to be found: entries that are not in the matrix. Default: a fifth of the matrix, which the trials then do without. */
  validation?: InteractionMatrix
  /**
   * What is varied, and within what. Default: objective, factors, regularization and its scaling, unobservedWeight or
   * alpha, and popularityExponent, around what `recommendedOptions` says of data of this size and density.
   */
  space?: SearchSpace
  /** Options that all trials share, such as `factors`. The default space leaves alone what is set here. */
  base?: TrainOptions
  /** Parameter sets drawn at the start. Default 15; a third of it where a journal of other data gives three to start from. */
  trials?: number
  /** The best 1/eta of a round advance, with eta times the iterations. Default 3. */
  eta?: number
  /** Iterations of the first round, and at most of the last. Default 3 and 12. */
  iterations?: { min: number; max: number }
  /** Default 'ndcg', of lists of 20. */
  metric?: ValidationMetric
  k?: number
  /** Only these users are measured. Default: those who have something to find, 5,000 of them at most, evenly spaced. */
  users?: ArrayLike<number>
  /** Decides the validation part and the trials. Default 42. */
  seed?: number
  /**
   * A file of finished runs, created if missing: a search that was interrupted resumes from it. When the data have
   * changed since, as from night to night, the three best of the earlier search are the first trials of the new one.
   */
  journal?: string
  pool?: WorkerPool
  threads?: number
  /** Ends the search within one shard's time; the journal keeps what is finished. */
  signal?: AbortSignal
  /** Called after each run; `resumed` when it came from the journal. */
  onRun?: (run: TuneRun, resumed: boolean) => void
}

/** One training of one trial. */
export interface TuneRun {
  trial: number
  parameters: Parameters
  iterations: number
  /** The validation metric after the last iteration; 0 of a training that failed. */
  value: number
  seconds: number
  /** Why the training ended with an error: with such parameters its systems cannot be solved. */
  failure?: string
}

export interface TuneResult {
  /** The best run of the trials that reached the last round: some are better after fewer iterations. */
  best: TuneRun
  /** Its options, for `train` on the whole matrix. */
  options: TrainOptions
  /** Measured users: with training entries, whose metrics decide, and without. */
  users: UserCounts
  /** All runs, those of the longest rounds first, best first within a round; `tuneTable` shows them. */
  runs: TuneRun[]
}

/**
 * Finds options for `train` by successive halving (Jamieson, Talwalkar 2016): every trial gets a few iterations, the best
 * third three times as many, and so on. A trial starts over in each round, so that a run's value depends on its
 * parameters and iterations alone; that adds at most half to the cost. By default the time of 15 to 20 trainings.
 *
 * @throws RangeError for options that cannot be; Error when all trials failed, and for a journal of another search
 */
export async function tune(matrix: InteractionMatrix, options: TuneOptions = {}): Promise<TuneResult> {
  refuseUnknownNames('tune', options, NAMES)
  checkMatrixLike(matrix)
  if (options.validation) checkMatrixLike(options.validation)
  const { trials = 15, eta = 3, iterations: { min, max } = { min: 3, max: ITERATIONS }, seed = 42 } = options
  const { space, base = {}, metric = 'ndcg', k = 20, onRun, signal } = options
  if (space) refuseUnknownNames('space', space, SPACE_NAMES)
  for (const [name, value] of Object.entries({ trials, 'iterations.min': min, 'iterations.max': max })) {
    positiveInteger(name, value)
  }
  if (!(eta > 1)) throw new RangeError(`eta is ${eta}, expected a number above 1.`)
  if (max < min) throw new RangeError(`iterations.max is ${max}, below iterations.min, ${min}.`)
  const { validation } = options
  const parts = validation ? { train: matrix, test: validation } : splitRandomly(matrix, 0.2, { seed })
  const users = options.users ?? someUsers(parts.test)
  const search = { space: space ?? 'default', base: serialisable(base), metric, k, seed, measured: 'warm' }
  const toFind = parts.test.entries
  const data = {
    ...{ users: matrix.users, items: matrix.items, entries: matrix.entries, toFind, measured: users.length },
    features: hashFeatures(base),
  }
  const journal = new Journal<Parameters, TuneRun>(options.journal, search, data)
  const { starts, drawn } = journal
  const shape = shapeOf(matrix)
  const draw = (trial: number) => (space ? drawParameters(space, seed, trial) : drawAround(shape, base, seed, trial))
  const parametersOf = (trial: number) => starts[trial] ?? draw(drawn + trial - starts.length)
  const count = starts.length === 0 ? trials : starts.length + Math.ceil(trials / 3)
  const pool = options.pool ?? createWorkerPool({ threads: options.threads })
  const runs: TuneRun[] = []
  let last: TuneRun[] = []
  try {
    let alive = Array.from({ length: count }, (_, trial) => trial)
    for (let iterations = min; ; iterations = Math.min(max, Math.round(iterations * eta))) {
      const round: TuneRun[] = []
      for (const trial of alive) {
        signal?.throwIfAborted()
        const kept = journal.find((run) => run.trial === trial && run.iterations === iterations)
        const run = kept ?? (await runTrial(trial, iterations))
        if (!kept) journal.add(run)
        onRun?.(run, kept !== undefined)
        round.push(run)
      }
      round.sort((a, b) => b.value - a.value || a.trial - b.trial)
      runs.unshift(...round)
      last = round
      const able = round.filter(({ failure }) => failure === undefined)
      if (able.length === 0) throw new Error(`All ${round.length} trials failed: ${round[0].failure}`)
      if (iterations >= max || round.length === 1) break
      alive = able.slice(0, Math.max(1, Math.ceil(round.length / eta))).map(({ trial }) => trial)
    }
  } finally {
    if (!options.pool) await pool.close()
  }
  const finalists = new Set(last.map(({ trial }) => trial))
  const best = runs.filter(({ trial }) => finalists.has(trial)).reduce((a, b) => (b.value > a.value ? b : a))
  return {
    best,
    options: { ...base, ...toTrainOptions(best.parameters), iterations: best.iterations },
    users: countUsers(parts.train, parts.test, users),
    runs,
  }

  async function runTrial(trial: number, iterations: number): Promise<TuneRun> {
    const started = performance.now()
    const parameters = parametersOf(trial)
    const measured = { trial, parameters, iterations, value: 0 }
    const seconds = () => (performance.now() - started) / 1000
    try {
      const model = await train(parts.train, {
        ...base,
        ...toTrainOptions(parameters),
        iterations,
        pool,
        signal,
        validation: { matrix: parts.test, metric, k, users, every: iterations },
      })
      measured.value = model.history[model.history.length - 1].validation!
      return { ...measured, seconds: seconds() }
    } catch (error) {
      // What is wrong with options or data is wrong for every trial.
      if (signal?.aborted || error instanceof RangeError) throw error
      return { ...measured, seconds: seconds(), failure: (error as Error).message }
    }
  }
}

/** Users with something to find, evenly spaced where they are many: 5,000 tell settings apart that differ by half a per cent. */
function someUsers({ csr, users }: InteractionMatrix): Uint32Array {
  const able = Uint32Array.from({ length: users }, (_, user) => user).filter(
    (user) => csr.indptr[user + 1] > csr.indptr[user],
  )
  if (able.length <= MEASURED) return able
  return Uint32Array.from({ length: MEASURED }, (_, n) => able[Math.floor((n * able.length) / MEASURED)])
}

const MEASURED = 5000

const NAMES = {
  validation: true,
  space: true,
  base: true,
  trials: true,
  eta: true,
  iterations: true,
  metric: true,
  k: true,
  users: true,
  seed: true,
  journal: true,
  pool: true,
  threads: true,
  signal: true,
  onRun: true,
} as const satisfies Record<keyof TuneOptions, true>

/** What of the shared options decides a result. */
function serialisable({ pool, signal, threads, onIteration, onProgress, ...rest }: TrainOptions): object {
  const { itemFeatures, userFeatures, ...others } = rest
  return {
    ...others,
    ...(itemFeatures && { itemFeatures: true }),
    ...(userFeatures && { userFeatures: true }),
  }
}
