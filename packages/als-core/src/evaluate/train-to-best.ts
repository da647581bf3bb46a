import type { InteractionMatrix } from '../matrix/interaction-matrix.ts'
import type { AlsModel, IterationReport } from '../model/als-model.ts'
import { createWorkerPool } from '../pool/worker-pool.ts'
import { OptionError, type TrainOptions } from '../train/options.ts'
import { train } from '../train/train.ts'
import { evaluate } from './evaluate.ts'
import type { RankingMetrics } from './ranking-metrics.ts'

/** The metrics that are better the larger they are. */
export type ValidationMetric = 'recall' | 'truncatedRecall' | 'ndcg' | 'precision' | 'map' | 'mrr' | 'hitRate'

export interface ValidationOptions {
  /** What is to be found: users × items as in training, without the training entries (see `splitRandomly`, `leaveKOut`). */
  matrix: InteractionMatrix
  /** Default 'ndcg'. */
  metric?: ValidationMetric
  /** Length of the lists. Default 20. */
  k?: number
  /** Measure after every so many iterations, and after the last. Default 1. */
  every?: number
  /** Stop after so many measurements in a row without a new best. Default 3. */
  patience?: number
  /** Only these users: a sample makes it cheaper. Default: all who have something to find. */
  users?: ArrayLike<number>
  /** Called after each measurement. */
  onMetrics?: (report: IterationReport, metrics: RankingMetrics) => void
}

/** `train` with a validation matrix. The model's history ends with the best iteration. */
export async function trainToBest(
  matrix: InteractionMatrix,
  { validation: _, ...options }: TrainOptions,
  { matrix: test, metric = 'ndcg', k = 20, every = 1, patience = 3, users, onMetrics }: ValidationOptions,
): Promise<AlsModel> {
  for (const [name, value] of Object.entries({ k, every, patience })) {
    if (!(Number.isInteger(value) && value >= 1)) {
      throw new OptionError(`validation.${name} is ${value}, expected a whole number from 1.`)
    }
  }
  if (test.users !== matrix.users || test.items !== matrix.items) {
    throw new OptionError(
      `validation.matrix is ${test.users}×${test.items}, expected ${matrix.users}×${matrix.items} as the matrix to train on.`,
    )
  }
  const pool = options.pool ?? createWorkerPool({ threads: options.threads })
  let best: { model: AlsModel; value: number } | undefined
  let worse = 0
  const measure = async (report: IterationReport, model: AlsModel): Promise<void> => {
    const { at } = await evaluate(model, { train: matrix, test, k: [k], users, pool, signal: options.signal })
    report.validation = at[k][metric]
    onMetrics?.(report, at[k])
    if (best === undefined || report.validation > best.value) {
      best = { model: { ...model, history: [...model.history.slice(0, -1), report] }, value: report.validation }
      worse = 0
    } else worse++
  }
  try {
    const last = await train(matrix, {
      ...options,
      pool,
      onIteration: async (report, model) => {
        if (report.iteration % every === 0 || report.iteration === options.iterations)
          await measure(report, await model())
        return worse >= patience ? 'stop' : options.onIteration?.(report, model)
      },
    })
    return best?.model ?? last
  } finally {
    if (!options.pool) await pool.close()
  }
}
