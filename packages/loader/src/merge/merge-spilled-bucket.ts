import type { CompressedRows } from '@seesaw/als-core'
import type { Buckets } from '../matrix/buckets.ts'
import type { Merge } from '../options.ts'
import { duringPhase, kernel } from '../pool/worker-memory.ts'
import { type SpillFolder, takeEntries, takeRows, writeEntries } from '../spill/spill-files.ts'
import { RowMerger } from './row-merger.ts'

export interface MergeSpilledTask {
  readonly buckets: Buckets
  readonly spill: SpillFolder
  readonly lengths: Uint32Array<SharedArrayBuffer>
  readonly items: number
  readonly merge: Merge
  readonly bucket: number
  readonly workers: number
}

export interface PlaceSpilledTask {
  readonly spill: SpillFolder
  readonly csr: CompressedRows
  readonly starts: Float64Array<SharedArrayBuffer>
  readonly bucket: number
}

/** In a worker: sorts and merges the rows of a bucket from temporary files into another. */
export function mergeSpilledBucket({ buckets, bucket, spill, lengths, items, merge, workers }: MergeSpilledTask): {
  entries: number
  spilledBytes: number
} {
  const merger = duringPhase('merge', () => new RowMerger(kernel, items, merge, spill.coded))
  const firstUser = buckets.first[bucket]
  const users = buckets.first[bucket + 1] - firstUser
  const n = takeRows(spill, bucket, workers, (capacity) => merger.reserve(capacity, users))
  const out = {
    items: new Uint32Array(new SharedArrayBuffer(4 * n)),
    values: spill.coded ? new Uint8Array(new SharedArrayBuffer(n)) : new Float32Array(new SharedArrayBuffer(4 * n)),
  }
  const entries = merger.mergeReserved(n, out, lengths.subarray(firstUser, firstUser + users))
  const merged = { items: out.items.subarray(0, entries), values: out.values.subarray(0, entries) }
  return { entries, spilledBytes: entries > 0 ? writeEntries(spill, bucket, merged) : 0 }
}

/** In a worker: reads the merged entries of a bucket to their place in the CSR. */
export function placeSpilledBucket({ spill, csr, starts, bucket }: PlaceSpilledTask): void {
  const from = starts[bucket]
  const to = starts[bucket + 1]
  takeEntries(spill, bucket, { items: csr.indices.subarray(from, to), values: csr.values.subarray(from, to) })
}
