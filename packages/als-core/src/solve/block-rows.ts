import type { ShardBoard } from '../pool/run-shards.ts'
import type { KernelShare, KernelView } from './kernel-view.ts'
import { BLOCK_ROWS } from './layout.ts'

/** What every worker task on rows has. */
export interface RowsTask {
  readonly share: KernelShare
  readonly slot: number
  readonly board: ShardBoard
  /** [first row, end row) of each shard. */
  readonly bounds: Float64Array
}

/** Copies up to BLOCK_ROWS rows from `first` on into the scratch area `source`; returns how many. */
export function copyToSource(view: KernelView, factors: Float32Array, first: number, end: number): number {
  const { padded } = view.layout
  const rows = Math.min(BLOCK_ROWS, end - first)
  view.f32.set(factors.subarray(first * padded, (first + rows) * padded), view.at('source') / 4)
  return rows
}
