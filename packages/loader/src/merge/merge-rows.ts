import { type Buckets, spansOf } from '../matrix/buckets.ts'
import { createRows } from '../matrix/compressed-rows.ts'
import type { ScatterArea } from '../matrix/scatter-area.ts'
import type { WorkerPool } from '../pool/pool.ts'
import type { ProgressMeter } from '../progress.ts'
import type { SpillFolder } from '../spill/spill-files.ts'
import type { mergeBuckets } from './merge-buckets.ts'
import { type Merged, type MergeRule, offsetsBySide } from './merge-rule.ts'
import type { mergeSpilledBucket, placeSpilledBucket } from './merge-spilled-bucket.ts'

/** Sorts and merges what was scattered, in place, and closes the gaps that merging leaves: the finished CSR. */
export async function mergeRows(
  pool: WorkerPool,
  meter: ProgressMeter,
  buckets: Buckets,
  area: ScatterArea,
  items: number,
  rule: MergeRule,
): Promise<Merged> {
  const rows = buckets.first[buckets.count]
  const lengths = new Uint32Array(new SharedArrayBuffer(4 * rows))
  const entries = new Float64Array(buckets.count)
  const later = new Float64Array(buckets.count)
  const jobs = spansOf(buckets.start, pool.threads)
  meter.begin('merge', { bytes: 0, rows: buckets.start[buckets.count], files: 0 })
  await pool.run<typeof mergeBuckets, [number, number]>(
    'mergeBuckets',
    jobs,
    ([from, to]) => ({ buckets, area, lengths, items, rule, from, to }),
    (merged, [from, to]) => {
      entries.set(merged.entries, from)
      later.set(merged.later, from)
      meter.add({ rows: buckets.start[to] - buckets.start[from] })
    },
  )
  const [indptr, laterIndptr] = offsetsBySide(lengths, rule.divided)
  const taken = rule.divided ? takeLater(buckets, entries, later, area) : undefined
  const at = closeGaps(buckets, entries, area, rule.keepTimes)
  return {
    csr: { indptr, indices: area.items.subarray(0, at), values: area.values.subarray(0, at) },
    ...(rule.keepTimes && { times: area.times!.subarray(0, at) }),
    ...(taken && { later: { ...taken, indptr: laterIndptr } }),
  }
}

/** Copies the later side of each bucket, which lies behind its earlier one, to arrays of its own. */
function takeLater(buckets: Buckets, entries: Float64Array, later: Float64Array, { items, values }: ScatterArea) {
  const total = later.reduce((sum, n) => sum + n, 0)
  const taken = createRows(total, values instanceof Uint8Array, new Float64Array(new SharedArrayBuffer(0)))
  let at = 0
  for (let b = 0; b < buckets.count; b++) {
    const shift = buckets.start[b] + entries[b] - at
    const end = at + later[b]
    for (let e = at; e < end; e++) taken.indices[e] = items[e + shift]
    for (let e = at; e < end; e++) taken.values[e] = values[e + shift]
    at = end
  }
  return taken
}

/**
 * Moves each bucket's entries to the end of those before, and returns where the last ones end. Buckets move left only, so in
 * ascending order nothing is overwritten before it has moved. `copyWithin` goes byte by byte in shared memory: five times slower.
 */
function closeGaps(
  buckets: Buckets,
  entries: Float64Array,
  { items, values, times }: ScatterArea,
  keepTimes: boolean,
): number {
  let at = 0
  for (let b = 0; b < buckets.count; b++) {
    const shift = buckets.start[b] - at
    const end = at + entries[b]
    if (shift > 0) {
      for (let e = at; e < end; e++) items[e] = items[e + shift]
      for (let e = at; e < end; e++) values[e] = values[e + shift]
      if (keepTimes && times) for (let e = at; e < end; e++) times[e] = times[e + shift]
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
  rule: MergeRule,
): Promise<Merged & { spilledBytes: number }> {
  const rows = buckets.first[buckets.count]
  const lengths = new Uint32Array(new SharedArrayBuffer(4 * rows))
  const createStarts = () => new Float64Array(new SharedArrayBuffer(8 * (buckets.count + 1)))
  const starts = createStarts()
  const laterStarts = createStarts()
  const each = Array.from({ length: buckets.count }, (_, b) => b)
  let spilledBytes = 0
  meter.begin('merge', { bytes: 0, rows: buckets.start[buckets.count], files: 0 })
  await pool.run<typeof mergeSpilledBucket, number>(
    'mergeSpilledBucket',
    each,
    (bucket) => ({ buckets, spill, lengths, items, rule, bucket, workers: pool.started }),
    (merged, b) => {
      starts[b + 1] = merged.entries
      laterStarts[b + 1] = merged.later
      spilledBytes += merged.spilledBytes
      meter.add({ rows: buckets.start[b + 1] - buckets.start[b] })
    },
  )
  for (let b = 0; b < buckets.count; b++) {
    starts[b + 1] += starts[b]
    laterStarts[b + 1] += laterStarts[b]
  }
  const [indptr, laterIndptr] = offsetsBySide(lengths, rule.divided)
  const csr = createRows(starts[buckets.count], spill.coded, indptr)
  const later = rule.divided ? createRows(laterStarts[buckets.count], spill.coded, laterIndptr) : undefined
  const times = rule.keepTimes ? new Float64Array(new SharedArrayBuffer(8 * starts[buckets.count])) : undefined
  await pool.run<typeof placeSpilledBucket, number>(
    'placeSpilledBucket',
    each.filter((b) => starts[b + 1] > starts[b] || laterStarts[b + 1] > laterStarts[b]),
    (bucket) => ({ spill, csr, times, later, starts, laterStarts, bucket }),
    () => {},
  )
  return { csr, times, later, spilledBytes }
}
