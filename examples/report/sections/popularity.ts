import * as Plot from '@observablehq/plot'
import { grouped } from '../../text/format.ts'
import { chart, ink, legend } from '../chart.ts'
import { figure, section } from '../figure.ts'
import type { Html } from '../markup.ts'
import { octaveRange, octaveStart, percent, shares } from '../numbers.ts'
import type { RunRecord } from '../run-record.ts'

/** What is recommended, beside what there is and what people take. */
export function popularitySection(record: RunRecord): Html | undefined {
  return section('popularity', 'What is recommended', [bias(record), coverage(record)])
}

function bias({ popularity, quality, listed }: RunRecord): Html | undefined {
  if (!popularity) return undefined
  const recommended =
    quality?.map(({ name, recommended }) => ({ name, counts: recommended })) ??
    (listed ? [{ name: 'this model', counts: listed.recommended }] : [])
  const model = recommended.find(({ name }) => name === 'this model')
  const octaves = popularity.items.length
  // The first ones may be empty: there are thresholds.
  const first = popularity.items.findIndex((items) => items > 0)
  const shown = Array.from({ length: octaves - first }, (_, at) => first + at)
  const series = [
    { name: 'the catalogue', values: shares(popularity.items), colour: ink.faint },
    { name: 'what people have', values: shares(popularity.entries), colour: ink.muted },
    ...(model ? [{ name: 'what the model recommends', values: shares(model.counts), colour: ink.first }] : []),
  ]
  const bars = series
    .slice(0, 1)
    .flatMap(({ values, colour }) => values.map((share, octave) => ({ octave, share, colour })))
  const lines = series
    .slice(1)
    .flatMap(({ name, values, colour }) =>
      shown.map((octave) => ({ octave, name, share: values[octave] ?? 0, colour })),
    )
  const head = (values: readonly number[]) => mean(values)
  const leaning = model ? head(shares(model.counts)) - head(series[1]!.values) : 0
  const words =
    Math.abs(leaning) < 0.1 ? 'about as popular as' : leaning > 0 ? 'more popular than' : 'less popular than'
  const times = 2 ** Math.abs(leaning)
  return figure({
    title: 'Popularity of what is recommended',
    text: model
      ? `Recommended items are ${words} what people have${Math.abs(leaning) < 0.1 ? '' : `, by a factor of ${times.toFixed(1)} in the (geometric) mean`}. A line that leans to the right of the data’s is popularity bias.`
      : 'How popular the items are, and what of the training entries falls to them.',
    legend: legend(series.map(({ name, colour }) => [name, colour] as const)),
    chart: chart(
      'Shares of the catalogue, of training entries and of recommendations, by popularity of the item.',
      ({ narrow }) => ({
        height: 260,
        marginLeft: 48,
        marginBottom: 40,
        x: {
          type: 'band',
          domain: shown,
          padding: 0.15,
          tickFormat: (octave: number) =>
            narrow && shown.length > 7 && shown.indexOf(octave) % 2 === 1 ? '' : octaveStart(octave),
          label: 'training entries of the item (from)',
          labelAnchor: 'center',
          labelArrow: 'none',
        },
        y: {
          label: 'share',
          labelArrow: 'none',
          grid: true,
          ticks: 5,
          tickFormat: (value: number) => percent(value, 0),
          zero: true,
        },
        marks: [
          Plot.barY(bars, { x: 'octave', y: 'share', fill: 'colour' }),
          Plot.line(lines, { x: 'octave', y: 'share', z: 'name', stroke: 'colour', strokeWidth: 2 }),
          Plot.dot(lines, { x: 'octave', y: 'share', fill: 'colour', r: 3 }),
          Plot.ruleY([0], { stroke: ink.muted }),
        ],
      }),
    ),
    table: {
      columns: ['training entries', 'items', 'catalogue', 'what people have', ...recommended.map(({ name }) => name)],
      rows: shown.map((octave) => [
        octaveRange(octave),
        grouped(popularity.items[octave]!),
        percent(series[0]!.values[octave]!),
        percent(series[1]!.values[octave]!),
        ...recommended.map(({ counts }) => percent(shares(counts)[octave] ?? 0)),
      ]),
    },
  })
}

/** Mean octave. */
function mean(values: readonly number[]): number {
  return values.reduce((sum, share, octave) => sum + share * octave, 0)
}

function coverage({ quality, listed }: RunRecord): Html | undefined {
  const rows =
    quality?.flatMap(({ name, coverage, gini, meanPopularity, users }) =>
      coverage === undefined ? [] : [{ name, coverage, gini, meanPopularity, users }],
    ) ??
    (listed
      ? [
          {
            name: 'this model',
            coverage: listed.coverage,
            gini: undefined,
            meanPopularity: undefined,
            users: listed.users,
          },
        ]
      : [])
  if (rows.length === 0) return undefined
  const ours = rows[0]!
  return figure({
    title: 'How much of the catalogue is shown',
    text: `In the first 20 of ${grouped(ours.users)} users, ${percent(ours.coverage)} of the items appear at least once.`,
    chart: chart(
      `Share of the catalogue that is shown: ${rows.map(({ name, coverage }) => `${name} ${percent(coverage)}`).join(', ')}.`,
      ({ narrow }) => ({
        height: 46 + 32 * rows.length,
        marginTop: 8,
        marginLeft: 96,
        marginRight: 60,
        marginBottom: 38,
        x: {
          label: 'share of the items',
          labelArrow: 'none',
          domain: [0, 1],
          grid: true,
          ticks: narrow ? 3 : 5,
          tickFormat: (value: number) => percent(value, 0),
        },
        y: { label: null, domain: rows.map(({ name }) => name), padding: 0.25 },
        marks: [
          Plot.barX(rows, { y: 'name', x: 'coverage', fill: ink.first }),
          Plot.text(rows, {
            y: 'name',
            x: 'coverage',
            text: (d) => percent(d.coverage),
            textAnchor: 'start',
            dx: 6,
            fill: ink.text,
          }),
        ],
      }),
    ),
    table: {
      columns: [
        'recommended by',
        'users',
        'catalogue shown',
        'mean entries of what is shown',
        'Gini of how often items are shown',
      ],
      rows: rows.map(({ name, users, coverage, meanPopularity, gini }) => [
        name,
        grouped(users),
        percent(coverage),
        meanPopularity === undefined ? '–' : meanPopularity.toFixed(1),
        gini === undefined ? '–' : gini.toFixed(3),
      ]),
    },
  })
}
