/** A row of the table that the parameters are chosen by: how good a model is on the validation split as it trains. */
import type { WorkerPool } from '@seesaw/als-core'
import { printTable } from '../solver/table.ts'
import { type DataSet, readDataSet, validationSplit } from './data-sets.ts'
import { type IalsOptions, trainIals } from './models.ts'

interface Point {
  iteration: number
  recall20: number
  ndcg20: number
}

export async function validate(data: DataSet, options: IalsOptions, every: number, pool: WorkerPool): Promise<Point[]> {
  const parts = readDataSet(data)
  if (!parts) return []
  const { train: matrix, test } = validationSplit(parts)
  const points: Point[] = []
  await trainIals(matrix, {
    ...options,
    pool,
    validation: {
      matrix: test,
      every,
      patience: options.iterations,
      onMetrics: ({ iteration }, { recall, ndcg }) => points.push({ iteration, recall20: recall, ndcg20: ndcg }),
    },
  })
  console.log(`${data}: ${JSON.stringify(options)}\n`)
  printTable<Point>(
    [
      ['iterations', ({ iteration }) => String(iteration)],
      ['Recall@20', ({ recall20 }) => recall20.toFixed(4)],
      ['NDCG@20', ({ ndcg20 }) => ndcg20.toFixed(4)],
    ],
    points,
  )
  return points
}
