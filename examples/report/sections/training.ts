import * as Plot from '@observablehq/plot'
import { compact, duration, grouped } from '../../text/format.ts'
import { type Canvas, chart, ink, legend } from '../chart.ts'
import { figure, section } from '../figure.ts'
import type { Html } from '../markup.ts'
import { metric, percent } from '../numbers.ts'
import type { RunRecord } from '../run-record.ts'

type Training = NonNullable<RunRecord['training']>

/** Loss and quality by iteration. */
export function trainingSection({ training }: RunRecord, against?: RunRecord): Html | undefined {
  if (!training || training.iterations.length === 0) return undefined
  return section('training', 'How training went', [
    loss(training, against?.training),
    validation(training, against?.training),
  ])
}

function loss({ iterations, resumedAfter }: Training, against?: Training): Html | undefined {
  const points = pointsOf(iterations, ({ loss }) => loss)
  if (points.length === 0) return undefined
  const last = points[points.length - 1]!
  const step = points.length > 1 ? 1 - last.y / points[points.length - 2]!.y : 0
  return figure({
    title: 'Loss by iteration',
    text: `It ends at ${last.y.toPrecision(6)}; the last iteration took ${percent(step, 3)} off it.${resumedAfter ? ` The first ${resumedAfter} iterations are those of a run that was interrupted.` : ''}`,
    ...lines(
      'Loss of each iteration.',
      'loss',
      points,
      against && pointsOf(against.iterations, ({ loss }) => loss),
      compactLoss,
    ),
    table: {
      columns: ['iteration', 'loss', 'time', 'entries a second'],
      rows: iterations.map(({ iteration, loss, seconds, entriesPerSecond }) => [
        iteration,
        loss?.toPrecision(7) ?? '–',
        duration(seconds),
        grouped(entriesPerSecond),
      ]),
    },
  })
}

function validation({ iterations, measuredUsers = 0 }: Training, against?: Training): Html | undefined {
  const points = pointsOf(iterations, ({ ndcg }) => ndcg)
  if (points.length === 0) return undefined
  const best = points.reduce((most, point) => (point.y > most.y ? point : most))
  return figure({
    title: 'NDCG@20 by iteration',
    text: `On ${grouped(measuredUsers)} users with held-out entries; best after iteration ${best.x}, ${metric(best.y)}. Differences below ${metric(0.3 / Math.sqrt(Math.max(1, measuredUsers)))} may be chance.`,
    ...lines(
      'NDCG@20 after iterations.',
      'NDCG@20',
      points,
      against && pointsOf(against.iterations, ({ ndcg }) => ndcg),
      (value) => value.toFixed(3),
    ),
    table: { columns: ['iteration', 'NDCG@20'], rows: points.map(({ x, y }) => [x, metric(y)]) },
  })
}

interface Point {
  readonly x: number
  readonly y: number
}

function pointsOf(
  iterations: Training['iterations'],
  value: (each: Training['iterations'][number]) => number | undefined,
): Point[] {
  return iterations.flatMap((each) => {
    const y = value(each)
    return y === undefined ? [] : [{ x: each.iteration, y }]
  })
}

/** A line over iterations, and that of the run before. */
function lines(
  description: string,
  label: string,
  points: readonly Point[],
  before: readonly Point[] = [],
  format: (value: number) => string,
): { chart: Html; legend?: Html } {
  const last = Math.max(...points.map(({ x }) => x), ...before.map(({ x }) => x))
  const options = ({ narrow }: Canvas): Plot.PlotOptions => ({
    height: 240,
    marginLeft: 64,
    marginBottom: 40,
    marginRight: 24,
    x: {
      label: 'iteration',
      labelAnchor: 'center',
      labelArrow: 'none',
      domain: [1, Math.max(2, last)],
      ticks: Math.min(last, narrow ? 6 : 15),
      tickFormat: (value: number) => (Number.isInteger(value) ? String(value) : ''),
    },
    y: { label, labelArrow: 'none', grid: true, ticks: 5, tickFormat: format, nice: true },
    marks: [
      Plot.line(before, { x: 'x', y: 'y', stroke: ink.muted, strokeDasharray: '5 4' }),
      Plot.line(points, { x: 'x', y: 'y', stroke: ink.first, strokeWidth: 2 }),
      Plot.dot(points, { x: 'x', y: 'y', fill: ink.first, r: 3 }),
    ],
  })
  const named =
    before.length > 0 &&
    legend([
      ['this run', ink.first],
      ['the run it is compared with (dashed)', ink.muted],
    ])
  return { chart: chart(description, options), ...(named && { legend: named }) }
}

function compactLoss(value: number): string {
  return Math.abs(value) >= 1e3
    ? new Intl.NumberFormat('en', { notation: 'compact', maximumSignificantDigits: 4 }).format(value)
    : compact(value)
}
