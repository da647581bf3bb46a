/**
 * Recommendation quality on published splits, beside baselines and published results.
 *
 *   npm run bench -- quality [--data gowalla|amazon-cds] [--seeds 1] [--threads 2] [--fresh] [--quick]
 *   npm run bench -- quality --part validation --data gowalla [--factors 1024] [--exponent 0.25] [--unobserved 0.015]
 *     [--regularization 0.005] [--nu 1] [--tolerance 0.2] [--steps 4] [--iterations 8] [--every 4]   on a split of the training part
 *   npm run bench -- quality --part agreement [--size S] [--factors 64]    the same model as implicit's?
 *
 * What is measured is kept: a run that was cut off goes on, and one with more seeds adds to it. `--fresh` measures anew.
 */
import { parseArgs } from 'node:util'
import {
  type AlsModel,
  createWorkerPool,
  type Evaluation,
  evaluate,
  itemNeighbours,
  mostPopular,
  type RecommendationSource,
  type WorkerPool,
} from '@seesaw/als-core'
import { mean } from 'simple-statistics'
import { peakRssMb } from '../process-cost.ts'
import { agreement } from '../quality/agreement.ts'
import { type DataSet, dataSets, readDataSet, type TrainAndTest } from '../quality/data-sets.ts'
import { type Measurement, measured } from '../quality/measurements.ts'
import { chosen, type IalsOptions, trainIals } from '../quality/models.ts'
import { published } from '../quality/published.ts'
import { chartBuckets, printReport, type Row } from '../quality/report.ts'
import { validate } from '../quality/validate.ts'

export async function main(args: string[]): Promise<Record<string, unknown>> {
  const { values } = parseArgs({
    args,
    options: {
      part: { type: 'string', default: 'compare' },
      size: { type: 'string', default: 'S' },
      data: { type: 'string' },
      seeds: { type: 'string', default: '1' },
      threads: { type: 'string', default: '2' },
      fresh: { type: 'boolean', default: false },
      quick: { type: 'boolean', default: false },
      factors: { type: 'string' },
      exponent: { type: 'string' },
      unobserved: { type: 'string' },
      regularization: { type: 'string' },
      nu: { type: 'string' },
      tolerance: { type: 'string' },
      steps: { type: 'string' },
      iterations: { type: 'string' },
      every: { type: 'string', default: '4' },
    },
  })
  const number = (text: string | undefined) => (text === undefined ? undefined : Number(text))
  const threads = Number(values.threads)
  const factors = number(values.factors)
  if (values.part === 'agreement') {
    return { part: 'agreement', results: await agreement(values.size, factors ?? 64, threads) }
  }
  const some = dataSets.filter((name) => values.data === undefined || values.data === name)
  const pool = createWorkerPool({ threads })
  try {
    if (values.part === 'validation') {
      const given = {
        factors,
        exponent: number(values.exponent),
        unobservedWeight: number(values.unobserved),
        regularization: number(values.regularization),
        regularizationScaling: values.nu === undefined ? undefined : { nu: Number(values.nu) },
        tolerance: number(values.tolerance),
        maxSteps: number(values.steps),
        iterations: number(values.iterations),
      }
      const points: Record<string, unknown> = {}
      for (const data of some) {
        const options = { ...chosen[data], ...JSON.parse(JSON.stringify(given)) } as IalsOptions
        points[data] = await validate(data, options, Number(values.every), pool)
      }
      return { part: 'validation', ...points }
    }
    return await compare(some, { seeds: Number(values.seeds), fresh: values.fresh, quick: values.quick }, pool)
  } finally {
    await pool.close()
  }
}

async function compare(
  names: DataSet[],
  { seeds, fresh, quick }: { seeds: number; fresh: boolean; quick: boolean },
  pool: WorkerPool,
): Promise<Record<string, unknown>> {
  const rows: Row[] = []
  const figures: Record<string, number> = {}
  for (const data of names) {
    const parts = readDataSet(data)
    if (!parts) continue
    rows.push(
      ...published[data].map(({ model, recall20, ndcg20 }) => ({
        data,
        model,
        recall20: [recall20],
        ndcg20: [ndcg20],
        runs: [],
      })),
    )
    const add = (model: string, runs: Measurement[]): Row => {
      const at20 = runs.map(({ evaluation }) => evaluation.at[20])
      const row = {
        data,
        model,
        recall20: at20.map(({ recall }) => recall),
        ndcg20: at20.map(({ ndcg }) => ndcg),
        runs,
      }
      rows.push(row)
      return row
    }
    const baselines: [string, (parts: TrainAndTest) => AlsModel | RecommendationSource][] = [
      ['most popular', ({ train }) => mostPopular(train)],
      ['item kNN', ({ train }) => itemNeighbours(train)],
    ]
    for (const [model, make] of baselines) {
      const measure = async () => ({ evaluation: await evaluateAll(make(parts), parts, pool) })
      add(model, [await measured({ data, model }, fresh, measure)])
    }
    const ials = async (options: IalsOptions): Promise<Measurement> => {
      const run = await measured({ data, ...options }, fresh, () => trainAndEvaluate(options, parts, pool))
      const { recall, ndcg } = run.evaluation.at[20]
      console.error(`${data}, k=${options.factors}, seed ${options.seed}: ${recall.toFixed(4)} / ${ndcg.toFixed(4)}`)
      return run
    }
    let largest = add('iALS, k=64', [await ials({ ...chosen[data], factors: 64, seed: 1 })])
    if (!quick) {
      const runs: Measurement[] = []
      for (let seed = 1; seed <= seeds; seed++) runs.push(await ials({ ...chosen[data], seed }))
      largest = add(`iALS, k=${chosen[data].factors}`, runs)
    }
    const name = data.replace(/-(.)/g, (_, letter: string) => letter.toUpperCase())
    figures[`${name}Recall20`] = Number(mean(largest.recall20).toFixed(4))
    figures[`${name}Ndcg20`] = Number(mean(largest.ndcg20).toFixed(4))
  }
  printReport(rows)
  if (!quick && names.length === dataSets.length && rows.length > 0) chartBuckets(rows)
  return figures
}

async function trainAndEvaluate(options: IalsOptions, parts: TrainAndTest, pool: WorkerPool): Promise<Measurement> {
  const started = performance.now()
  const model = await trainIals(parts.train, { ...options, pool })
  const seconds = (performance.now() - started) / 1000
  return { evaluation: await evaluateAll(model, parts, pool), seconds, peakRssMb: peakRssMb() }
}

async function evaluateAll(
  source: AlsModel | RecommendationSource,
  parts: TrainAndTest,
  pool: WorkerPool,
): Promise<Evaluation> {
  const evaluation = await evaluate(source, { ...parts, k: [10, 20, 50], pool })
  const hitsOf = ({ at }: Pick<Evaluation, 'at'>) => at[20].precision * at[20].users
  const inBuckets = evaluation.buckets.reduce((sum, bucket) => sum + hitsOf(bucket), 0)
  if (Math.abs(inBuckets - hitsOf(evaluation)) > 0.01)
    throw new Error('The hits of the buckets are not those of the whole.')
  return evaluation
}
