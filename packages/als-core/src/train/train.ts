import type { InteractionMatrix } from '../matrix/interaction-matrix.ts'
import type { AlsModel } from '../model/als-model.ts'
import { DirectoryLockedError, lockDirectory } from '../model/lock-directory.ts'
import { MEMORY_LIMIT } from '../solve/layout.ts'
import { CheckpointError } from './checkpoint.ts'
import { resolveOptions, type TrainOptions } from './options.ts'
import { trainWithin } from './run-training.ts'
import { trainToBest } from './train-to-best.ts'
import { TrainingAborted } from './training-aborted.ts'

/**
 * Factorises an interaction matrix by alternating least squares (Hu, Koren, Volinsky 2008; Rendle et al. 2022).
 *
 * The same matrix, options and seed give the same factors, bit for bit, for any number of threads.
 *
 * @throws OptionError, MatrixError, CheckpointError (also when another run has the checkpoint) before any thread starts; RowError, SingularError when a system cannot
 * be solved; TrainingAborted on abort.
 */
export async function train(matrix: InteractionMatrix, options: TrainOptions = {}): Promise<AlsModel> {
  resolveOptions(options)
  const { checkpoint, signal } = options
  const unlock = checkpoint && (await lockCheckpoint(checkpoint.directory, signal))
  try {
    if (options.validation) return await trainToBest(matrix, options, options.validation)
    return await trainWithin(MEMORY_LIMIT, matrix, options)
  } finally {
    await unlock?.()
  }
}

/** Two trainings in one directory would resume from each other's state. */
async function lockCheckpoint(directory: string, signal: AbortSignal | undefined): Promise<() => Promise<void>> {
  try {
    return await lockDirectory(directory, signal)
  } catch (error) {
    if (error instanceof DirectoryLockedError) {
      throw new CheckpointError(`The checkpoint directory ${error.message}`, { cause: error })
    }
    if (signal?.aborted) throw new TrainingAborted(undefined, signal.reason)
    throw error
  }
}
