import type { Buckets } from '../matrix/buckets.ts'
import type { ScatterArea } from '../matrix/scatter-area.ts'
import type { Merge } from '../options.ts'
import { duringPhase, kernel } from '../pool/worker-memory.ts'
import { RowMerger } from './row-merger.ts'

export interface MergeTask {
  readonly buckets: Buckets
  readonly area: ScatterArea
  readonly lengths: Uint32Array<SharedArrayBuffer>
  readonly items: number
  readonly merge: Merge
  readonly from: number
  readonly to: number
}

/** In a worker: sorts and merges buckets [from, to) where they lie; returns the entries of each. */
export function mergeBuckets({ buckets, area, lengths, items, merge, from, to }: MergeTask): Float64Array {
  const merger = duringPhase('merge', () => new RowMerger(kernel, items, merge, area.values instanceof Uint8Array))
  const entries = new Float64Array(to - from)
  for (let b = from; b < to; b++) entries[b - from] = merger.merge(buckets, b, area, lengths)
  return entries
}
