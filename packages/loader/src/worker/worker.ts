import { toFailure } from '../errors.ts'
import { IdCounter } from '../ids/id-counts.ts'
import { CHUNK_ROWS, readKeys } from '../ids/keys.ts'
import { RowMapper } from '../ids/row-mapper.ts'
import { Kernel } from '../kernel/kernel.ts'
import { ItemSorter } from '../matrix/item-sorter.ts'
import { RowMerger } from '../matrix/merge-rows.ts'
import { areaSink } from '../matrix/scatter-area.ts'
import { ShardMover } from '../matrix/shard-mover.ts'
import { type RunSink, Stage } from '../matrix/stage.ts'
import { ShardCounter } from '../matrix/transpose.ts'
import type { ArrowBatch } from '../parquet/arrow-c.ts'
import { type Chunk, createChunk } from '../rows/chunk.ts'
import { RowReader } from '../rows/row-reader.ts'
import { OUTCOMES, Outcome } from '../rows/source-task.ts'
import { fileSink, takeEntries, takeRows, writeEntries } from '../spill/spill-files.ts'
import { unpackLargeViews } from './large-views.ts'
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
    return { result: await perform(unpackLargeViews(task)) }
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

async function count(task: CountTask): Promise<CountReport> {
  const reader = readerOf(task)
  const counters = hold('count', () => ({
    users: new IdCounter(kernel, task.users),
    items: new IdCounter(kernel, task.items),
  }))
  const { users, items } = counters
  const chunk = chunkOf(task.source)
  const outcomes = new Float64Array(OUTCOMES)
  const report = await readRowGroup(task, outcomes, (batch) =>
    reader.read(batch, outcomes, () => {
      users.count(chunk.users, chunk.rows, chunk.n)
      items.count(chunk.items, chunk.rows, chunk.n)
    }),
  )
  return { ...report, users: users.result(), items: items.result() }
}

async function scatter(task: ScatterTask): Promise<ReadReport> {
  return distribute(task, areaSink(task.buckets, task.area))
}

let sink: ReturnType<typeof fileSink> | undefined

async function spill(task: SpillTask): Promise<ReadReport> {
  sink ??= fileSink(task.spill, worker)
  const before = sink.bytes
  const report = await distribute(task, sink, task.stageRows)
  return { ...report, spilledBytes: sink.bytes - before }
}

/** Brings the rows of a row group with active users and items to the stage. */
async function distribute(task: ScatterTask | SpillTask, target: RunSink, stageRows?: number): Promise<ReadReport> {
  const reader = readerOf(task)
  const chunk = chunkOf(task.source)
  const { users, items, stage } = hold('distribute', () => ({
    users: new RowMapper(kernel, task.users),
    items: new RowMapper(kernel, task.items),
    stage: new Stage(kernel, task.buckets, target, stageRows),
  }))
  const outcomes = new Float64Array(OUTCOMES)
  const report = await readRowGroup(task, outcomes, (batch) =>
    reader.read(batch, outcomes, () => {
      users.map(chunk.users, chunk.rows, chunk.n, chunk.denseUsers)
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

function merge({ buckets, area, lengths, items, merge, from, to }: MergeTask): MergeReport {
  const merger = hold('merge', () => new RowMerger(kernel, items, merge, area.values instanceof Uint8Array))
  const entries = new Float64Array(to - from)
  for (let b = from; b < to; b++) entries[b - from] = merger.merge(buckets, b, area, lengths)
  return { entries }
}

function mergeSpilled({ buckets, bucket, spill, lengths, items, merge, workers }: MergeSpilledTask): MergeReport {
  const merger = hold('merge', () => new RowMerger(kernel, items, merge, spill.coded))
  const firstUser = buckets.first[bucket]
  const users = buckets.first[bucket + 1] - firstUser
  const n = takeRows(spill, bucket, workers, (most) => merger.reserve(most, users))
  const out = {
    items: new Uint32Array(new SharedArrayBuffer(4 * n)),
    values: spill.coded ? new Uint8Array(new SharedArrayBuffer(n)) : new Float32Array(new SharedArrayBuffer(4 * n)),
  }
  const entries = merger.mergeReserved(n, out, lengths.subarray(firstUser, firstUser + users))
  const merged = { items: out.items.subarray(0, entries), values: out.values.subarray(0, entries) }
  return { entries: Float64Array.of(entries), spilledBytes: entries > 0 ? writeEntries(spill, bucket, merged) : 0 }
}

function placeSpilled({ spill, csr, starts, bucket }: PlaceSpilledTask): void {
  const from = starts[bucket]
  const to = starts[bucket + 1]
  takeEntries(spill, bucket, { items: csr.indices.subarray(from, to), values: csr.values.subarray(from, to) })
}

function transpose({ kind, work, starts, from, to }: TransposeTask): void {
  for (let at = from; at < to; at++) {
    if (kind === 'countShards') hold(kind, () => new ShardCounter(kernel, work)).count(at)
    else if (kind === 'moveShards') hold(kind, () => new ShardMover(kernel, work)).move(at)
    else hold(kind, () => new ItemSorter(kernel, work)).sort(starts!, at)
  }
}

async function items(task: ItemsTask): Promise<ItemsReport> {
  const outcomes = new Float64Array(OUTCOMES)
  const chunk = chunkOf({ userKind: task.idKind, itemKind: task.idKind })
  const mapper = hold('items', () => new RowMapper(kernel, task.map))
  const found: number[] = []
  // Arrow's own library is for metadata only.
  const { recordsOf } = await import('../items/records.ts')
  const records: Record<string, unknown>[] = []
  const report = await readRowGroup(task, outcomes, (batch, raw) => {
    outcomes[Outcome.rows] += batch.length
    const places = findRows(task, batch, chunk, mapper, found)
    if (places.length > 0) records.push(...recordsOf(raw(), places))
  })
  outcomes[Outcome.kept] = records.length
  return { ...report, rows: Int32Array.from(found), records }
}

/** Places in the batch of the ids in the map; their dense rows go to `found`. */
function findRows(
  { idColumn, seed }: { idColumn: string; seed: number },
  batch: ArrowBatch,
  { items: keys, rows, denseItems }: Chunk,
  mapper: RowMapper,
  found: number[],
) {
  const column = batch.columns.get(idColumn)!
  const places: number[] = []
  for (let i = 0; i < CHUNK_ROWS; i++) rows[i] = i
  for (let from = 0; from < batch.length; from += CHUNK_ROWS) {
    const n = Math.min(CHUNK_ROWS, batch.length - from)
    readKeys(column, from, n, keys, seed)
    mapper.map(keys, rows, n, denseItems)
    for (let i = 0; i < n; i++) {
      if (denseItems[i] < 0 || keys.hi[i] >= 0x80000000) continue
      places.push(from + i)
      found.push(denseItems[i])
    }
  }
  return places
}

const kernel = new Kernel()
let chunk: Chunk | undefined
let kept = 0

/** The columns that rows pass through, of the same kinds of ids in all tasks of a worker. */
function chunkOf({ userKind, itemKind }: Pick<SourceRows['source'], 'userKind' | 'itemKind'>): Chunk {
  if (chunk === undefined) {
    chunk = createChunk(kernel, userKind, itemKind)
    kept = kernel.mark()
  }
  return chunk
}

let held: { readonly phase: string; readonly tool: unknown } = { phase: '', tool: undefined }

/** What a worker holds during a phase, in the kernel's memory that the phase before had. */
function hold<T>(phase: string, create: () => T): T {
  if (held.phase !== phase) {
    kernel.release(kept)
    held = { phase, tool: create() }
  }
  return held.tool as T
}

const readers = new Map<string, RowReader>()

/** One reader a source. */
function readerOf(task: SourceRows): RowReader {
  let reader = readers.get(task.source.name)
  if (reader === undefined) {
    reader = new RowReader(chunkOf(task.source), task.source, task.codebook)
    readers.set(task.source.name, reader)
  }
  return reader
}
