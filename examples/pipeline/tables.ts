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
  const showLabel = columns >= 125
  // What the other columns and the rules between them take.
  const room = Math.max(40, Math.min(columns, 160) - (showLabel ? 43 : 40))
  const share = (part: number) => Math.floor(room * part)
  const rows = answers.map(({ release, score }, rank) => ({
    '#': rank + 1,
    title: cut(release.title ?? `release ${release.item_id}`, share(showLabel ? 0.3 : 0.38)),
    artist: cut(release.artists.join(', '), share(showLabel ? 0.24 : 0.31)),
    ...(showLabel ? { label: cut(release.labels.join(', '), share(0.22)) } : {}),
    year: release.year ?? '',
    styles: cut(release.styles.join(', '), share(showLabel ? 0.24 : 0.31)),
    country: cut(release.country ?? '', 11),
    interactions: grouped(release.interaction_count),
    score: score.toFixed(3),
  }))
  return `${heading}\n${asked}\n${renderTable(rows, ['#', 'year', 'interactions', 'score'])}`
}

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

/** Text of at most `width` characters, an ellipsis in place of the rest. */
export function cut(text: string, width: number): string {
  return text.length <= width ? text : `${text.slice(0, width - 1)}…`
}
