import { join } from 'node:path'
import { OptionError } from '../checks/option-error.ts'
import { positiveInteger } from '../checks/values.ts'
import { evaluate } from '../evaluate/evaluate.ts'
import type { InteractionMatrix } from '../matrix/interaction-matrix.ts'
import type { AlsModel, IterationReport } from '../model/als-model.ts'
import { loadModel } from '../model/load-model.ts'
import { saveModel } from '../model/save-model.ts'
import { collectGarbageWith } from '../pool/collect-garbage.ts'
import { createWorkerPool } from '../pool/worker-pool.ts'
import { MEMORY_LIMIT } from '../solve/layout.ts'
import { resolveOptions, type TrainOptions, type ValidationOptions } from './options.ts'
import { trainWithin } from './run-training.ts'

/**
 * `train` with a validation matrix. The model's history ends with the best iteration. Beside a checkpoint it keeps the best
 * model so far, in the folder `best`, for a training that is resumed after its best iteration.
 */
export async function trainToBest(
  matrix: InteractionMatrix,
  { validation: _, ...options }: TrainOptions,
  { matrix: test, metric = 'ndcg', k = 20, every = 1, patience = 3, users, onMetrics }: ValidationOptions,
): Promise<AlsModel> {
  for (const [name, value] of Object.entries({ k, every, patience })) positiveInteger(`validation.${name}`, value)
  if (test.users !== matrix.users || test.items !== matrix.items) {
    throw new OptionError(
      `validation.matrix is ${test.users}×${test.items}, expected ${matrix.users}×${matrix.items}, the shape of the training matrix.`,
    )
  }
  const { iterations } = resolveOptions(options)
  const pool = options.pool ?? createWorkerPool({ threads: options.threads })
  const directory = options.checkpoint && join(options.checkpoint.directory, 'best')
  let best: AlsModel | undefined
  /** Measures an iteration; returns whether patience has run out. */
  const measure = async (report: IterationReport, model: AlsModel): Promise<boolean> => {
    const { at } = await evaluate(model, { train: matrix, test, k: [k], users, pool, signal: options.signal })
    report.validation = at[k][metric]
    onMetrics?.(report, at[k])
    const { iteration, worse } = findBest(model.history)!
    if (iteration === report.iteration) {
      best = model
      if (directory) await saveModel(best, directory)
    }
    await collectGarbageWith(pool)
    return worse >= patience
  }
  try {
    const last = await trainWithin(MEMORY_LIMIT, matrix, {
      ...options,
      pool,
      onIteration: async (report, model) => {
        const measured = report.iteration % every === 0 || report.iteration === iterations
        const over = measured && (await measure(report, await model()))
        return over ? 'stop' : options.onIteration?.(report, model)
      },
    })
    const found = findBest(last.history)
    if (!found) return last
    return best?.history.length === found.iteration ? best : await loadModel(directory!)
  } finally {
    if (!options.pool) await pool.close()
  }
}

/** The iteration with the best measurement, and the number of those after it. */
function findBest(history: readonly IterationReport[]): { iteration: number; worse: number } | undefined {
  let best: IterationReport | undefined
  let worse = 0
  for (const report of history) {
    if (report.validation === undefined) continue
    if (best === undefined || report.validation > best.validation!) {
      best = report
      worse = 0
    } else worse++
  }
  return best && { iteration: best.iteration, worse }
}
