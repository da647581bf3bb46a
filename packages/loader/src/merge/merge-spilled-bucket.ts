import type { CompressedRows } from '@seesaw/als-core'
import type { Buckets } from '../matrix/buckets.ts'
import { duringPhase, kernel } from '../pool/worker-memory.ts'
import { type SpillFolder, takeEntries, takeRows, writeEntries } from '../spill/spill-files.ts'
import { divider } from './merge-buckets.ts'
import type { MergeRule } from './merge-rule.ts'
import { RowMerger } from './row-merger.ts'

export interface MergeSpilledTask {
  readonly buckets: Buckets
  readonly spill: SpillFolder
  readonly lengths: Uint32Array<SharedArrayBuffer>
  readonly items: number
  readonly rule: MergeRule
  readonly bucket: number
  readonly workers: number
}

export interface PlaceSpilledTask {
  readonly spill: SpillFolder
  readonly csr: CompressedRows
  readonly times?: Float64Array<SharedArrayBuffer>
  readonly later?: CompressedRows
  readonly starts: Float64Array<SharedArrayBuffer>
  readonly laterStarts: Float64Array<SharedArrayBuffer>
  readonly bucket: number
}

/** In a worker: sorts and merges the rows of a bucket from temporary files into another. */
export function mergeSpilledBucket({ buckets, bucket, spill, lengths, items, rule, workers }: MergeSpilledTask): {
  entries: number
  later: number
  spilledBytes: number
} {
  const { merge, keepTimes, divided } = rule
  const merger = duringPhase('merge', () => new RowMerger(kernel, items, merge, spill.coded, spill.timed))
  const first = buckets.first[bucket]
  const rows = buckets.first[bucket + 1] - first
  const n = takeRows(spill, bucket, workers, (capacity) => merger.reserve(capacity, rows))
  const out = {
    items: new Uint32Array(new SharedArrayBuffer(4 * n)),
    values: spill.coded ? new Uint8Array(new SharedArrayBuffer(n)) : new Float32Array(new SharedArrayBuffer(4 * n)),
    ...(keepTimes && { times: new Float64Array(new SharedArrayBuffer(8 * n)) }),
  }
  const own = lengths.subarray(first, first + rows)
  const merged = merger.mergeReserved(n, out, own)
  const [entries, later] = divided ? divider.divide(out, own) : [merged, 0]
  const columns = [[0, entries] as const, [entries, entries + later] as const].flatMap(([from, to]) => [
    out.items.subarray(from, to),
    out.values.subarray(from, to),
    ...(out.times ? [out.times.subarray(from, to)] : []),
  ])
  return { entries, later, spilledBytes: entries + later > 0 ? writeEntries(spill, bucket, columns) : 0 }
}

/** In a worker: reads the merged entries of a bucket to their place in the CSR, and in that of the later side. */
export function placeSpilledBucket({ spill, csr, times, later, starts, laterStarts, bucket }: PlaceSpilledTask): void {
  const [from, to] = starts.subarray(bucket, bucket + 2)
  const columns: ArrayBufferView[] = [csr.indices.subarray(from, to), csr.values.subarray(from, to)]
  if (times) columns.push(times.subarray(from, to))
  if (later) {
    const [begin, end] = laterStarts.subarray(bucket, bucket + 2)
    columns.push(later.indices.subarray(begin, end), later.values.subarray(begin, end))
  }
  takeEntries(spill, bucket, columns)
}
