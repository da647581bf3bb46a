import { refuseUnknownNames } from '../checks/unknown-names.ts'
import { positiveInteger } from '../checks/values.ts'
import { countUsers, type UserCounts } from '../evaluate/evaluate.ts'
import type { InteractionMatrix } from '../matrix/interaction-matrix.ts'
import { createWorkerPool, type WorkerPool } from '../pool/worker-pool.ts'
import type { TrainOptions, ValidationMetric } from '../train/options.ts'
import { train } from '../train/train.ts'
import { Journal } from './journal.ts'
import { drawParameters, type Parameters, type SearchSpace, toTrainOptions } from './search-space.ts'

export interface TuneOptions {
  /** What is to be found: entries that are not in the training matrix. */
  validation: InteractionMatrix
  space: SearchSpace
  /** Options that all trials share, such as `objective`. */
  base?: TrainOptions
  /** Parameter sets drawn at the start. Default 27. */
  trials?: number
  /** The best 1/eta of a round advance, with eta times the iterations. Default 3. */
  eta?: number
  /** Iterations of the first round, and at most of the last. Default 2 and 18. */
  iterations?: { min: number; max: number }
  /** Default 'ndcg', of lists of 20. */
  metric?: ValidationMetric
  k?: number
  /** Only these users are measured. Default: all who have something to find. */
  users?: ArrayLike<number>
  /** Decides the trials. Default 42. */
  seed?: number
  /** A file of finished runs, created if missing: a search that was interrupted resumes from it. */
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
  /** The validation metric after the last iteration. */
  value: number
  seconds: number
}

export interface TuneResult {
  /** The best run of the last round. */
  best: TuneRun
  /** Its options, for `train`. */
  options: TrainOptions
  /** Users with something to find: with training entries, whose metrics decide, and without. */
  users: UserCounts
  /** All runs, those of the longest rounds first, best first within a round. */
  runs: TuneRun[]
}

/**
 * Searches factors, regularization, alpha, unobservedWeight and nu by successive halving (Jamieson, Talwalkar 2016):
 * every trial gets a few iterations, the best third three times as many, and so on. A trial starts over in each round,
 * so that a run's value depends on its parameters and iterations alone; that adds at most half to the cost.
 */
export async function tune(matrix: InteractionMatrix, options: TuneOptions): Promise<TuneResult> {
  refuseUnknownNames('tune', options, NAMES)
  if (!options.validation?.csr) {
    throw new RangeError(
      'tune needs validation, a matrix of what is to be found, with the rows of the training matrix: see splitRandomly and leaveKOut.',
    )
  }
  const { trials = 27, eta = 3, iterations: { min, max } = { min: 2, max: 18 }, seed = 42, onRun, signal } = options
  const { validation, space, base = {}, metric = 'ndcg', k = 20, users } = options
  positiveInteger('trials', trials)
  positiveInteger('iterations.min', min)
  positiveInteger('iterations.max', max)
  if (!(eta > 1)) throw new RangeError(`eta is ${eta}, expected a number above 1.`)
  if (max < min) throw new RangeError(`iterations.max is ${max}, below iterations.min, ${min}.`)
  const identity = {
    space,
    base: serialisable(base),
    metric,
    k,
    seed,
    entries: matrix.entries,
    toFind: validation.entries,
    users: users?.length,
    measured: 'warm',
  }
  const journal = new Journal<TuneRun>(options.journal, identity)
  const pool = options.pool ?? createWorkerPool({ threads: options.threads })
  const runs: TuneRun[] = []
  try {
    let alive = Array.from({ length: trials }, (_, trial) => ({
      trial,
      parameters: drawParameters(space, seed, trial),
    }))
    for (let iterations = min; ; iterations = Math.min(max, Math.round(iterations * eta))) {
      const round: TuneRun[] = []
      for (const { trial, parameters } of alive) {
        signal?.throwIfAborted()
        const kept = journal.find((run) => run.trial === trial && run.iterations === iterations)
        const run = kept ?? (await runTrial(trial, parameters, iterations))
        if (!kept) journal.add(run)
        onRun?.(run, kept !== undefined)
        round.push(run)
      }
      round.sort((a, b) => b.value - a.value || a.trial - b.trial)
      runs.unshift(...round)
      if (iterations >= max || round.length === 1) break
      alive = round.slice(0, Math.max(1, Math.floor(round.length / eta)))
    }
  } finally {
    if (!options.pool) await pool.close()
  }
  const [best] = runs
  return {
    best,
    options: { ...base, ...toTrainOptions(best.parameters), iterations: best.iterations },
    users: countUsers(matrix, validation, users),
    runs,
  }

  async function runTrial(trial: number, parameters: Parameters, iterations: number): Promise<TuneRun> {
    const started = performance.now()
    const model = await train(matrix, {
      ...base,
      ...toTrainOptions(parameters),
      iterations,
      pool,
      signal,
      validation: { matrix: validation, metric, k, users, every: iterations },
    })
    const value = model.history[model.history.length - 1].validation!
    const seconds = (performance.now() - started) / 1000
    return { trial, parameters, iterations, value, seconds }
  }
}

/** The runs as a Markdown table. */
export function tuneTable({ runs }: Pick<TuneResult, 'runs'>): string {
  const names = Object.keys(runs[0]?.parameters ?? {}) as (keyof Parameters)[]
  const rows = [
    ['trial', ...names, 'iterations', 'value', 'seconds'],
    ['---', ...names.map(() => '---'), '---', '---', '---'],
    ...runs.map(({ trial, parameters, iterations, value, seconds }) => [
      String(trial),
      ...names.map((name) => String(parameters[name])),
      String(iterations),
      value.toFixed(4),
      seconds.toFixed(1),
    ]),
  ]
  return rows.map((cells) => `| ${cells.join(' | ')} |`).join('\n')
}

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
  return rest
}
