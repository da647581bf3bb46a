import { type RowMap, RowMapper } from '../ids/row-map.ts'
import type { Buckets } from '../matrix/buckets.ts'
import { areaSink, type ScatterArea } from '../matrix/scatter-area.ts'
import { type RunSink, Stage } from '../matrix/stage.ts'
import type { ReadReport, SourceRows } from '../pool/messages.ts'
import { readRowGroup, worker } from '../pool/read-row-group.ts'
import { chunkOf, duringPhase, kernel, readerOf } from '../pool/worker-memory.ts'
import type { Chunk } from '../rows/chunk.ts'
import { OUTCOMES, Outcome } from '../rows/source-task.ts'
import { fileSink, type SpillFolder } from '../spill/spill-files.ts'

interface ActiveRows extends SourceRows {
  readonly users: RowMap
  readonly items: RowMap
  readonly buckets: Buckets
  /** Rows from this moment on (milliseconds since 1970) are those of a later side, see `sideRows`. */
  readonly splitAt?: number
}

export interface ScatterTask extends ActiveRows {
  readonly area: ScatterArea
}

export interface SpillTask extends ActiveRows {
  readonly spill: SpillFolder
  readonly stageRows: number
}

/** Pass 2, in a worker: puts the rows of a row group with active users and items into the scatter area. */
export async function scatterRowGroup(task: ScatterTask): Promise<ReadReport> {
  return distribute(task, areaSink(task.buckets, task.area))
}

let sink: ReturnType<typeof fileSink> | undefined

/** The same with temporary files in place of the scatter area. */
export async function spillRowGroup(task: SpillTask): Promise<ReadReport> {
  sink ??= fileSink(task.spill, worker)
  const before = sink.bytes
  const report = await distribute(task, sink, task.stageRows)
  return { ...report, spilledBytes: sink.bytes - before }
}

async function distribute(task: ActiveRows, target: RunSink, stageRows?: number): Promise<ReadReport> {
  const reader = readerOf(task)
  const chunk = chunkOf(task.source)
  const { users, items, stage } = duringPhase('scatter', () => ({
    users: new RowMapper(kernel, task.users),
    items: new RowMapper(kernel, task.items),
    stage: new Stage(kernel, task.buckets, target, stageRows),
  }))
  const outcomes = new Float64Array(OUTCOMES)
  const report = await readRowGroup(task, outcomes, (batch) =>
    reader.read(batch, task.fixed, outcomes, () => {
      users.map(chunk.users, chunk.rows, chunk.n, chunk.denseUsers)
      if (task.splitAt !== undefined) sideRows(chunk, task.splitAt)
      items.map(chunk.items, chunk.rows, chunk.n, chunk.denseItems)
      chunk.drops.fill(0)
      stage.addRows(chunk)
      const [inactiveUsers, inactiveItems] = chunk.drops
      outcomes[Outcome.inactiveUser] += inactiveUsers
      outcomes[Outcome.inactiveItem] += inactiveItems
      outcomes[Outcome.entries] += chunk.n - inactiveUsers - inactiveItems
    }),
  )
  stage.flush()
  return report
}

/** With a split user u has two rows: 2u for what happened before the moment, 2u + 1 for the rest. */
function sideRows({ n, rows, times, denseUsers }: Chunk, splitAt: number): void {
  for (let k = 0; k < n; k++) {
    if (denseUsers[k] >= 0) denseUsers[k] = 2 * denseUsers[k] + (times[rows[k]] >= splitAt ? 1 : 0)
  }
}
