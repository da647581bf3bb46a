/** Processor time of an iteration at 128 factors: ours with and without features, and irspack's with them. */
import { type TrainOptions, train, type WorkerPool } from '@seesaw/als-core'
import { median } from 'simple-statistics'
import { cpuSeconds } from '../process-cost.ts'
import type { DataSet } from './data-sets.ts'
import { trainIrspack } from './irspack.ts'
import { setting, splitFor } from './protocol.ts'

export interface IterationCosts {
  /** Medians over iterations and rounds, in processor seconds, all threads. */
  readonly features: number
  readonly plain: number
  readonly irspack?: number
}

/** The programs run in turn, `rounds` times; the first iteration of each, which warms up, does not count. */
export async function measureIterations(
  data: DataSet,
  { pool, threads, rounds, peers }: { pool: WorkerPool; threads: number; rounds: number; peers: boolean },
): Promise<IterationCosts> {
  const { train: matrix } = splitFor(data, 1)
  const options = { ...setting, factors: 128, iterations: 5 }
  const costs: Record<'features' | 'plain' | 'irspack', number[]> = { features: [], plain: [], irspack: [] }
  const step = async (more: Partial<TrainOptions>): Promise<{ seconds: number[]; regularization?: number }> => {
    const marks: number[] = []
    const model = await train(matrix, { ...options, ...more, pool, onIteration: () => void marks.push(cpuSeconds()) })
    return {
      seconds: marks.slice(1).map((mark, n) => mark - marks[n]),
      regularization: model.itemFeatures?.regularization,
    }
  }
  for (let round = 0; round < rounds; round++) {
    const { seconds, regularization } = await step({ itemFeatures: data.features })
    costs.features.push(...seconds)
    costs.plain.push(...(await step({})).seconds)
    if (!peers) continue
    const theirs = await trainIrspack(matrix, data.features, {
      ...options,
      featureRegularization: regularization!,
      seed: 1,
      threads,
    })
    costs.irspack.push(...theirs.cpuSeconds.slice(1))
  }
  return {
    features: median(costs.features),
    plain: median(costs.plain),
    ...(peers && { irspack: median(costs.irspack) }),
  }
}
