import type { CompressedRows } from '@seesaw/als-core'
import { type Buckets, spansOf } from '../matrix/buckets.ts'
import { createRows, offsetsOf } from '../matrix/compressed-rows.ts'
import type { ScatterArea } from '../matrix/scatter-area.ts'
import type { Merge } from '../options.ts'
import type { WorkerPool } from '../pool/pool.ts'
import type { ProgressMeter } from '../progress.ts'
import type { SpillFolder } from '../spill/spill-files.ts'
import type { mergeBuckets } from './merge-buckets.ts'
import type { mergeSpilledBucket, placeSpilledBucket } from './merge-spilled-bucket.ts'

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
  const jobs = spansOf(buckets.start, pool.threads)
  meter.begin('merge', { bytes: 0, rows: buckets.start[buckets.count], files: 0 })
  await pool.run<typeof mergeBuckets, [number, number]>(
    'mergeBuckets',
    jobs,
    ([from, to]) => ({ buckets, area, lengths, items, merge, from, to }),
    (merged, [from, to]) => {
      entries.set(merged, from)
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
  await pool.run<typeof mergeSpilledBucket, number>(
    'mergeSpilledBucket',
    each,
    (bucket) => ({ buckets, spill, lengths, items, merge, bucket, workers: pool.started }),
    (merged, b) => {
      starts[b + 1] = merged.entries
      spilledBytes += merged.spilledBytes
      meter.add({ rows: buckets.start[b + 1] - buckets.start[b] })
    },
  )
  for (let b = 0; b < buckets.count; b++) starts[b + 1] += starts[b]
  const csr = createRows(starts[buckets.count], spill.coded, offsetsOf(lengths))
  await pool.run<typeof placeSpilledBucket, number>(
    'placeSpilledBucket',
    each.filter((b) => starts[b + 1] > starts[b]),
    (bucket) => ({ spill, csr, starts, bucket }),
    () => {},
  )
  return { ...csr, spilledBytes }
}
