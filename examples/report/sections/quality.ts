import * as Plot from '@observablehq/plot'
import { grouped } from '../../text/format.ts'
import { chart, ink, legend } from '../chart.ts'
import { figure, section } from '../figure.ts'
import type { Html } from '../markup.ts'
import { metric, octaveRange, octaveStart, percent } from '../numbers.ts'
import type { QualityRecord, RunRecord } from '../run-record.ts'

const COLOURS = [ink.first, ink.second, ink.third]

/** How much of what was held out is found, by the model and by what it has to be better than. */
export function qualitySection({ quality, novelty }: RunRecord): Html | undefined {
  return section('quality', 'How good the recommendations are', [
    ...(quality?.length
      ? [compared(quality), buckets(quality), byGroup(quality, 'byUser'), byGroup(quality, 'byItem')]
      : []),
    novelty && newcomers(novelty),
  ])
}

const colourOf = (at: number) => COLOURS[at % COLOURS.length]!

function legendOf(quality: readonly QualityRecord[]): Html {
  return legend(quality.map(({ name }, at) => [name, colourOf(at)] as const))
}

function compared(quality: readonly QualityRecord[]): Html {
  const [ours, ...others] = quality as [QualityRecord, ...QualityRecord[]]
  const best = [...others].sort((a, b) => b.recall - a.recall)[0]
  const bars = quality.flatMap(({ name, recall, ndcg }, at) => [
    { measure: 'Recall@20', name, value: recall, colour: colourOf(at) },
    { measure: 'NDCG@20', name, value: ndcg, colour: colourOf(at) },
  ])
  const ratio = best && best.recall > 0 ? `, ${(ours.recall / best.recall).toFixed(2)} times that of ${best.name}` : ''
  return figure({
    title: 'Beside simpler ways to recommend',
    text: `Recall@20 is ${metric(ours.recall)}${ratio}: that share of what was held out from a user is among the first 20 of all items.`,
    chart: chart(
      `Recall@20 and NDCG@20: ${quality.map(({ name, recall, ndcg }) => `${name} ${metric(recall)} and ${metric(ndcg)}`).join(', ')}.`,
      ({ narrow }) => ({
        height: 66 + 28 * quality.length,
        marginTop: 26,
        marginLeft: 96,
        marginRight: 8,
        marginBottom: 38,
        // Room for the figure at the end of the longest bar.
        x: {
          label: null,
          grid: true,
          ticks: narrow ? 2 : 4,
          domain: [0, (narrow ? 1.6 : 1.25) * Math.max(0.001, ...bars.map(({ value }) => value))],
        },
        y: { label: null, domain: quality.map(({ name }) => name), padding: 0.2 },
        fx: { label: null, domain: ['Recall@20', 'NDCG@20'], padding: 0.08 },
        marks: [
          Plot.barX(bars, { fx: 'measure', y: 'name', x: 'value', fill: 'colour' }),
          Plot.text(bars, {
            fx: 'measure',
            y: 'name',
            x: 'value',
            text: (d) => metric(d.value),
            textAnchor: 'start',
            dx: 5,
            fill: ink.text,
          }),
        ],
      }),
    ),
    table: {
      columns: ['recommended by', 'users', 'Recall@20', 'NDCG@20', 'MAP@20', 'MRR@20', 'users with a hit'],
      rows: quality.map(({ name, users, recall, ndcg, map, mrr, hitRate }) => [
        name,
        grouped(users),
        metric(recall),
        metric(ndcg),
        metric(map),
        metric(mrr),
        percent(hitRate),
      ]),
    },
  })
}

function buckets(quality: readonly QualityRecord[]): Html {
  const names = quality[0]!.buckets.map(({ name }) => name)
  const bars = quality.flatMap(({ name: source, buckets }, at) =>
    buckets.map(({ name, recall }) => ({ bucket: name, source, recall, colour: colourOf(at) })),
  )
  const items = quality[0]!.buckets.map(({ name, items }) => `${name}: ${grouped(items)} items`).join(', ')
  return figure({
    title: 'Recall by popularity of the items',
    text: `Each of the three buckets holds a third of the training entries (${items}). A model that finds nothing in the tail repeats the charts.`,
    legend: legendOf(quality),
    chart: chart('Recall@20 in head, middle and tail of the catalogue.', ({ narrow }) => ({
      height: 260,
      marginTop: 32,
      marginLeft: 48,
      marginBottom: 34,
      fx: { label: null, domain: names, padding: 0.15 },
      x: { axis: null, domain: quality.map(({ name }) => name), padding: 0.1 },
      y: { label: 'Recall@20', labelArrow: 'none', grid: true, ticks: 5 },
      marks: [
        Plot.axisFx({ anchor: 'bottom', label: null }),
        Plot.barY(bars, { fx: 'bucket', x: 'source', y: 'recall', fill: 'colour' }),
        Plot.text(bars, {
          fx: 'bucket',
          x: 'source',
          y: 'recall',
          text: (d) => d.recall.toFixed(narrow ? 2 : 3),
          dy: -7,
          fontSize: narrow ? 10 : 11,
          fill: ink.text,
        }),
        Plot.ruleY([0], { stroke: ink.muted }),
      ],
    })),
    table: {
      columns: ['bucket', 'items', ...quality.map(({ name }) => name)],
      rows: names.map((name, at) => [
        name,
        grouped(quality[0]!.buckets[at]!.items),
        ...quality.map(({ buckets }) => metric(buckets[at]!.recall)),
      ]),
    },
  })
}

const groups = {
  byUser: {
    title: 'Recall by how much is known of the user',
    text: 'Recall@20, averaged over users with as many training entries. The table says how many users a point stands for.',
    of: { label: 'training entries of a user', counted: 'users', axis: 'Recall@20' },
  },
  byItem: {
    title: 'Found again, by how much is known of the item',
    text: 'The share of held-out entries that are among the first 20, by the training entries of their item: where items begin to be recommendable.',
    of: { label: 'training entries of an item', counted: 'held-out entries', axis: 'share found' },
  },
}

function byGroup(quality: readonly QualityRecord[], side: 'byUser' | 'byItem'): Html | undefined {
  const {
    title,
    text,
    of: { label, counted, axis },
  } = groups[side]
  const points = quality.flatMap((source, at) =>
    source[side].map(({ octave, recall }) => ({ octave, recall, name: source.name, colour: colourOf(at) })),
  )
  if (points.length === 0) return undefined
  const octaves = [...new Set(points.map(({ octave }) => octave))].sort((a, b) => a - b)
  const of = (source: QualityRecord, octave: number) => source[side].find((group) => group.octave === octave)
  const size = (octave: number) => {
    const group = of(quality[0]!, octave)
    return grouped((side === 'byUser' ? group?.users : group?.relevant) ?? 0)
  }
  return figure({
    title,
    text,
    legend: legendOf(quality),
    chart: chart(`${title}.`, ({ narrow }) => ({
      height: 240,
      marginLeft: 48,
      marginBottom: 40,
      x: {
        type: 'point',
        domain: octaves,
        tickFormat: (octave: number) =>
          narrow && octaves.length > 7 && octaves.indexOf(octave) % 2 === 1 ? '' : octaveStart(octave),
        label: `${label} (from)`,
        labelAnchor: 'center',
        labelArrow: 'none',
      },
      y: {
        label: axis,
        labelArrow: 'none',
        grid: true,
        ticks: 5,
        zero: true,
      },
      marks: [
        Plot.line(points, { x: 'octave', y: 'recall', z: 'name', stroke: 'colour', strokeWidth: 2 }),
        Plot.dot(points, { x: 'octave', y: 'recall', fill: 'colour', r: 3 }),
        Plot.ruleY([0], { stroke: ink.muted }),
      ],
    })),
    table: {
      columns: [label, counted, ...quality.map(({ name }) => name)],
      rows: octaves.map((octave) => [
        octaveRange(octave),
        size(octave),
        ...quality.map((source) => {
          const group = of(source, octave)
          return group ? metric(group.recall) : '–'
        }),
      ]),
    },
  })
}

function newcomers({ users, items }: NonNullable<RunRecord['novelty']>): Html {
  const rows = [
    { side: 'users', ...users },
    { side: 'items', ...items },
  ]
  const bars = rows.flatMap(({ side, warm, cold, new: fresh = 0 }) => {
    const all = Math.max(1, warm + cold)
    return [
      { side, from: 0, to: (warm - Math.min(warm, fresh)) / all, colour: ink.first },
      { side, from: (warm - Math.min(warm, fresh)) / all, to: warm / all, colour: ink.third },
      { side, from: warm / all, to: (warm + cold) / all, colour: ink.second },
    ]
  })
  const since = users.new !== undefined
  const cold = [
    users.cold > 0 && `${grouped(users.cold)} users`,
    items.cold > 0 && `${grouped(items.cold)} items`,
  ].filter(Boolean)
  return figure({
    title: 'Known and new',
    text: `${cold.length > 0 ? `${cold.join(' and ')} have no training entry: all that is known of them was held out, and they cannot be recommended to or found.` : 'Every user and item has training entries.'}${since ? ` Since the model that training started from, ${grouped(users.new!)} users and ${grouped(items.new!)} items are new.` : ''}`,
    legend: legend([
      ['with training entries', ink.first],
      ...(since ? [['of these not in the earlier model', ink.third] as const] : []),
      ['without', ink.second],
    ]),
    chart: chart('Shares of users and items with and without training entries.', () => ({
      height: 110,
      marginTop: 8,
      marginLeft: 56,
      marginBottom: 38,
      x: {
        label: 'share',
        labelArrow: 'none',
        domain: [0, 1],
        tickFormat: (value: number) => percent(value, 0),
        ticks: 5,
      },
      y: { label: null, domain: ['users', 'items'], padding: 0.3 },
      marks: [Plot.barX(bars, { y: 'side', x1: 'from', x2: 'to', fill: 'colour' })],
    })),
    table: {
      columns: ['', 'with training entries', 'without', ...(since ? ['not in the earlier model'] : [])],
      rows: rows.map(({ side, warm, cold, new: fresh }) => [
        side,
        grouped(warm),
        grouped(cold),
        ...(since ? [grouped(fresh ?? 0)] : []),
      ]),
    },
  })
}
