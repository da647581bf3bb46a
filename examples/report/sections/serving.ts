import * as Plot from '@observablehq/plot'
import { grouped } from '../../text/format.ts'
import { chart, ink, legend } from '../chart.ts'
import { figure, section } from '../figure.ts'
import type { Html } from '../markup.ts'
import { metric, percent } from '../numbers.ts'
import type { RunRecord } from '../run-record.ts'

/** What users ask by, in words. */
const ASKED: Readonly<Record<string, string>> = {
  user: 'own vector',
  blend: 'all their items',
  recent: 'five items',
  seed: 'one item',
}

/** What users get from where they ask, and what an approximate index loses. */
export function servingSection({ serving }: RunRecord): Html | undefined {
  if (!serving || serving.figures.length === 0) return undefined
  const { figures, answeredBy, approximate } = serving
  const rows = figures.map((each) => ({
    ...each,
    label: `${ASKED[each.kind] ?? each.kind}, ${each.metric}`,
    text: approximate ? `${metric(each.recall)}, ${percent(each.agreement, 0)} exact` : metric(each.recall),
  }))
  const least = rows.reduce((worst, each) => (each.agreement < worst.agreement ? each : worst))
  const lost = rows.filter(({ exactRecall }) => exactRecall !== undefined)
  return section('serving', 'What users get', [
    figure({
      title: `Recall of the answers, by what users ask by`,
      text: approximate
        ? `Answered by ${answeredBy}, for ${grouped(figures[0]!.users)} users. At worst (${least.label}) ${percent(least.agreement)} of an answer’s items are those of the exact answer.`
        : `Answered by ${answeredBy}, exactly, for ${grouped(figures[0]!.users)} users: nothing is lost to an index.`,
      ...(approximate && {
        legend: legend([
          ['recall of the answers', ink.first],
          ['recall of exact answers', ink.second],
        ]),
      }),
      chart: chart(
        `Recall@20 by what users ask by: ${rows.map(({ label, recall }) => `${label} ${metric(recall)}`).join(', ')}.`,
        ({ narrow }) => ({
          height: 46 + 30 * rows.length,
          marginTop: 8,
          marginLeft: 136,
          marginRight: approximate && !narrow ? 130 : 60,
          marginBottom: 38,
          x: { label: 'Recall@20', labelArrow: 'none', grid: true, ticks: narrow ? 3 : 6 },
          y: { label: null, domain: rows.map(({ label }) => label), padding: 0.25 },
          marks: [
            Plot.barX(rows, { y: 'label', x: 'recall', fill: ink.first }),
            Plot.tickX(lost, { y: 'label', x: 'exactRecall', stroke: ink.second, strokeWidth: 3 }),
            Plot.text(rows, {
              y: 'label',
              x: (d) => Math.max(d.recall, d.exactRecall ?? 0),
              text: narrow ? (d) => metric(d.recall) : 'text',
              textAnchor: 'start',
              dx: 6,
              fill: ink.text,
            }),
          ],
        }),
      ),
      table: {
        columns: [
          'asked by',
          'vectors',
          'Recall@20',
          ...(approximate ? ['of exact answers'] : []),
          'NDCG@20',
          'as exact',
          'median time',
          '99th percentile',
        ],
        text: 2,
        rows: figures.map(({ kind, metric: vectors, recall, exactRecall, ndcg, agreement, p50, p99 }) => [
          ASKED[kind] ?? kind,
          vectors,
          metric(recall),
          ...(approximate ? [exactRecall === undefined ? '–' : metric(exactRecall)] : []),
          metric(ndcg),
          percent(agreement),
          `${p50.toFixed(1)} ms`,
          `${p99.toFixed(1)} ms`,
        ]),
      },
    }),
  ])
}
