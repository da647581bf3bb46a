import {
  type AlsModel,
  createWorkerPool,
  type FeatureMatrix,
  type InteractionMatrix,
  loadModel,
  type Recommended,
  recommendedOptions,
  splitRandomly,
  type TrainOptions,
  type TuneResult,
  train,
  tune,
} from '@seesaw/als-core'
import type { LoadedInteractions } from '@seesaw/loader'
import type { Configuration } from '../configuration/schema.ts'
import { compact, grouped } from '../text/format.ts'
import { holdsModel } from './check.ts'
import type { Progress } from './progress.ts'
import { recordNovelty } from './record-data.ts'
import { IterationRecord } from './record-iterations.ts'
import type { Recorder } from './recorder.ts'
import type { Stages } from './stages.ts'

/** A model, what it was trained on, and what it was not shown. */
export interface Learned {
  readonly model: AlsModel
  readonly matrix: InteractionMatrix
  /** Entries held out to measure with. */
  readonly heldOut?: InteractionMatrix
  /** What was tried to find the options, with TUNE. */
  readonly tuned?: TuneResult
  /** The options that the shape of the data recommends, where the configuration gives none. */
  readonly recommended?: Recommended
}

/** Trains, on all entries or, with HOLD_OUT, on what is left of them. */
export async function learn(
  configuration: Configuration,
  { matrix, userIds, itemIds, interactionCounts }: LoadedInteractions,
  itemFeatures: FeatureMatrix | undefined,
  recorder: Recorder,
  stages: Stages,
  progress: Progress,
  signal: AbortSignal,
): Promise<Learned> {
  const { holdOut, seed, threads, output } = configuration
  const split = holdOut > 0 ? splitRandomly(matrix, holdOut, { seed }) : undefined
  const known = split?.train ?? matrix
  const tuned = configuration.tune
    ? await findOptions(configuration, known, itemFeatures, stages, progress, signal)
    : undefined
  const { factors } = configuration.training
  const recommended = configuration.recommend && !tuned ? recommendedOptions(known, { factors }) : undefined
  const options = tuned?.options ?? trainingOptions(configuration, recommended, itemFeatures !== undefined)
  const initial = await loadInitial(configuration, stages)
  const pool = createWorkerPool({ threads })
  const iterations = new IterationRecord(recorder, configuration, pool, {
    train: known,
    test: split?.test,
    iterations: options.iterations,
  })
  await recorder.attempt('new users and items', () => {
    const { record } = recorder
    if (split) record.split = { training: split.train.entries, heldOut: split.test.entries }
    record.novelty = recordNovelty(known, { userIds, itemIds }, initial)
  })
  const { checkpoint: directory } = output
  let resumedAfter: number | undefined
  let note = ''
  const model = await stages
    .run(
      'train',
      () =>
        train(known, {
          ...options,
          seed,
          pool,
          userIds,
          itemIds,
          interactionCounts,
          itemFeatures,
          initial,
          // Tonight's data are not last night's: its checkpoint is overwritten.
          checkpoint: directory ? { directory, onMismatch: 'restart' } : undefined,
          signal,
          onIteration: (report, model) => {
            const { loss, entriesPerSecond } = report
            note = `loss ${loss.toPrecision(5)}, ${compact(entriesPerSecond)} entries/s`
            return iterations.add(report, model)
          },
          onProgress: ({ iteration, fraction }) => {
            resumedAfter ??= iteration - 1
            progress.update({
              phase: 'iterations',
              done: iteration - 1 + fraction,
              total: options.iterations,
              unit: 'iterations',
              note,
            })
          },
        }),
      ({ history }) => {
        const { loss = Number.NaN } = history[history.length - 1] ?? {}
        const seconds = history.reduce((sum, { seconds }) => sum + seconds, 0) / history.length
        const resumed = resumedAfter === 0 ? '' : `, resumed after ${resumedAfter ?? history.length}`
        return `${history.length} iterations of ${seconds.toFixed(2)} s${resumed}, loss ${loss.toPrecision(6)}`
      },
    )
    .finally(() => pool.close())
  await recorder.attempt('iterations', () => iterations.end(model.history, resumedAfter ?? model.history.length))
  return { model, matrix: known, heldOut: split?.test, tuned, recommended }
}

/** The options of the configuration that go together: some belong to an objective, one to features. */
function trainingOptions(
  { training }: Pick<Configuration, 'training'>,
  recommended: Recommended | undefined,
  withFeatures: boolean,
): TrainOptions {
  const { unobservedWeight, featureRegularization, ...options } = training
  return {
    ...options,
    ...(training.objective === 'ials' && { unobservedWeight }),
    ...recommended?.options,
    iterations: options.iterations,
    ...(withFeatures && { featureRegularization }),
  }
}

/** Tries options on what may be known; the journal's best of earlier nights come first. */
async function findOptions(
  { training, seed, threads, output }: Configuration,
  known: InteractionMatrix,
  itemFeatures: FeatureMatrix | undefined,
  stages: Stages,
  progress: Progress,
  signal: AbortSignal,
): Promise<TuneResult> {
  const { factors, iterations, tolerance } = training
  let done = 0
  let best = 0
  return stages.run(
    'tune',
    () =>
      tune(known, {
        base: { factors, itemFeatures, ...(tolerance !== undefined && { tolerance }) },
        iterations: { min: Math.min(3, iterations), max: iterations },
        seed,
        threads,
        journal: output.tuneJournal,
        signal,
        onRun: ({ value }) => {
          best = Math.max(best, value)
          progress.update({ phase: 'trials', done: ++done, unit: 'trials', note: `NDCG@20 ${best.toFixed(4)}` })
        },
      }),
    ({ best, runs }) => `${runs.length} trainings, the best with NDCG@20 ${best.value.toFixed(4)} on a fifth held out`,
  )
}

/** What the shape of the data recommends and why, for a table. */
export function describeRecommended({ options, reasons }: Recommended): Record<string, string>[] {
  return Object.entries(reasons)
    .filter(([option]) => option !== 'iterations')
    .map(([option, reason]) => {
      const value = options[option as keyof TrainOptions]
      return { option, value: typeof value === 'object' ? JSON.stringify(value) : String(value), reason }
    })
}

/** The best of what was tried, for a table. */
export function describeTrials({ runs }: TuneResult): Record<string, string>[] {
  return runs.slice(0, 10).map(({ parameters, iterations, value, seconds }) => ({
    objective: parameters.objective ?? '',
    alpha: String(parameters.alpha),
    'unobserved weight': String(parameters.unobservedWeight ?? 1),
    regularization: String(parameters.regularization),
    nu: String(parameters.nu),
    'popularity exponent': String(parameters.popularityExponent),
    iterations: String(iterations),
    'NDCG@20': value.toFixed(4),
    seconds: seconds.toFixed(1),
  }))
}

/** The model to start from, where INITIAL_MODEL has one: on the first night there is none yet. */
async function loadInitial({ output }: Configuration, stages: Stages): Promise<AlsModel | undefined> {
  const { initialModel: folder } = output
  if (!folder) return undefined
  return stages.run(
    'initial',
    async () => (holdsModel(folder) ? loadModel(folder, { interactions: false }) : undefined),
    (model) =>
      model
        ? `starts from ${grouped(model.users)} users and ${grouped(model.items)} items of ${folder}`
        : `no model in ${folder} yet: a random start`,
  )
}
