import { toFailure } from '../errors.ts'
import { mapRows, type RowMap } from '../ids/active-ids.ts'
import { IdCounter } from '../ids/id-counts.ts'
import { CHUNK_ROWS, createKeys, type Keys, readKeys } from '../ids/keys.ts'
import { RowMerger } from '../matrix/merge-rows.ts'
import { areaSink } from '../matrix/scatter-area.ts'
import { type SortedRows, Stage } from '../matrix/stage.ts'
import { countShard, Transposer } from '../matrix/transpose.ts'
import type { ArrowBatch } from '../parquet/arrow-c.ts'
import { RowReader } from '../rows/row-reader.ts'
import { OUTCOMES, Outcome } from '../rows/source-task.ts'
import { fileSink, takeEntries, takeRows, writeEntries } from '../spill/spill-files.ts'
import type {
  CountReport,
  CountTask,
  ItemsReport,
  ItemsTask,
  MergeReport,
  MergeSpilledTask,
  MergeTask,
  PlaceSpilledTask,
  ReadReport,
  Reply,
  ScatterTask,
  SourceRows,
  SpillTask,
  Task,
  TransposeTask,
} from './messages.ts'
import { readRowGroup, worker } from './read-row-group.ts'

/** Runs one task. Errors travel as data, because only their message would survive the way. */
export default async function run(task: Task): Promise<Reply<unknown>> {
  try {
    return { result: await perform(task) }
  } catch (error) {
    return { failure: toFailure(error) }
  }
}

function perform(task: Task): unknown {
  switch (task.kind) {
    case 'count':
      return count(task)
    case 'scatter':
      return scatter(task)
    case 'spill':
      return spill(task)
    case 'merge':
      return merge(task)
    case 'mergeSpilled':
      return mergeSpilled(task)
    case 'placeSpilled':
      return placeSpilled(task)
    case 'items':
      return items(task)
    default:
      return transpose(task)
  }
}

let counters: { users: IdCounter; items: IdCounter } | undefined

async function count(task: CountTask): Promise<CountReport> {
  counters ??= { users: new IdCounter(task.users), items: new IdCounter(task.items) }
  const { users, items } = counters
  const reader = readerOf(task)
  const outcomes = new Float64Array(OUTCOMES)
  const report = await readRowGroup(task, outcomes, (batch) =>
    reader.read(batch, outcomes, () => {
      users.count(reader.users, reader.rows, reader.n)
      items.count(reader.items, reader.rows, reader.n)
    }),
  )
  return { ...report, users: users.result(), items: items.result() }
}

let stage: Stage | undefined
const denseUsers = new Int32Array(CHUNK_ROWS)
const denseItems = new Int32Array(CHUNK_ROWS)

function scatter(task: ScatterTask): Promise<ReadReport> {
  stage ??= new Stage(task.buckets, areaSink(task.buckets, task.area))
  return distribute(task, stage)
}

let sink: ReturnType<typeof fileSink> | undefined

async function spill(task: SpillTask): Promise<ReadReport> {
  sink ??= fileSink(task.spill, worker)
  stage ??= new Stage(task.buckets, sink, task.stageRows)
  const before = sink.bytes
  const report = await distribute(task, stage)
  return { ...report, spilledBytes: sink.bytes - before }
}

/** Brings the rows of a row group with active users and items to the stage. */
async function distribute(task: ScatterTask | SpillTask, target: Stage): Promise<ReadReport> {
  const reader = readerOf(task)
  const outcomes = new Float64Array(OUTCOMES)
  const values = task.codebook === undefined ? reader.codes : reader.values
  const report = await readRowGroup(task, outcomes, (batch) =>
    reader.read(batch, outcomes, () => {
      mapRows(task.users, reader.users, reader.rows, reader.n, denseUsers)
      mapRows(task.items, reader.items, reader.rows, reader.n, denseItems)
      const n = keepActive(reader, outcomes)
      target.add(n, denseUsers, denseItems, reader.rows, values, reader.times)
    }),
  )
  target.flush()
  return report
}

/** Moves the rows with an active user and item to the front. */
function keepActive(reader: RowReader, outcomes: Float64Array): number {
  const { rows } = reader
  let n = 0
  let inactiveUsers = 0
  for (let k = 0; k < reader.n; k++) {
    const user = denseUsers[k]
    const item = denseItems[k]
    rows[n] = rows[k]
    denseUsers[n] = user
    denseItems[n] = item
    if (user < 0) inactiveUsers++
    else if (item >= 0) n++
  }
  outcomes[Outcome.inactiveUser] += inactiveUsers
  outcomes[Outcome.inactiveItem] += reader.n - n - inactiveUsers
  outcomes[Outcome.entries] += n
  return n
}

let merger: RowMerger | undefined

function merge(task: MergeTask): MergeReport {
  stage = undefined
  merger ??= new RowMerger(task.items, task.merge)
  const entries = new Float64Array(task.to - task.from)
  for (let b = task.from; b < task.to; b++) {
    entries[b - task.from] = merger.merge(task.buckets, b, task.area, task.lengths)
  }
  return { entries }
}

function mergeSpilled({ buckets, bucket, spill, lengths, items, merge, workers }: MergeSpilledTask): MergeReport {
  stage = undefined
  merger ??= new RowMerger(items, merge)
  const target = merger
  let rows: SortedRows | undefined
  const n = takeRows(spill, bucket, workers, (most) => {
    rows = target.reserve(most, spill.coded, spill.timed)
    return rows
  })
  const firstUser = buckets.first[bucket]
  const users = buckets.first[bucket + 1] - firstUser
  const out = { items: new Uint32Array(n), values: spill.coded ? new Uint8Array(n) : new Float32Array(n) }
  const entries = target.mergeReserved(n, users, out, lengths.subarray(firstUser, firstUser + users))
  const merged = { items: out.items.subarray(0, entries), values: out.values.subarray(0, entries) }
  return { entries: Float64Array.of(entries), spilledBytes: entries > 0 ? writeEntries(spill, bucket, merged) : 0 }
}

function placeSpilled({ spill, csr, starts, bucket }: PlaceSpilledTask): void {
  merger = undefined
  const from = starts[bucket]
  const to = starts[bucket + 1]
  takeEntries(spill, bucket, { items: csr.indices.subarray(from, to), values: csr.values.subarray(from, to) })
}

let transposer: Transposer | undefined

function transpose(task: TransposeTask): void {
  merger = undefined
  transposer ??= new Transposer()
  for (let at = task.from; at < task.to; at++) {
    if (task.kind === 'countShards') countShard(task.work, at)
    else if (task.kind === 'moveShards') transposer.moveShard(task.work, at)
    else transposer.sortItems(task.work, task.starts!, at)
  }
}

async function items(task: ItemsTask): Promise<ItemsReport> {
  const outcomes = new Float64Array(OUTCOMES)
  const keys = createKeys(task.idKind)
  const found: number[] = []
  // Arrow's own library is for metadata only.
  const { recordsOf } = await import('../items/records.ts')
  const records: Record<string, unknown>[] = []
  const report = await readRowGroup(task, outcomes, (batch, raw) => {
    outcomes[Outcome.rows] += batch.length
    const places = findRows(task, batch, keys, found)
    if (places.length > 0) records.push(...recordsOf(raw(), places))
  })
  outcomes[Outcome.kept] = records.length
  return { ...report, rows: Int32Array.from(found), records }
}

const chunkRows = Uint16Array.from({ length: CHUNK_ROWS }, (_, i) => i)

/** Places in the batch of the ids in the map; their dense rows go to `found`. */
function findRows(
  task: { idColumn: string; seed: number; map: RowMap },
  batch: ArrowBatch,
  keys: Keys,
  found: number[],
) {
  const column = batch.columns.get(task.idColumn)!
  const places: number[] = []
  for (let from = 0; from < batch.length; from += CHUNK_ROWS) {
    const n = Math.min(CHUNK_ROWS, batch.length - from)
    readKeys(column, from, n, keys, task.seed)
    mapRows(task.map, keys, chunkRows, n, denseItems)
    for (let i = 0; i < n; i++) {
      if (denseItems[i] < 0 || keys.hi[i] >= 0x80000000) continue
      places.push(from + i)
      found.push(denseItems[i])
    }
  }
  return places
}

const readers = new Map<string, RowReader>()

/** One reader a source. Its buffers are used between two awaits only, so tasks that overlap may share it. */
function readerOf(task: SourceRows): RowReader {
  let reader = readers.get(task.source.name)
  if (reader === undefined) {
    reader = new RowReader(task.source, task.codebook)
    readers.set(task.source.name, reader)
  }
  return reader
}
