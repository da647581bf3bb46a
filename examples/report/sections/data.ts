import * as Plot from '@observablehq/plot'
import { compact, grouped } from '../../text/format.ts'
import { chart, ink, legend } from '../chart.ts'
import { figure, section } from '../figure.ts'
import type { Html } from '../markup.ts'
import { octaveRange, octaveStart, percent } from '../numbers.ts'
import type { RunRecord } from '../run-record.ts'

type Data = NonNullable<RunRecord['data']>

/** Rows, users and items from the files to the matrix. */
export function dataSection({ data, split }: RunRecord): Html | undefined {
  if (!data) return undefined
  return section('data', 'What became of the data', [
    funnel(data, split),
    activity('Users', 'user', data.users),
    activity('Items', 'item', data.items),
  ])
}

/** What is left after each reason to leave a row out, and how many that left out; reasons that left out none are not there. */
export function funnelSteps({ sources, merged, entries }: Data, split: RunRecord['split']) {
  const sum = (name: Exclude<keyof Data['sources'][number], 'name'>) =>
    sources.reduce((total, source) => total + source[name], 0)
  const drops: [name: string, lost: number, reason: string][] = [
    ['with ids', sum('nullIds') + sum('negativeIds'), 'a null or negative id'],
    ['sampled', sum('notSampled'), 'not in the sample'],
    ['in the window', sum('outsideWindow'), 'outside the time window'],
    ['with a weight', sum('withoutConfidence'), 'no confidence for the value'],
    ['active users', sum('inactiveUser'), 'user below the threshold'],
    ['active items', sum('inactiveItem'), 'item below the threshold'],
    ['merged', merged, 'merged into another signal of the pair'],
  ]
  let left = sum('rows')
  const steps = [{ name: 'read', left, lost: 0, reason: '' }]
  for (const [name, lost, reason] of drops) {
    left -= lost
    if (lost > 0) steps.push({ name, left, lost, reason })
  }
  if (left !== entries) {
    steps.push({
      name: 'repeated',
      left: entries,
      lost: left - entries,
      reason: 'below a threshold after others had gone',
    })
  }
  if (split)
    steps.push({ name: 'trained on', left: split.training, lost: split.heldOut, reason: 'held out to measure with' })
  return steps
}

function funnel(data: Data, split: RunRecord['split']): Html {
  const steps = funnelSteps(data, split)
  const all = Math.max(1, steps[0]!.left)
  const last = steps[steps.length - 1]!
  return figure({
    title: 'Rows on their way into the matrix',
    text: `Of ${grouped(all)} rows read, ${grouped(last.left)} (${percent(last.left / all)}) are ${split ? 'trained on' : 'in the matrix'}. The light part of a bar is what was left out there.`,
    legend: legend([
      ['kept', ink.first],
      ['left out at this step', ink.faint],
    ]),
    chart: chart(
      `Rows left after each step: ${steps.map(({ name, left }) => `${name} ${compact(left)}`).join(', ')}.`,
      ({ narrow }) => ({
        height: 40 + 30 * steps.length,
        marginTop: 8,
        marginLeft: 92,
        marginRight: 60,
        marginBottom: 38,
        x: {
          label: 'rows',
          labelArrow: 'none',
          tickFormat: compact,
          ticks: narrow ? 4 : 8,
          grid: true,
          domain: [0, all],
        },
        y: { label: null, domain: steps.map(({ name }) => name), padding: 0.25 },
        marks: [
          Plot.barX(steps, { y: 'name', x1: 'left', x2: (d) => d.left + d.lost, fill: ink.faint }),
          Plot.barX(steps, { y: 'name', x: 'left', fill: ink.first }),
          Plot.text(steps, {
            y: 'name',
            x: (d) => d.left + d.lost,
            text: (d) => compact(d.left),
            textAnchor: 'start',
            dx: 6,
            fill: ink.text,
          }),
        ],
      }),
    ),
    table: {
      columns: [
        'source',
        'files',
        'read',
        'bad ids',
        'not sampled',
        'outside window',
        'no confidence',
        'rare user',
        'rare item',
        'used',
      ],
      rows: [
        ...data.sources.map((source) => [
          source.name,
          grouped(source.files),
          grouped(source.rows),
          grouped(source.nullIds + source.negativeIds),
          grouped(source.notSampled),
          grouped(source.outsideWindow),
          grouped(source.withoutConfidence),
          grouped(source.inactiveUser),
          grouped(source.inactiveItem),
          grouped(source.used),
        ]),
        ...steps
          .slice(1)
          .map(({ reason, lost, left }) => [
            `all: ${reason}`,
            '',
            '',
            '',
            '',
            '',
            '',
            '',
            `−${grouped(lost)}`,
            grouped(left),
          ]),
      ],
    },
  })
}

function activity(title: string, one: string, side: Data['users']): Html {
  const { before, after, seen, active, threshold } = side
  const bars = (counts: readonly number[]) =>
    counts.map((count, octave) => ({ count, from: 2 ** octave, to: 2 ** (octave + 1) }))
  const octaves = Math.max(before.length, after.length)
  const ticks = Array.from({ length: octaves + 1 }, (_, octave) => 2 ** octave)
  return figure({
    title: `${title} by how much is known of them`,
    text: `${grouped(active)} of ${grouped(seen)} ${one}s are kept (${percent(active / Math.max(1, seen))}): those with at least ${grouped(threshold)} ${threshold === 1 ? 'row' : 'rows'}.`,
    legend: legend([
      ['rows, before the thresholds', ink.faint],
      ['entries, in the matrix', ink.first],
    ]),
    chart: chart(`${title} by number of interactions, before and after the thresholds.`, ({ narrow }) => ({
      height: 240,
      marginLeft: 56,
      marginBottom: 40,
      x: {
        type: 'log',
        base: 2,
        domain: [1, 2 ** octaves],
        ticks: ticks.filter((_, at) => at % (narrow && octaves > 7 ? 2 : 1) === 0),
        tickFormat: (count: number) => octaveStart(Math.round(Math.log2(count))),
        label: `interactions of ${one === 'item' ? 'an' : 'a'} ${one}`,
        labelAnchor: 'center',
        labelArrow: 'none',
      },
      y: { label: `${one}s`, grid: true, tickFormat: compact, ticks: 5, labelArrow: 'none' },
      marks: [
        Plot.rectY(bars(before), { x1: 'from', x2: 'to', y: 'count', fill: ink.faint, inset: 1 }),
        Plot.rectY(bars(after), {
          x1: 'from',
          x2: 'to',
          y: 'count',
          fill: ink.first,
          insetLeft: narrow ? 4 : 9,
          insetRight: narrow ? 4 : 9,
        }),
        Plot.ruleY([0], { stroke: ink.muted }),
        ...(threshold > 1
          ? [
              Plot.ruleX([threshold], { stroke: ink.second, strokeWidth: 2, strokeDasharray: '4 3' }),
              Plot.text([threshold], {
                x: (d) => d,
                frameAnchor: 'top',
                text: () => `threshold ${grouped(threshold)}`,
                textAnchor: 'start',
                dx: 5,
                dy: -16,
                fill: ink.second,
              }),
            ]
          : []),
      ],
    })),
    table: {
      columns: ['interactions', `${one}s by rows, before`, `${one}s by entries, after`],
      rows: Array.from({ length: octaves }, (_, octave) => [
        octaveRange(octave),
        grouped(before[octave] ?? 0),
        grouped(after[octave] ?? 0),
      ]),
    },
  })
}
