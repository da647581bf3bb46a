import { OptionError } from '../checks/option-error.ts'
import { refuseUnknownNames } from '../checks/unknown-names.ts'
import { integer, oneOf } from '../checks/values.ts'
import type { RankingMetrics } from '../evaluate/ranking-metrics.ts'
import type { FeatureMatrix } from '../features/feature-matrix.ts'
import type { InteractionMatrix } from '../matrix/interaction-matrix.ts'
import type { AlsModel, FeatureVectors, IterationReport, PhaseSeconds } from '../model/als-model.ts'
import { checkIds, type InputIds } from '../model/id-column.ts'
import { MODEL_OPTION_NAMES, type ModelOptions, resolveModelOptions } from '../model/options.ts'
import type { WorkerPool } from '../pool/worker-pool.ts'

export interface TrainOptions extends Partial<ModelOptions> {
  /** Worker threads when there is no `pool`. Default: all cores. The factors do not depend on it. */
  threads?: number
  /** A pool to run on; it stays open. Default: one of its own, closed before `train` returns. */
  pool?: WorkerPool
  /** Ends the training within one shard's time, with a `TrainingAborted`. */
  signal?: AbortSignal
  /** Called after each iteration, and awaited; 'stop' ends the training there. `model()` makes the model so far. */
  onIteration?: (
    report: IterationReport,
    model: () => Promise<AlsModel>,
    // biome-ignore lint/suspicious/noConfusingVoidType: a callback that returns nothing lets the training continue
  ) => void | 'stop' | Promise<void | 'stop'>
  /** Called about ten times a second within an iteration. */
  onProgress?: (progress: TrainProgress) => void
  /**
   * After each iteration measures the model on interactions that are not in the matrix, stops when it no longer improves, and
   * returns the model of the best iteration.
   */
  validation?: ValidationOptions
  /** Original ids of the users and items, one per row and no two the same, kept with the model. 64-bit integers become numbers. */
  userIds?: InputIds
  itemIds?: InputIds
  /**
   * Writes the state of the training to `directory` every `everyIterations` iterations (default 1) and after the last, each time
   * in one step. When the directory has a checkpoint of the same matrix and options, the training
   * resumes from it, to the same factors, bit for bit, as one that was not interrupted; `iterations` may be raised.
   */
  checkpoint?: CheckpointOptions
  /** Starts from the factors of an earlier model, or from plain arrays, instead of at random. */
  initial?: InitialFactors
  /**
   * What is known of the items, items × features, row for row with the matrix (`featuresFrom`, `featuresFromCsr`). Each item is then
   * regularised towards what its features predict, λ_i |y_i - Bᵀg_i|² in place of λ_i |y_i|², and B is learned with λ_B|B|²
   * (`featureRegularization`): the model keeps B as `itemFeatures`, and `itemVectors` places items that nobody has. An item
   * without features is learned as without any; one without interactions has a vector of zeros, and no part in B.
   */
  itemFeatures?: FeatureMatrix
  /** The same of the users: Σ λ_u |x_u - Aᵀf_u|² + λ_A|A|². */
  userFeatures?: FeatureMatrix
  /** Interactions per item, kept with the model. Default: the entries of each item in the matrix. */
  interactionCounts?: Uint32Array
}

export interface CheckpointOptions {
  directory: string
  /** Default 1. */
  everyIterations?: number
  /**
   * What happens when the checkpoint is from a different matrix or different options: 'error' (default) throws a
   * `CheckpointError` that lists the differences; 'restart' starts over and overwrites it, for a job whose data are new every
   * night.
   */
  onMismatch?: 'error' | 'restart'
}

export interface TrainProgress {
  /** From 1. */
  iteration: number
  iterations: number
  side: 'users' | 'items'
  phase: keyof PhaseSeconds
  /** Fraction of the iteration that is done, 0 to 1. */
  fraction: number
}

/** The metrics that are better the larger they are. */
export type ValidationMetric = 'recall' | 'truncatedRecall' | 'ndcg' | 'precision' | 'map' | 'mrr' | 'hitRate'

export interface ValidationOptions {
  /** What is to be found: users × items as in training, without the training entries (see `splitRandomly`, `leaveKOut`). */
  matrix: InteractionMatrix
  /** Default 'ndcg'. */
  metric?: ValidationMetric
  /** Length of the lists. Default 20. */
  k?: number
  /** Measure every `every` iterations, and after the last. Default 1. */
  every?: number
  /** Stop after `patience` consecutive measurements without a new best. Default 3. */
  patience?: number
  /** Only these users: a sample makes it cheaper. Default: all who have something to find. */
  users?: ArrayLike<number>
  /** Called after each measurement. */
  onMetrics?: (report: IterationReport, metrics: RankingMetrics) => void
}

/**
 * Factors to start from: an earlier model, or plain arrays. With ids on both sides rows are matched by id: a row that is
 * new gets the seeded random start, a row that is gone is dropped. Without ids, row r starts from row r.
 */
export interface InitialFactors {
  /** Length of a factor vector; sets `factors` of the training unless that is set. */
  readonly factors?: number
  /** users × factors, row-major. Where the users' conjugate gradients start; may be left out. */
  readonly userFactors?: Float32Array
  /** items × factors, row-major. The first half-sweep solves the users from these. */
  readonly itemFactors: Float32Array
  readonly userIds?: InputIds
  readonly itemIds?: InputIds
  /** Maps from features to factors, matched by the features' names: where those of the training start. Default: at zero. */
  readonly userFeatures?: FeatureVectors
  readonly itemFeatures?: FeatureVectors
}

/** Fills in the defaults and checks every option. @throws OptionError naming the option. */
export function resolveOptions(options: TrainOptions): ModelOptions {
  refuseUnknownNames('train', options, NAMES)
  if (options.checkpoint) refuseUnknownNames('checkpoint', options.checkpoint, CHECKPOINT_NAMES)
  if (options.validation) refuseUnknownNames('validation', options.validation, VALIDATION_NAMES)
  const resolved = resolveModelOptions({ ...options, factors: options.factors ?? options.initial?.factors })
  if (options.threads !== undefined) integer('threads', options.threads, 1, 1024)
  if (options.checkpoint) {
    const { directory, everyIterations = 1, onMismatch = 'error' } = options.checkpoint
    if (typeof directory !== 'string' || directory === '') {
      throw new OptionError(`checkpoint.directory is ${JSON.stringify(directory)}, expected the path of a directory.`)
    }
    integer('checkpoint.everyIterations', everyIterations, 1, 1_000_000)
    oneOf('checkpoint.onMismatch', onMismatch, ['error', 'restart'])
  }
  return resolved
}

const NAMES = {
  ...MODEL_OPTION_NAMES,
  threads: true,
  pool: true,
  signal: true,
  onIteration: true,
  onProgress: true,
  validation: true,
  userIds: true,
  itemIds: true,
  checkpoint: true,
  initial: true,
  itemFeatures: true,
  userFeatures: true,
  interactionCounts: true,
} as const satisfies Record<keyof TrainOptions, true>

const CHECKPOINT_NAMES = { directory: true, everyIterations: true, onMismatch: true } as const satisfies Record<
  keyof CheckpointOptions,
  true
>

const VALIDATION_NAMES = {
  matrix: true,
  metric: true,
  k: true,
  every: true,
  patience: true,
  users: true,
  onMetrics: true,
} as const satisfies Record<keyof ValidationOptions, true>

/** What callers pass per user and item, as the model keeps it. */
export type Columns = Pick<AlsModel, 'userIds' | 'itemIds' | 'interactionCounts'>

/** Checks that what is passed per user or item fits the matrix. @throws OptionError naming the option and the row. */
export function checkColumns(
  { userIds, itemIds, interactionCounts }: TrainOptions,
  { users, items }: { readonly users: number; readonly items: number },
): Columns {
  if (interactionCounts !== undefined && interactionCounts.length !== items) {
    throw new OptionError(
      `interactionCounts has ${interactionCounts.length} elements, but the matrix has ${items} items.`,
    )
  }
  return {
    ...(userIds && { userIds: checkIds('userIds', userIds, users, 'users') }),
    ...(itemIds && { itemIds: checkIds('itemIds', itemIds, items, 'items') }),
    ...(interactionCounts && { interactionCounts }),
  }
}
