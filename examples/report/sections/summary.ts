import { bytes, compact, duration, grouped } from '../../text/format.ts'
import { table } from '../figure.ts'
import { type Html, html } from '../markup.ts'
import { metric, percent } from '../numbers.ts'
import type { RunRecord } from '../run-record.ts'

/** When a run began, for a person. */
export function day({ began }: RunRecord): string {
  return `${began.slice(0, 10)} ${began.slice(11, 16)} UTC`
}

const STATUS = {
  complete: 'This run is complete.',
  running: 'This run has not ended, or was killed. What follows is what it had done when its record was last saved.',
  failed: 'This run failed. What follows is what it had done until then.',
  interrupted: 'This run was interrupted by a signal. What follows is what it had done until then.',
} as const

/** How the run ended, and its main figures. */
export function summary(record: RunRecord): Html {
  const { status, error, stages } = record
  const saved = stages.some(({ stage, failed }) => stage === 'save' && !failed)
  return html`<header>
<h1>Training report</h1>
<p>Run of ${day(record)}, ${duration(record.seconds)}.</p>
${status === 'complete' ? '' : html`<div class="banner" role="status"><p><b>${STATUS[status]}</b>${saved ? ' The model was saved.' : ' The model beside this report, if there is one, is that of an earlier run.'}</p>${error ? html`<pre>${error}</pre>` : ''}</div>`}
<dl class="tiles">${tiles(record).map(([name, value, more]) => html`<div><dt>${name}</dt><dd>${value}</dd>${more ? html`<dd class="soft">${more}</dd>` : ''}</div>`)}</dl>
</header>`
}

function tiles({
  data,
  quality,
  listed,
  seconds,
  stages,
  memory,
  training,
}: RunRecord): [name: string, value: string, more?: string][] {
  const ours = quality?.find(({ name }) => name === 'this model')
  const neighbours = quality?.find(({ name }) => name === 'item kNN')
  const popular = quality?.find(({ name }) => name === 'most popular')
  const shown = ours?.coverage ?? listed?.coverage
  const loss = training?.iterations.at(-1)?.loss
  const tile = (present: unknown, ...rest: [string, () => string, (() => string)?]): [string, string, string?][] =>
    present === undefined || present === false ? [] : [[rest[0], rest[1](), rest[2]?.()]]
  return [
    ...tile(
      ours,
      'Recall@20',
      () => metric(ours!.recall),
      () =>
        [neighbours && `item kNN ${metric(neighbours.recall)}`, popular && `most popular ${metric(popular.recall)}`]
          .filter(Boolean)
          .join(', '),
    ),
    ...tile(
      ours,
      'NDCG@20',
      () => metric(ours!.ndcg),
      () => `${percent(ours!.hitRate, 0)} of users have a hit`,
    ),
    ...tile(
      shown,
      'catalogue shown',
      () => percent(shown!),
      () => 'in the first 20 of each user',
    ),
    ...tile(
      ours === undefined && loss,
      'loss',
      () => loss!.toPrecision(5),
      () => `after ${training!.iterations.length} iterations`,
    ),
    ...tile(
      data,
      'matrix',
      () => `${compact(data!.users.active)} × ${compact(data!.items.active)}`,
      () => `users × items, ${grouped(data!.entries)} entries`,
    ),
    ...tile(
      seconds,
      'time',
      () => duration(seconds, 0),
      () => `${stages.length} stages`,
    ),
    ...tile(
      stages.length > 0,
      'peak memory',
      () => bytes(Math.max(...stages.map(({ peakMemory }) => peakMemory))),
      () => `of ${bytes(memory.limit)}`,
    ),
  ]
}

/** What the run was told, and what is not in the report. */
export function settingsSection({ settings, warnings, data }: RunRecord): Html {
  const notes = [...(data?.warnings ?? []), ...warnings]
  return html`<section id="settings" aria-labelledby="settings-title"><h2 id="settings-title">Settings and notes</h2>
${notes.length > 0 ? html`<ul>${notes.map((note) => html`<li>${note}</li>`)}</ul>` : ''}
${table({ columns: ['setting', 'value'], text: 2, rows: settings.map(({ name, value }) => [html`<code>${name}</code>`, value]) }, 'What the run was told')}</section>`
}
