import { styleText } from 'node:util'
import { Table } from 'console-table-printer'
import { bytes, duration, grouped } from './format.ts'
import type { ReleasePayload } from './payload.ts'
import type { Answer, Question } from './questions.ts'
import type { StageCost } from './stages.ts'

type Row = Record<string, string | number>

/** A table: numbers to the right, text to the left. */
export function renderTable(rows: readonly Row[], rightAligned: readonly string[] = []): string {
  const table = new Table({
    shouldDisableColors: true,
    columns: Object.keys(rows[0] ?? {}).map((name) => ({
      name,
      alignment: rightAligned.includes(name) ? 'right' : 'left',
      // Cells have been cut to fit already: as wide as the longest, so that the library wraps none.
      maxLen: Math.max(name.length, ...rows.map((row) => String(row[name]).length)),
    })),
  })
  for (const row of rows) table.addRow(row)
  return table.render()
}

export function renderAnswers(question: Question, answers: readonly Answer[], columns: number): string {
  const heading = styleText('bold', question.title)
  const asked = [
    ...question.positive.map((release) => `  + ${describeRelease(release)}`),
    ...question.negative.map((release) => `  - ${describeRelease(release)}`),
  ].join('\n')
  if (answers.length === 0) return `${heading}\n${asked}\nnothing passes the filter`
  const wide = columns >= 130
  const widths = shareOut(columns, wide ? [28, 22, 20, 22] : [38, 31, 0, 31], wide ? 62 : 45)
  const rows = answers.map(({ release, score }, rank) => ({
    '#': rank + 1,
    title: cut(release.title ?? `release ${release.item_id}`, widths[0]!),
    artist: cut(release.artists.join(', '), widths[1]!),
    ...(wide && { label: cut(release.labels.join(', '), widths[2]!) }),
    year: release.year ?? '',
    styles: cut(release.styles.join(', '), widths[3]!),
    ...(wide && { country: cut(release.country ?? '', 11) }),
    interactions: grouped(release.interaction_count),
    score: score.toFixed(3),
  }))
  return `${heading}\n${asked}\n${renderTable(rows, ['#', 'year', 'interactions', 'score'])}`
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

function describeRelease({ item_id, title, artists, year, styles }: ReleasePayload): string {
  const by = artists.length > 0 ? ` by ${artists.join(', ')}` : ''
  return `${title ?? `release ${item_id}`}${by}${year ? `, ${year}` : ''}${styles.length > 0 ? ` (${styles.join(', ')})` : ''}`
}

/**
 * Widths of text columns, by their shares of what a terminal of `columns` leaves when the other columns and the rules
 * have taken `taken`.
 */
export function shareOut(columns: number, shares: readonly number[], taken: number): number[] {
  const room = Math.max(30, Math.min(columns, 160) - taken)
  const sum = shares.reduce((a, b) => a + b, 0)
  return shares.map((share) => Math.floor((room * share) / sum))
}

/** Text of at most `width` characters, an ellipsis in place of the rest. */
export function cut(text: string, width: number): string {
  return text.length <= width ? text : `${text.slice(0, width - 1)}…`
}
