import { existsSync } from 'node:fs'
import {
  type AlsModel,
  evaluate,
  type InteractionMatrix,
  loadModel,
  mostPopular,
  type RankingMetrics,
  type RegularizationScaling,
  splitRandomly,
  train,
} from '@seesaw/als-core'
import type { LoadedInteractions } from '@seesaw/loader'
import type { Configuration } from './configuration.ts'
import { compact, grouped } from './format.ts'
import type { Progress } from './progress.ts'
import type { Stages } from './stages.ts'

/** A model and, when a part was held out, how well it finds that part again. */
export interface Learned {
  readonly model: AlsModel
  /** What the model was trained on. */
  readonly matrix: InteractionMatrix
  readonly heldOut?: InteractionMatrix
  readonly quality?: readonly { readonly name: string; readonly metrics: RankingMetrics }[]
}

/** Trains, on all entries or, with HOLD_OUT, on what is left of them, and then measures on the rest. */
export async function learn(
  configuration: Configuration,
  { matrix, userIds, itemIds, interactionCounts }: LoadedInteractions,
  stages: Stages,
  progress: Progress,
  signal: AbortSignal,
): Promise<Learned> {
  const { HOLD_OUT, SEED, THREADS: threads, ITERATIONS } = configuration
  const split = HOLD_OUT > 0 ? splitRandomly(matrix, HOLD_OUT, { seed: SEED }) : undefined
  const known = split?.train ?? matrix
  const initial = await loadInitial(configuration, stages)
  const { CHECKPOINT_DIR: directory } = configuration
  let resumedAfter: number | undefined
  let note = ''
  const model = await stages.run(
    'train',
    () =>
      train(known, {
        factors: configuration.VECTOR_DIM,
        iterations: ITERATIONS,
        regularization: configuration.REGULARIZATION,
        regularizationScaling: scalingOf(configuration),
        objective: configuration.OBJECTIVE,
        alpha: configuration.ALPHA,
        unobservedWeight: configuration.OBJECTIVE === 'ials' ? configuration.UNOBSERVED_WEIGHT : undefined,
        seed: SEED,
        threads,
        userIds,
        itemIds,
        interactionCounts,
        initial,
        // Tonight's data are not last night's: its checkpoint makes way.
        checkpoint: directory ? { directory, otherTraining: 'replace' } : undefined,
        signal,
        onIteration: ({ loss, entriesPerSecond }) => {
          note = `loss ${loss.toPrecision(5)}, ${compact(entriesPerSecond)} entries/s`
        },
        onProgress: ({ iteration, fraction }) => {
          resumedAfter ??= iteration - 1
          progress.update({
            phase: 'iterations',
            done: iteration - 1 + fraction,
            total: ITERATIONS,
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
  if (!split) return { model, matrix: known }
  const measure = async (name: string, candidate: AlsModel) => {
    const onProgress = ({ done, users }: { done: number; users: number }) =>
      progress.update({ phase: name, done, total: users, unit: 'users' })
    const { at } = await evaluate(candidate, { ...split, k: [20], threads, signal, onProgress })
    return { name, metrics: at[20]! }
  }
  const quality = await stages.run(
    'evaluate',
    async () => [await measure('this model', model), await measure('most popular', mostPopular(split.train))],
    ([ours]) =>
      `${grouped(split.test.entries)} held-out entries of ${grouped(ours!.metrics.users)} users ranked among all items`,
  )
  return { model, matrix: known, heldOut: split.test, quality }
}

/** The model to start from, where INITIAL_MODEL has one: on the first night there is none yet. */
async function loadInitial({ INITIAL_MODEL }: Configuration, stages: Stages): Promise<AlsModel | undefined> {
  if (!INITIAL_MODEL) return undefined
  return stages.run(
    'initial',
    async () => (existsSync(INITIAL_MODEL) ? loadModel(INITIAL_MODEL) : undefined),
    (model) =>
      model
        ? `starts from ${grouped(model.users)} users and ${grouped(model.items)} items of ${INITIAL_MODEL}`
        : `no model in ${INITIAL_MODEL} yet: a random start`,
  )
}

/** Metrics side by side; shares in per cent where that reads better. */
export function describeQuality(quality: NonNullable<Learned['quality']>): Record<string, string>[] {
  return quality.map(({ name, metrics }) => ({
    'recommended by': name,
    'Recall@20': metrics.recall.toFixed(4),
    'NDCG@20': metrics.ndcg.toFixed(4),
    'users with a hit': `${(100 * metrics.hitRate).toFixed(1)} %`,
    'catalogue shown': `${(100 * metrics.coverage).toFixed(1)} %`,
  }))
}

function scalingOf({ REGULARIZATION_SCALING: scaling }: Configuration): RegularizationScaling {
  if (scaling === 'none' || scaling === 'count') return scaling
  return { nu: Number(scaling) }
}
