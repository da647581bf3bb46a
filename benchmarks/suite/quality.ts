/**
 * Recommendation quality on published splits, beside baselines and published results.
 *
 *   npm run bench -- quality [--data gowalla|amazon-cds] [--seeds 1] [--factors K] [--threads 2] [--quick]
 *   npm run bench -- quality --part search [--factors 256] [--trials 27]   parameters on a validation split
 *   npm run bench -- quality --part agreement [--size S] [--factors 64]    the same model as implicit's
 */
import { existsSync, mkdirSync, readFileSync, writeFileSync } from 'node:fs'
import { fileURLToPath } from 'node:url'
import { parseArgs } from 'node:util'
import {
  type AlsModel,
  createWorkerPool,
  type Evaluation,
  evaluate,
  itemNeighbours,
  mostPopular,
  type TrainOptions,
  train,
  tune,
  tuneTable,
  type UserRanker,
  type WorkerPool,
  weightByPopularity,
} from '@seesaw/als-core'
import { mean, standardDeviation } from 'simple-statistics'
import { type Bar, writeBarChart } from '../charts/bucket-chart.ts'
import { peakRssMb } from '../process-cost.ts'
import { agreement } from '../quality/agreement.ts'
import { type DataSet, dataSets, readDataSet, type TrainAndTest, validationSplit } from '../quality/data-sets.ts'
import { published } from '../quality/published.ts'
import { printTable } from '../solver/table.ts'

/** Chosen on a validation split of the training part, see docs/quality.md. */
const chosen: Record<DataSet, TrainOptions> = {
  gowalla: {
    factors: 1024,
    iterations: 6,
    unobservedWeight: 0.015,
    regularization: 0.005,
    regularizationScaling: { nu: 1 },
  },
  'amazon-cds': {
    factors: 1024,
    iterations: 10,
    unobservedWeight: 0.015,
    regularization: 0.005,
    regularizationScaling: { nu: 1 },
  },
}

/** Rows are solved closer than implicit does: the figures should be the model's, not the solver's. */
const solving: TrainOptions = { objective: 'ials', tolerance: 0.2, maxSteps: 4 }

interface Row {
  data: DataSet
  model: string
  evaluation?: Evaluation
  recall20: number
  ndcg20: number
  seconds?: number
}

export async function main(args: string[]): Promise<Record<string, unknown>> {
  const { values } = parseArgs({
    args,
    options: {
      part: { type: 'string', default: 'compare' },
      size: { type: 'string', default: 'S' },
      data: { type: 'string' },
      seeds: { type: 'string', default: '1' },
      factors: { type: 'string' },
      trials: { type: 'string', default: '27' },
      threads: { type: 'string', default: '2' },
      quick: { type: 'boolean', default: false },
    },
  })
  const threads = Number(values.threads)
  mkdirSync(new URL('../.cache/', import.meta.url), { recursive: true })
  const factors = values.factors === undefined ? undefined : Number(values.factors)
  if (values.part === 'agreement') {
    return { part: 'agreement', results: await agreement(values.size, factors ?? 64, threads) }
  }
  const pool = createWorkerPool({ threads })
  try {
    if (values.part === 'search') return await search(factors ?? 256, Number(values.trials), pool)
    const rows: Row[] = []
    const figures: Record<string, unknown> = {}
    for (const data of dataSets.filter((name) => values.data === undefined || values.data === name)) {
      const parts = readDataSet(data)
      if (!parts) continue
      const options = { ...chosen[data], ...(factors && { factors }), ...(values.quick && { factors: 64 }) }
      rows.push(...published[data].map((result) => ({ data, ...result })))
      rows.push(await measure(data, 'most popular', mostPopular(parts.train), parts, pool))
      rows.push(await measure(data, 'item kNN, cosine, 100 neighbours', itemNeighbours(parts.train), parts, pool))
      if (options.factors !== 64) rows.push(await ials(data, parts, { ...options, factors: 64, seed: 1 }, pool))
      const runs: Row[] = []
      for (let seed = 1; seed <= Number(values.seeds); seed++)
        runs.push(await ials(data, parts, { ...options, seed }, pool))
      rows.push(runs[0])
      if (runs.length > 1) printSpread(runs)
      const name = data.replace(/-(.)/g, (_, letter: string) => letter.toUpperCase())
      figures[`${name}Recall20`] = round(mean(runs.map(({ recall20 }) => recall20)))
      figures[`${name}Ndcg20`] = round(mean(runs.map(({ ndcg20 }) => ndcg20)))
    }
    print(rows)
    if (!values.quick) chart(remember(rows))
    return { ...figures, peakRssMb: Math.round(peakRssMb()) }
  } finally {
    await pool.close()
  }
}

/** Trains with entries weighted by the popularity of their items. */
async function ials(data: DataSet, parts: TrainAndTest, options: TrainOptions, pool: WorkerPool): Promise<Row> {
  const started = performance.now()
  const model = await train(weightByPopularity(parts.train), { ...solving, ...options, pool })
  const seconds = (performance.now() - started) / 1000
  return { ...(await measure(data, `iALS, k=${options.factors}`, model, parts, pool)), seconds }
}

async function measure(
  data: DataSet,
  model: string,
  source: AlsModel | UserRanker,
  { train, test }: TrainAndTest,
  pool: WorkerPool,
): Promise<Row> {
  const evaluation = await evaluate(source, { train, test, k: [10, 20, 50], pool })
  const { recall, ndcg } = evaluation.at[20]
  console.error(`${data}, ${model}: Recall@20 ${recall.toFixed(4)}, NDCG@20 ${ndcg.toFixed(4)}`)
  return { data, model, evaluation, recall20: recall, ndcg20: ndcg }
}

async function search(factors: number, trials: number, pool: WorkerPool): Promise<Record<string, unknown>> {
  const best: Record<string, unknown> = {}
  for (const data of dataSets) {
    const parts = readDataSet(data)
    if (!parts) continue
    const { train: matrix, test: validation } = validationSplit(parts)
    const result = await tune(weightByPopularity(matrix), {
      validation,
      space: {
        regularization: { min: 0.0005, max: 0.02, log: true },
        unobservedWeight: { min: 0.003, max: 0.03, log: true },
        nu: [1],
      },
      base: { factors, ...solving },
      trials,
      iterations: { min: 4, max: 8 },
      pool,
      journal: fileURLToPath(new URL(`../.cache/quality-${data}-${factors}.jsonl`, import.meta.url)),
      onRun: ({ trial, iterations, value }) =>
        console.error(`${data}: trial ${trial}, ${iterations} iterations: ${value}`),
    })
    console.log(`${data}, k=${factors}:\n\n${tuneTable(result)}\n`)
    best[data] = result.best
  }
  return { part: 'search', factors, best }
}

function print(rows: Row[]): void {
  const figure = (value: number | undefined, digits = 4) => value?.toFixed(digits) ?? ''
  printTable<Row>(
    [
      ['data', ({ data }) => data],
      ['model', ({ model, evaluation }) => (evaluation ? `**${model}**` : model)],
      ['Recall@20', ({ recall20 }) => figure(recall20)],
      ['NDCG@20', ({ ndcg20 }) => figure(ndcg20)],
      ['MAP@20', ({ evaluation }) => figure(evaluation?.at[20].map)],
      ['hit rate@20', ({ evaluation }) => figure(evaluation?.at[20].hitRate)],
      ['coverage@20', ({ evaluation }) => figure(evaluation?.at[20].coverage, 3)],
      ['Gini@20', ({ evaluation }) => figure(evaluation?.at[20].gini, 3)],
      ['mean popularity', ({ evaluation }) => figure(evaluation?.at[20].meanPopularity, 0)],
      ['training, s', ({ seconds }) => figure(seconds, 0)],
    ],
    rows,
  )
  printTable<Row>(
    [
      ['data', ({ data }) => data],
      ['model', ({ model }) => model],
      ...[0, 1, 2].map((b): [string, (row: Row) => string] => [
        `Recall@20, ${['head', 'middle', 'tail'][b]}`,
        ({ evaluation }) => figure(evaluation!.buckets[b].at[20].recall),
      ]),
      ...[0, 1, 2].map((b): [string, (row: Row) => string] => [
        `coverage@20, ${['head', 'middle', 'tail'][b]}`,
        ({ evaluation }) => figure(evaluation!.buckets[b].at[20].coverage, 3),
      ]),
    ],
    rows.filter(({ evaluation }) => evaluation),
  )
}

function printSpread(runs: Row[]): void {
  const spread = (values: number[]) => `${mean(values).toFixed(4)} ± ${standardDeviation(values).toFixed(4)}`
  console.log(
    `${runs[0].data}, ${runs.length} seeds: Recall@20 ${spread(runs.map(({ recall20 }) => recall20))}, NDCG@20 ${spread(runs.map(({ ndcg20 }) => ndcg20))}\n`,
  )
}

/** Keeps these rows and adds those that an earlier run has kept of the other data set. */
function remember(rows: Row[]): Row[] {
  return dataSets.flatMap((data) => {
    const file = new URL(`../.cache/quality-${data}.json`, import.meta.url)
    const some = rows.filter((row) => row.data === data)
    if (some.length > 0) writeFileSync(file, JSON.stringify(some))
    return existsSync(file) ? (JSON.parse(readFileSync(file, 'utf8')) as Row[]) : []
  })
}

function chart(rows: Row[]): void {
  const bars: Bar[] = rows.flatMap(({ data, model, evaluation }) =>
    (evaluation?.buckets ?? []).map(({ name, at }) => ({
      facet: data,
      group: name,
      series: model.replace(/,.*/, ''),
      y: at[20].recall,
    })),
  )
  writeBarChart(
    fileURLToPath(new URL('../../docs/quality-buckets.svg', import.meta.url)),
    'Recall@20 by popularity of the item to be found (thirds of the training interactions)',
    bars,
  )
}

function round(value: number): number {
  return Number(value.toFixed(4))
}
