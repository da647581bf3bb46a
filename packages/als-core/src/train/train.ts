import type { InteractionMatrix } from '../matrix/interaction-matrix.ts'
import type { AlsModel } from '../model/als-model.ts'
import { MEMORY_LIMIT } from '../solve/layout.ts'
import type { TrainOptions } from './options.ts'
import { trainWithin } from './run-training.ts'
import { trainToBest } from './train-to-best.ts'

/**
 * Factorises an interaction matrix by alternating least squares (Hu, Koren, Volinsky 2008; Rendle et al. 2022).
 *
 * The same matrix, options and seed give the same factors, bit for bit, for any number of threads.
 *
 * @throws OptionError, MatrixError, CheckpointError before any thread starts; RowError, SingularError when a system cannot
 * be solved; TrainingAborted on abort.
 */
export function train(matrix: InteractionMatrix, options: TrainOptions = {}): Promise<AlsModel> {
  if (options.validation) return trainToBest(matrix, options, options.validation)
  return trainWithin(MEMORY_LIMIT, matrix, options)
}
