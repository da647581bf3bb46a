import type { Configuration } from '../configuration/schema.ts'
import type { RunRecord } from '../report/run-record.ts'
import { grouped } from '../text/format.ts'
import type { ItemStore } from './item-store.ts'
import type { Learned } from './learn.ts'
import { measureServing, type Served } from './measure-serving.ts'
import { recordPeople } from './record-people.ts'
import type { Recorder } from './recorder.ts'
import type { Stages } from './stages.ts'

/** Measures the answers that users get, and looks at those of a few of them. */
export async function observeAnswers(
  configuration: Configuration,
  { learned, items, payload }: { learned: Learned; items: ItemStore; payload: readonly string[] },
  recorder: Recorder,
  stages: Stages,
  signal: AbortSignal,
): Promise<Served> {
  return stages.run(
    'observe',
    async () => {
      await recorder.attempt('users as they are', async () => {
        recorder.record.people = await recordPeople(configuration, learned, items, payload, signal)
      })
      const served = await measureServing(configuration, learned, items, signal)
      await recorder.attempt('serving', () => {
        if (served.figures.length > 0) recorder.record.serving = describeServing(configuration, served)
      })
      return served
    },
    ({ figures }) =>
      `${grouped(recorder.record.people?.length ?? 0)} users for the report, ${grouped(figures.length)} ways to ask`,
  )
}

function describeServing({ qdrant }: Configuration, { figures, exact }: Served): NonNullable<RunRecord['serving']> {
  return {
    answeredBy: qdrant.url ? `Qdrant, alias ${qdrant.alias}` : 'this process',
    approximate: exact !== undefined,
    figures: figures.map(({ kind, metric, users, recall, ndcg, agreement, p50, p99 }, n) => {
      const best = exact?.[n]
      return { kind, metric, users, recall, ndcg, agreement, ...(best && { exactRecall: best.recall }), p50, p99 }
    }),
  }
}
