import type { ValidationOptions } from '../evaluate/train-to-best.ts'
import type { KernelName } from '../kernel/instantiate.ts'
import type { IdColumn } from '../matrix/interaction-matrix.ts'
import type { AlsModel, IterationReport } from '../model/als-model.ts'
import type { WorkerPool } from '../pool/worker-pool.ts'
import type { InitialFactors } from './initial.ts'

/**
 * How strongly a row is regularised, n its number of entries: 'none' λ; 'count' λ·n (Spark's ALS, ALS-WR);
 * `{ nu }` λ·(n + α0·N)^ν with N the number of rows of the other side (Rendle et al. 2022).
 */
export type RegularizationScaling = 'none' | 'count' | { nu: number }

/** What the numbers of a model depend on; saved with it. */
export interface ModelOptions {
  /** Length k of a factor vector. Default 128, or that of `initial`. */
  factors: number
  /** Iterations, each a half-sweep over the users and one over the items. Default 15. */
  iterations: number
  /** L2 penalty λ. Default 0.01, as in the Python library implicit. */
  regularization: number
  /** How λ grows with a row's entries. Default 'none'. */
  regularizationScaling: RegularizationScaling
  /** Confidence of an entry of value r is α·|r|. Default 1. */
  alpha: number
  /**
   * 'hkv' (default): Σ c (p - x·y)² over all pairs, c = 1 and p = 0 where nothing was observed (Hu, Koren, Volinsky 2008).
   * 'ials': Σ c (1 - x·y)² over the observed plus α0 Σ (x·y)² over all pairs (Rendle et al. 2022).
   */
  objective: 'hkv' | 'ials'
  /** α0 of 'ials': the weight of a pair as unobserved. Default 0.1; 1 for 'hkv', where it is not an option. */
  unobservedWeight: number
  /** 'cg': conjugate gradients in WebAssembly. 'cholesky': exact float64 solves in TypeScript, slow; the reference. */
  solver: 'cg' | 'cholesky'
  /**
   * A row whose squared residual is below tolerance² of its explained objective gets its last step, which costs half.
   * Default 0.005: with it the loss stays within 1e-4 of the exact solver's after every iteration, see the README.
   */
  tolerance: number
  /** Most conjugate-gradient steps for a row and half-sweep. Default 20, which few rows reach. */
  maxSteps: number
  /**
   * How the fixed side is held for the random reads of a half-sweep. 'int8', with a unit for each row, is a quarter of the
   * memory traffic, which is what the solver waits for; 'float32' is for tolerances below 1e-3. 'auto' (default) takes int8
   * from 2.5 million factors on the larger side: a smaller copy fits the caches, and rounding averages out over many rows.
   */
  gatherPrecision: 'auto' | 'int8' | 'float32'
  /** Decides the start. Default 42. */
  seed: number
  /** Which build of the kernel. Default: relaxed where the engine has it. */
  kernel?: KernelName
}

export interface TrainOptions extends Partial<ModelOptions> {
  /** Worker threads when no pool is given. Default: all cores. The factors do not depend on it. */
  threads?: number
  /** A pool to run on; it stays open. Default: one of its own, closed before `train` returns. */
  pool?: WorkerPool
  /** Ends the training within one shard's time, with a `TrainingAborted`. */
  signal?: AbortSignal
  /** Called after each iteration, and awaited; 'stop' ends the training there. `model()` makes the model so far. */
  onIteration?: (report: IterationReport, model: () => Promise<AlsModel>) => unknown
  /** Called about ten times a second within an iteration. */
  onProgress?: (progress: TrainProgress) => void
  /**
   * Measures the model on interactions that are not in the matrix after each iteration, ends when it has stopped getting
   * better, and returns the model of the best iteration.
   */
  validation?: ValidationOptions
  /** Original ids of the users and items, kept with the model. */
  userIds?: IdColumn
  itemIds?: IdColumn
  /**
   * Writes the state of the training to `directory` after every `everyIterations` iterations (default 1) and after the
   * last, each time in one step. When the directory has a checkpoint of the same matrix and options, the training goes on
   * from it, to the same factors, bit for bit, as one that was not interrupted; `iterations` may be raised.
   */
  checkpoint?: CheckpointOptions
  /** Starts from the factors of an earlier model, or from plain arrays, instead of at random. */
  initial?: InitialFactors
  /** Interactions per item, kept with the model. Default: the entries of each item in the matrix. */
  interactionCounts?: Uint32Array
}

export interface CheckpointOptions {
  directory: string
  /** Default 1. */
  everyIterations?: number
  /**
   * What becomes of a checkpoint of another matrix or other options: 'refuse' (default) throws a `CheckpointError` that lists
   * what differs, 'replace' starts over and writes over it, as a job wants whose data are new every night.
   */
  otherTraining?: 'refuse' | 'replace'
}

export interface TrainProgress {
  /** From 1. */
  iteration: number
  iterations: number
  side: 'users' | 'items'
  phase: 'gram' | 'rotate' | 'solve'
  /** Share of the iteration that is done, 0 to 1. */
  fraction: number
}

/** An option that `train` cannot work with; the message names it. */
export class OptionError extends RangeError {
  override readonly name = 'OptionError'
}

/** Fills in the defaults and checks every option. @throws OptionError naming the option. */
export function resolveOptions(options: TrainOptions): ModelOptions {
  const objective = options.objective ?? 'hkv'
  if (objective !== 'hkv' && objective !== 'ials') {
    throw new OptionError(`objective is ${JSON.stringify(objective)}, expected 'hkv' or 'ials'.`)
  }
  if (objective === 'hkv' && options.unobservedWeight !== undefined && options.unobservedWeight !== 1) {
    throw new OptionError(
      `unobservedWeight is ${options.unobservedWeight}, but objective 'hkv' fixes it at 1: choose objective 'ials', or leave it out.`,
    )
  }
  const resolved: ModelOptions = {
    factors: whole('factors', options.factors ?? options.initial?.factors ?? 128, 1, 4096),
    iterations: whole('iterations', options.iterations ?? 15, 0, 1_000_000),
    regularization: number('regularization', options.regularization ?? 0.01, 0),
    regularizationScaling: scaling(options.regularizationScaling ?? 'none'),
    alpha: positive('alpha', options.alpha ?? 1),
    objective,
    unobservedWeight: objective === 'hkv' ? 1 : number('unobservedWeight', options.unobservedWeight ?? 0.1, 0),
    solver: oneOf('solver', options.solver ?? 'cg', ['cg', 'cholesky']),
    tolerance: number('tolerance', options.tolerance ?? 0.005, 0),
    maxSteps: whole('maxSteps', options.maxSteps ?? 20, 1, 10_000),
    gatherPrecision: oneOf('gatherPrecision', options.gatherPrecision ?? 'auto', ['auto', 'int8', 'float32']),
    seed: whole('seed', options.seed ?? 42, 0, 2 ** 32 - 1),
  }
  if (options.kernel !== undefined) resolved.kernel = oneOf<KernelName>('kernel', options.kernel, ['relaxed', 'simd'])
  if (options.threads !== undefined) whole('threads', options.threads, 1, 1024)
  if (options.checkpoint) {
    const { directory, everyIterations = 1, otherTraining = 'refuse' } = options.checkpoint
    if (typeof directory !== 'string' || directory === '') {
      throw new OptionError(`checkpoint.directory is ${JSON.stringify(directory)}, expected the path of a directory.`)
    }
    whole('checkpoint.everyIterations', everyIterations, 1, 1_000_000)
    oneOf('checkpoint.otherTraining', otherTraining, ['refuse', 'replace'])
  }
  return resolved
}

/** Checks that what is given for each user or item fits the matrix. @throws OptionError naming the option. */
export function checkColumns(
  { userIds, itemIds, interactionCounts }: TrainOptions,
  { users, items }: { readonly users: number; readonly items: number },
): void {
  for (const [name, column, rows, side] of [
    ['userIds', userIds, users, 'users'],
    ['itemIds', itemIds, items, 'items'],
    ['interactionCounts', interactionCounts, items, 'items'],
  ] as const) {
    if (column !== undefined && column.length !== rows) {
      throw new OptionError(`${name} has ${column.length} elements, but the matrix has ${rows} ${side}.`)
    }
  }
}

function whole(name: string, value: number, low: number, high: number): number {
  if (Number.isInteger(value) && value >= low && value <= high) return value
  throw new OptionError(`${name} is ${value}, expected a whole number from ${low} to ${high}.`)
}

function number(name: string, value: number, low: number): number {
  if (Number.isFinite(value) && value >= low) return value
  throw new OptionError(`${name} is ${value}, expected a finite number of at least ${low}.`)
}

function positive(name: string, value: number): number {
  if (Number.isFinite(value) && value > 0) return value
  throw new OptionError(`${name} is ${value}, expected a finite number above 0.`)
}

function oneOf<T extends string>(name: string, value: T, choices: readonly T[]): T {
  if (choices.includes(value)) return value
  throw new OptionError(`${name} is ${JSON.stringify(value)}, expected one of '${choices.join("', '")}'.`)
}

function scaling(value: RegularizationScaling): RegularizationScaling {
  if (value === 'none' || value === 'count') return value
  if (typeof value === 'object' && value !== null && Number.isFinite(value.nu)) return { nu: value.nu }
  throw new OptionError(
    `regularizationScaling is ${JSON.stringify(value)}, expected 'none', 'count' or { nu: a finite number }.`,
  )
}
