/** The tables and the chart of the comparison. */
import { fileURLToPath } from 'node:url'
import { mean, standardDeviation } from 'simple-statistics'
import { writeBarChart } from '../charts/bucket-chart.ts'
import { printTable } from '../solver/table.ts'
import type { DataSet } from './data-sets.ts'
import type { Measurement } from './measurements.ts'

/** A published result, or a model of ours with a run for each seed. */
export interface Row {
  data: DataSet
  model: string
  recall20: number[]
  ndcg20: number[]
  runs: Measurement[]
}

export function printReport(rows: Row[]): void {
  const ours = rows.filter(({ runs }) => runs.length > 0)
  printTable<Row>(
    [
      ['data', ({ data }) => data],
      ['model', ({ model, runs }) => (runs.length > 0 ? `**${model}**` : model)],
      ['Recall@20', ({ recall20 }) => spread(recall20, 4)],
      ['NDCG@20', ({ ndcg20 }) => spread(ndcg20, 4)],
      ['seeds', ({ runs }) => (runs.length > 1 ? String(runs.length) : '')],
      // The least: other work on the machine lengthens a run, earlier trainings of a process heighten its peak.
      ['training, s', ({ runs }) => least(present(runs, 'seconds'))],
      ['peak RSS, MB', ({ runs }) => least(present(runs, 'peakRssMb'))],
    ],
    rows,
  )
  const first = ({ runs }: Row) => runs[0].evaluation
  printTable<Row>(
    [
      ['data', ({ data }) => data],
      ['model', ({ model }) => model],
      ...[10, 50].map((k): [string, (row: Row) => string] => [
        `Recall@${k}`,
        (row) => first(row).at[k].recall.toFixed(4),
      ]),
      ['recall of min(20, n)', (row) => first(row).at[20].truncatedRecall.toFixed(4)],
      ['precision@20', (row) => first(row).at[20].precision.toFixed(4)],
      ['MAP@20', (row) => first(row).at[20].map.toFixed(4)],
      ['MRR@20', (row) => first(row).at[20].mrr.toFixed(4)],
      ['hit rate@20', (row) => first(row).at[20].hitRate.toFixed(4)],
      ['coverage@20', (row) => first(row).at[20].coverage.toFixed(3)],
      ['Gini@20', (row) => first(row).at[20].gini.toFixed(3)],
      ['mean popularity', (row) => first(row).at[20].meanPopularity.toFixed(0)],
    ],
    ours,
  )
  const perBucket = (metric: 'recall' | 'coverage', digits: number) =>
    [0, 1, 2].map((b): [string, (row: Row) => string] => [
      `${metric === 'recall' ? 'Recall' : metric}@20, ${['head', 'middle', 'tail'][b]}`,
      (row) => first(row).buckets[b].at[20][metric].toFixed(digits),
    ])
  printTable<Row>(
    [
      ['data', ({ data }) => data],
      ['model', ({ model }) => model],
      ...perBucket('recall', 4),
      ...perBucket('coverage', 3),
    ],
    ours,
  )
}

/** Draws the models of ours into the page. */
export function chartBuckets(rows: Row[]): void {
  writeBarChart(
    fileURLToPath(new URL('../../docs/quality-buckets.svg', import.meta.url)),
    'Recall@20 by popularity of the item to be found',
    rows.flatMap(({ data, model, runs }) =>
      (runs[0]?.evaluation.buckets ?? []).map(({ name, at }) => ({
        facet: data,
        group: name,
        series: model,
        y: at[20].recall,
      })),
    ),
  )
}

function present(runs: Measurement[], name: 'seconds' | 'peakRssMb'): number[] {
  return runs.flatMap((run) => run[name] ?? [])
}

/** Mean ± standard deviation, or the one value. */
function spread(values: number[], digits: number): string {
  if (values.length === 0) return ''
  const centre = mean(values).toFixed(digits)
  return values.length > 1 ? `${centre} ± ${standardDeviation(values).toFixed(digits)}` : centre
}

function least(values: number[]): string {
  return values.length > 0 ? Math.min(...values).toFixed(0) : ''
}
