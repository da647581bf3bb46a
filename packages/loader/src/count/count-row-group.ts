import type { IdRange } from '../ids/id-range.ts'
import type { ReadReport, SourceRows } from '../pool/messages.ts'
import { readRowGroup } from '../pool/read-row-group.ts'
import { chunkOf, duringPhase, kernel, readerOf } from '../pool/worker-memory.ts'
import { OUTCOMES } from '../rows/source-task.ts'
import { IdCounter, type IdCounts } from './id-counter.ts'

export interface CountTask extends SourceRows {
  readonly users: IdRange
  readonly items: IdRange
}

export interface CountReport extends ReadReport {
  readonly users: IdCounts
  readonly items: IdCounts
}

/** Pass 1, in a worker: counts the rows of a row group by user and by item. */
export async function countRowGroup(task: CountTask): Promise<CountReport> {
  const reader = readerOf(task)
  const { users, items } = duringPhase('count', () => ({
    users: new IdCounter(kernel, task.users),
    items: new IdCounter(kernel, task.items),
  }))
  const chunk = chunkOf(task.source)
  const outcomes = new Float64Array(OUTCOMES)
  const report = await readRowGroup(task, outcomes, (batch) =>
    reader.read(batch, task.fixed, outcomes, () => {
      users.count(chunk.users, chunk.rows, chunk.n)
      items.count(chunk.items, chunk.rows, chunk.n)
    }),
  )
  return { ...report, users: users.result(), items: items.result() }
}
