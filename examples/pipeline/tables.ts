import { styleText } from 'node:util'
import { Table } from 'console-table-printer'
import stringWidth from 'string-width'
import { bytes, cut, duration, grouped } from '../text/format.ts'
import { asText, type ItemPayload, nameOf } from './payload.ts'
import type { Answer, Question } from './questions.ts'
import type { StageCost } from './stages.ts'

export type Row = Record<string, string | number>

/** A table: numbers to the right, text to the left. */
export function renderTable(rows: readonly Row[], rightAligned: readonly string[] = []): string {
  const table = new Table({
    shouldDisableColors: true,
    columns: Object.keys(rows[0] ?? {}).map((name) => ({
      name,
      alignment: rightAligned.includes(name) ? 'right' : 'left',
      // Cells have been cut to fit already: as wide as the longest, so that the library wraps none.
      maxLen: Math.max(name.length, ...rows.map((row) => stringWidth(String(row[name])))),
    })),
  })
  for (const row of rows) table.addRow(row)
  return table.render()
}

/** One question and its answers, as wide as the terminal at most. */
export function renderAnswers(
  question: Question,
  answers: readonly Answer[],
  payload: readonly string[],
  columns: number,
): string {
  const heading = styleText('bold', question.title)
  const asked = [
    ...question.positive.map((item) => `  + ${describeItem(item, payload)}`),
    ...question.negative.map((item) => `  - ${describeItem(item, payload)}`),
  ].map((line) => cut(line, columns))
  if (answers.length === 0) return [heading, ...asked, 'nothing passes the filter'].join('\n')
  const measures = answers.map(({ item, score }) => ({
    interactions: grouped(item.interaction_count),
    score: score.toFixed(3).replace(/^-(0\.0+)$/, '$1'),
  }))
  const items = answers.map(({ item }) => item)
  return [heading, ...asked, renderItems(items, payload, measures, columns)].join('\n')
}

/** Items as a numbered table of what they are called and as many of their other columns as there is room for. */
export function renderItems(
  items: readonly ItemPayload[],
  payload: readonly string[],
  measures: readonly Row[],
  columns: number,
): string {
  const ranked = items.map((_, rank) => ({ '#': rank + 1 }))
  const names = payload.length > 0 ? payload : ['item_id']
  const texts = new Map(names.map((name) => [name, items.map((item) => asText(item[name]))]))
  texts.set(names[0]!, payload.length > 0 ? items.map((item) => nameOf(item, payload)) : texts.get('item_id')!)
  const fixed = widthOf(ranked) + widthOf(measures) + 1
  const widths = fit(
    names.map((name) => Math.max(stringWidth(name), ...texts.get(name)!.map((text) => stringWidth(text)))),
    Math.min(columns, 160) - fixed,
  )
  const rows = items.map((_, i) => ({
    ...ranked[i],
    ...Object.fromEntries(widths.map((width, at) => [names[at]!, cut(texts.get(names[at]!)![i]!, width)])),
    ...measures[i],
  }))
  const numbers = names.filter((name) => items.every((item) => typeof item[name] === 'number' || item[name] === null))
  const rightAligned = ['#', ...numbers, ...Object.keys(measures[0] ?? {})]
  return renderTable(rows as Row[], rightAligned)
}

/** Columns of the terminal on standard output; 120 where there is none. */
export function terminalWidth(): number {
  return process.stdout.columns ?? 120
}

/** What each stage cost, and all of them. */
export function renderCosts(costs: readonly StageCost[]): string {
  const rows = costs.map(({ stage, seconds, peakMemory }) => ({
    stage,
    time: duration(seconds),
    'peak memory': bytes(peakMemory),
  }))
  rows.push({
    stage: 'all',
    time: duration(costs.reduce((sum, cost) => sum + cost.seconds, 0)),
    'peak memory': bytes(Math.max(...costs.map((cost) => cost.peakMemory))),
  })
  return renderTable(rows, ['time', 'peak memory'])
}

/** "Inner Drift; Distant Transmission; 1993; Deep House, House": what an item is called and the columns after that. */
function describeItem(item: ItemPayload, payload: readonly string[]): string {
  const more = payload.slice(1, 4).map((name) => asText(item[name]))
  return [nameOf(item, payload), ...more].filter(Boolean).join('; ')
}

/** Rules and one space on each side of a column. */
const RULES = 3
/** A column gives way to the others down to this width, and then the last one goes. */
const NARROW = 20

function widthOf(rows: readonly Row[]): number {
  return Object.keys(rows[0] ?? {}).reduce(
    (sum, name) => sum + RULES + Math.max(name.length, ...rows.map((row) => String(row[name]).length)),
    0,
  )
}

/** Widths of columns that would be `natural` wide, in `room` with their rules: the last go, the widest shrink. */
export function fit(natural: readonly number[], room: number): number[] {
  const widths = [...natural]
  const total = () => widths.reduce((sum, width) => sum + width + RULES, 0)
  const least = () => widths.reduce((sum, width) => sum + Math.min(width, NARROW) + RULES, 0)
  while (widths.length > 1 && least() > room) widths.pop()
  while (total() > room && Math.max(...widths) > 8) widths[widths.indexOf(Math.max(...widths))]! -= 1
  return widths
}
