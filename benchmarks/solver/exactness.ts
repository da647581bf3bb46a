/** What the default tolerance leaves: the loss after each iteration beside that of the float64 Cholesky solver. */

import { createWorkerPool, type TrainOptions, train } from '@seesaw/als-core'
import { max } from 'simple-statistics'
import { cachedInteractions, readInteractions } from '../cached-interactions.ts'
import { printTable } from './table.ts'

interface Loss {
  data: string
  iteration: number
  loss: number
  exact: number
}

export async function exactness({
  threads,
  quick,
}: {
  threads: number
  quick: boolean
}): Promise<Record<string, unknown>> {
  const runs: [data: string, options: TrainOptions][] = [
    ['gowalla', { factors: 64, alpha: 40, regularization: 1 }],
    [
      'gowalla',
      {
        factors: 64,
        objective: 'ials',
        unobservedWeight: 0.01,
        regularization: 0.005,
        regularizationScaling: { nu: 1 },
      },
    ],
    ['S', { factors: 128 }],
  ]
  const losses: Loss[] = []
  const pool = createWorkerPool({ threads })
  try {
    for (const [data, options] of quick ? runs.slice(0, 2) : runs) {
      const matrix = readInteractions(await cachedInteractions(data))
      const shared = { ...options, iterations: quick ? 2 : 3, pool }
      const { history } = await train(matrix, shared)
      const exact = await train(matrix, { ...shared, solver: 'cholesky' })
      for (const { iteration, loss } of history) {
        const name = `${data}, ${options.objective ?? 'hkv'}, k=${options.factors}`
        losses.push({ data: name, iteration, loss, exact: exact.history[iteration - 1].loss })
      }
    }
  } finally {
    await pool.close()
  }
  const excess = ({ loss, exact }: Loss) => loss / exact - 1
  printTable<Loss>(
    [
      ['data', ({ data }) => data],
      ['iteration', ({ iteration }) => String(iteration)],
      ['loss', ({ loss }) => loss.toPrecision(8)],
      ['loss of exact rows', ({ exact }) => exact.toPrecision(8)],
      ['excess', (loss) => excess(loss).toExponential(1)],
    ],
    losses,
  )
  return { threads, largestExcess: max(losses.map(excess)) }
}
