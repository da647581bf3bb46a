import * as Plot from '@observablehq/plot'
import { chart, ink, legend } from '../chart.ts'
import { change, changedSettings, compareRuns, judge, type Move } from '../compare.ts'
import { figure, section, table } from '../figure.ts'
import { type Html, html } from '../markup.ts'
import type { RunRecord } from '../run-record.ts'
import { day } from './summary.ts'

const COLOUR = { better: ink.good, worse: ink.bad, same: ink.muted, other: ink.muted } as const
const WORD = { better: 'better', worse: 'worse', same: 'as before', other: 'changed' } as const
/** Bars longer than this share are cut. */
const WIDEST = 1

/** What differs from another run. */
export function movedSection(run: RunRecord, against: RunRecord | undefined): Html | undefined {
  if (!against) return undefined
  const moves = compareRuns(run, against)
  const settings = changedSettings(run, against)
  return section('moved', `Since the run of ${day(against)}`, [
    moves.length > 0 ? movesFigure(moves) : html`<p>The two runs have no figures in common.</p>`,
    settings.length === 0
      ? html`<p>The settings are the same.</p>`
      : table(
          {
            columns: ['setting', 'before', 'now'],
            text: 3,
            rows: settings.map(({ name, before, after }) => [html`<code>${name}</code>`, before, after]),
          },
          'Settings that differ',
        ),
  ])
}

function movesFigure(moves: readonly Move[]): Html {
  const judged = moves.map((move) => ({ move, verdict: judge(move), grown: change(move) }))
  const bars = judged.map(({ move, verdict, grown = 0 }) => ({
    name: move.name,
    grown: Math.max(-WIDEST, Math.min(WIDEST, grown)),
    text: signed(grown),
    colour: COLOUR[verdict],
  }))
  const widest = Math.max(0.02, ...bars.map(({ grown }) => Math.abs(grown)))
  const count = (verdict: keyof typeof WORD) => judged.filter((each) => each.verdict === verdict).length
  return figure({
    title: 'What moved',
    text: `Better: ${count('better')} figures; worse: ${count('worse')}. Changes below 0.5 % count as none. Times and memory depend on what else the machine had to do.`,
    legend: legend([
      ['better', ink.good],
      ['worse', ink.bad],
      ['neither', ink.muted],
    ]),
    chart: chart(
      `Change of each figure: ${judged.map(({ move, grown }) => `${move.name} ${grown === undefined ? 'new' : signed(grown)}`).join(', ')}.`,
      ({ narrow }) => ({
        height: 44 + 24 * bars.length,
        marginTop: 8,
        marginLeft: narrow ? 140 : 180,
        marginRight: 24,
        marginBottom: 38,
        x: {
          label: 'change',
          labelArrow: 'none',
          labelAnchor: 'center',
          domain: [-1, 1].map((side) => side * widest * (narrow ? 2.4 : 1.5)),
          tickFormat: signed,
          ticks: narrow ? 3 : 7,
          grid: true,
        },
        y: { label: null, domain: bars.map(({ name }) => name), padding: 0.3 },
        marks: [
          Plot.barX(bars, { y: 'name', x: 'grown', fill: 'colour' }),
          Plot.text(
            bars.filter(({ grown }) => grown >= 0),
            { y: 'name', x: 'grown', text: 'text', textAnchor: 'start', dx: 5, fill: ink.text },
          ),
          Plot.text(
            bars.filter(({ grown }) => grown < 0),
            { y: 'name', x: 'grown', text: 'text', textAnchor: 'end', dx: -5, fill: ink.text },
          ),
          Plot.ruleX([0], { stroke: ink.muted }),
        ],
      }),
    ),
    table: {
      columns: ['figure', '', 'before', 'now', 'change'],
      text: 2,
      rows: judged.map(({ move, verdict, grown }) => [
        move.name,
        html`<span class="${verdict}">${WORD[verdict]}</span>`,
        move.format(move.before),
        move.format(move.after),
        grown === undefined ? '–' : signed(grown),
      ]),
    },
  })
}

function signed(share: number): string {
  const text = (100 * Math.abs(share)).toFixed(Math.abs(share) < 0.1 ? 1 : 0)
  return `${Number(text) === 0 ? '' : share < 0 ? '−' : '+'}${text} %`
}
