import type { CompressedRows, InteractionMatrix } from '@seesaw/als-core'
import type { ProgressMeter } from '../progress.ts'
import type { SpillFolder } from '../spill/spill-files.ts'
import type { MergeReport } from '../worker/messages.ts'
import type { WorkerPool } from '../worker/pool.ts'
import { type Buckets, cutBuckets, groupShift } from './buckets.ts'
import type { Merge } from './merge-rows.ts'
import type { ScatterArea } from './scatter-area.ts'
import { STAGE_ROWS } from './stage.ts'
import { cutShards, placeShards, type Transposition } from './transpose.ts'

/** Sorts and merges what was scattered, in place, and closes the gaps that merging leaves: the finished CSR. */
export async function mergeRows(
  pool: WorkerPool,
  meter: ProgressMeter,
  buckets: Buckets,
  area: ScatterArea,
  items: number,
  merge: Merge,
): Promise<CompressedRows> {
  const users = buckets.first[buckets.count]
  const lengths = new Uint32Array(new SharedArrayBuffer(4 * users))
  const entries = new Float64Array(buckets.count)
  const jobs = spans(buckets.start, pool.threads)
  meter.begin('merge', { bytes: 0, rows: buckets.start[buckets.count], files: 0 })
  await pool.run(
    jobs,
    ([from, to]) => ({ kind: 'merge', buckets, area, lengths, items, merge, from, to }),
    (report: MergeReport, [from, to]) => {
      entries.set(report.entries, from)
      meter.add({ rows: buckets.start[to] - buckets.start[from] })
    },
  )
  const at = closeGaps(buckets, entries, area)
  return { indptr: offsetsOf(lengths), indices: area.items.subarray(0, at), values: area.values.subarray(0, at) }
}

/**
 * Moves each bucket's entries to the end of those before, and returns where the last ones end. Buckets move left only, so in
 * ascending order nothing is overwritten before it has moved. `copyWithin` goes byte by byte in shared memory: five times slower.
 */
function closeGaps(buckets: Buckets, entries: Float64Array, { items, values }: ScatterArea): number {
  let at = 0
  for (let b = 0; b < buckets.count; b++) {
    const shift = buckets.start[b] - at
    const end = at + entries[b]
    if (shift > 0) {
      for (let e = at; e < end; e++) items[e] = items[e + shift]
      for (let e = at; e < end; e++) values[e] = values[e + shift]
    }
    at = end
  }
  return at
}

/** The same from temporary files, bucket by bucket: entries go to files too until their number is known. */
export async function mergeSpilledRows(
  pool: WorkerPool,
  meter: ProgressMeter,
  buckets: Buckets,
  spill: SpillFolder,
  items: number,
  merge: Merge,
): Promise<CompressedRows & { spilledBytes: number }> {
  const users = buckets.first[buckets.count]
  const lengths = new Uint32Array(new SharedArrayBuffer(4 * users))
  const starts = new Float64Array(new SharedArrayBuffer(8 * (buckets.count + 1)))
  const each = Array.from({ length: buckets.count }, (_, b) => b)
  let spilledBytes = 0
  meter.begin('merge', { bytes: 0, rows: buckets.start[buckets.count], files: 0 })
  await pool.run(
    each,
    (bucket) => ({ kind: 'mergeSpilled', buckets, spill, lengths, items, merge, bucket, workers: pool.started }),
    (report: MergeReport, b) => {
      starts[b + 1] = report.entries[0]
      spilledBytes += report.spilledBytes ?? 0
      meter.add({ rows: buckets.start[b + 1] - buckets.start[b] })
    },
  )
  for (let b = 0; b < buckets.count; b++) starts[b + 1] += starts[b]
  const csr = createRows(starts[buckets.count], spill.coded, offsetsOf(lengths))
  await pool.run(
    each.filter((b) => starts[b + 1] > starts[b]),
    (bucket) => ({ kind: 'placeSpilled', spill, csr, starts, bucket }),
    () => {},
  )
  return { ...csr, spilledBytes }
}

/**
 * The transpose, built in three parallel steps. `weights` are entries an item may have; `locals` is memory of two bytes
 * an entry that is used on the way, or a file.
 */
export async function transpose(
  pool: WorkerPool,
  meter: ProgressMeter,
  csr: CompressedRows,
  weights: Uint32Array,
  locals: Uint16Array<SharedArrayBuffer> | string,
  limits: { bucketRows?: number; shardEntries?: number } = {},
): Promise<CompressedRows> {
  const items = weights.length
  const entries = csr.indices.length
  const itemBuckets = cutBuckets(weights, limits.bucketRows === undefined ? groupShift(weights) : 0, limits.bucketRows)
  const shardUsers = cutShards(csr.indptr, limits.shardEntries ?? Math.max(1 << 17, Math.ceil(entries / 1024)))
  const shards = shardUsers.length - 1
  const itemLengths = new Uint32Array(new SharedArrayBuffer(4 * items))
  const none = new Float64Array(new SharedArrayBuffer(0))
  const work: Transposition = {
    csr,
    csc: createRows(entries, csr.values instanceof Uint8Array, none),
    itemBuckets,
    shardUsers,
    places: new Float64Array(new SharedArrayBuffer(8 * shards * itemBuckets.count)),
    locals,
    stageRows: limits.shardEntries ?? STAGE_ROWS,
    itemLengths,
  }
  meter.begin('transpose', { bytes: 0, rows: 2 * entries, files: 0 })
  const shardStarts = Float64Array.from(shardUsers, (user) => csr.indptr[user])
  const each = spans(shardStarts, pool.threads)
  await pool.run(
    each,
    ([from, to]) => ({ kind: 'countShards', work, from, to }),
    () => {},
  )
  const starts = placeShards(work)
  await pool.run(
    each,
    ([from, to]) => ({ kind: 'moveShards', work, from, to }),
    (_, [from, to]) => meter.add({ rows: shardStarts[to] - shardStarts[from] }),
  )
  await pool.run(
    spans(starts, pool.threads),
    ([from, to]) => ({ kind: 'sortItems', work, starts, from, to }),
    (_, [from, to]) => meter.add({ rows: starts[to] - starts[from] }),
  )
  return { ...work.csc, indptr: offsetsOf(itemLengths) }
}

/**
 * The entries in arrays of their own, if the rows they were merged from took much more: below 0.7 of them, both together
 * are still less than what the transposition needed.
 */
export function trimRows(csr: CompressedRows, capacity: number): CompressedRows {
  const entries = csr.indices.length
  if (entries >= 0.7 * capacity) return csr
  const rows = createRows(entries, csr.values instanceof Uint8Array, csr.indptr)
  rows.indices.set(csr.indices)
  rows.values.set(csr.values)
  return rows
}

function createRows(entries: number, coded: boolean, indptr: Float64Array<SharedArrayBuffer>): CompressedRows {
  return {
    indptr,
    indices: new Uint32Array(new SharedArrayBuffer(4 * entries)),
    values: coded
      ? new Uint8Array(new SharedArrayBuffer(entries))
      : new Float32Array(new SharedArrayBuffer(4 * entries)),
  }
}

/** The matrix with one-byte codes, if its values are codes or at most 256 different numbers. */
export function packMatrix(
  users: number,
  items: number,
  csr: CompressedRows,
  csc: CompressedRows,
  codebook: Float32Array<SharedArrayBuffer> | undefined,
): InteractionMatrix {
  const shape = { users, items, entries: csr.indices.length }
  if (csr.values instanceof Uint8Array) return { ...shape, csr, csc, codebook }
  const found = distinctValues(csr.values)
  if (found === undefined) return { ...shape, csr, csc }
  const pack = (values: CompressedRows['values']) => {
    const codes = new Uint8Array(new SharedArrayBuffer(values.length))
    let last = Number.NaN
    let code = 0
    for (let e = 0; e < values.length; e++) {
      if (values[e] !== last) {
        last = values[e]
        code = found.indexOf(last)
      }
      codes[e] = code
    }
    return codes
  }
  return {
    ...shape,
    csr: { ...csr, values: pack(csr.values) },
    csc: { ...csc, values: pack(csc.values) },
    codebook: found,
  }
}

export function offsetsOf(lengths: Uint32Array): Float64Array<SharedArrayBuffer> {
  const offsets = new Float64Array(new SharedArrayBuffer(8 * (lengths.length + 1)))
  let sum = 0
  for (let row = 0; row < lengths.length; row++) {
    offsets[row] = sum
    sum += lengths[row]
  }
  offsets[lengths.length] = sum
  return offsets
}

/** Runs of buckets of about equal work, some sixteen a thread. */
function spans(starts: Float64Array, threads: number): [number, number][] {
  const count = starts.length - 1
  const target = Math.max(1 << 17, starts[count] / (16 * threads))
  const result: [number, number][] = []
  let from = 0
  for (let b = 1; b <= count; b++) {
    if (b === count || starts[b + 1] - starts[from] > target) {
      result.push([from, b])
      from = b
    }
  }
  return result
}

function distinctValues(values: Float32Array): Float32Array<SharedArrayBuffer> | undefined {
  const found = new Set<number>()
  let last = Number.NaN
  for (let e = 0; e < values.length; e++) {
    if (values[e] === last) continue
    last = values[e]
    if (found.add(last).size > 256) return undefined
  }
  const codebook = new Float32Array(new SharedArrayBuffer(4 * found.size))
  codebook.set([...found].sort((a, b) => a - b))
  return codebook
}
