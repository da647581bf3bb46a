import type { CompressedRows } from '@seesaw/als-core'
import { offsetsOf } from '../matrix/compressed-rows.ts'
import type { Merge, ResolvedOptions } from '../options.ts'

/** What becomes of the rows of a pair, and what is made of them. */
export interface MergeRule {
  readonly merge: Merge
  readonly keepTimes: boolean
  /** Whether each user has two rows, before and from the moment of a split: see `SideDivider`. */
  readonly divided: boolean
}

/** The merged rows: the CSR, the time of each entry where it is kept, and the CSR of what is later than a split. */
export interface Merged {
  readonly csr: CompressedRows
  readonly times?: Float64Array<SharedArrayBuffer>
  readonly later?: CompressedRows
}

export function mergeRuleOf({ merge, keepTimes, split }: ResolvedOptions): MergeRule {
  return { merge, keepTimes, divided: split !== undefined }
}

/** Offsets of each user's entries from the lengths of its rows, and of those of its second rows where it has two. */
export function offsetsBySide(
  lengths: Uint32Array,
  divided: boolean,
): [earlier: Float64Array<SharedArrayBuffer>, later: Float64Array<SharedArrayBuffer>] {
  if (!divided) return [offsetsOf(lengths), offsetsOf(new Uint32Array(0))]
  const side = (first: number) => offsetsOf(lengths.filter((_, row) => row % 2 === first))
  return [side(0), side(1)]
}
