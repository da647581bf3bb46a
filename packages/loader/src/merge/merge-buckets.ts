import type { Buckets } from '../matrix/buckets.ts'
import type { ScatterArea } from '../matrix/scatter-area.ts'
import { duringPhase, kernel } from '../pool/worker-memory.ts'
import type { MergeRule } from './merge-rule.ts'
import { RowMerger } from './row-merger.ts'
import { SideDivider } from './side-divider.ts'

export interface MergeTask {
  readonly buckets: Buckets
  readonly area: ScatterArea
  readonly lengths: Uint32Array<SharedArrayBuffer>
  readonly items: number
  readonly rule: MergeRule
  readonly from: number
  readonly to: number
}

/** Of this worker: one set of memory for all its buckets. */
export const divider: SideDivider = new SideDivider()

/** In a worker: sorts and merges buckets [from, to) where they lie; returns the entries of each, and of its later side. */
export function mergeBuckets({ buckets, area, lengths, items, rule, from, to }: MergeTask): {
  entries: Float64Array
  later: Float64Array
} {
  const { merge, keepTimes, divided } = rule
  const merger = duringPhase(
    'merge',
    () => new RowMerger(kernel, items, merge, area.values instanceof Uint8Array, area.times !== undefined),
  )
  const entries = new Float64Array(to - from)
  const later = new Float64Array(to - from)
  for (let b = from; b < to; b++) {
    const merged = merger.merge(buckets, b, area, lengths, keepTimes)
    if (divided) {
      const base = buckets.start[b]
      const own = lengths.subarray(buckets.first[b], buckets.first[b + 1])
      const rows = {
        items: area.items.subarray(base, base + merged),
        values: area.values.subarray(base, base + merged),
      }
      ;[entries[b - from], later[b - from]] = divider.divide(rows, own)
    } else entries[b - from] = merged
  }
  return { entries, later }
}
