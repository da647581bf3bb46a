import { identity } from '../linear-algebra/dense.ts'
import { runShards, takeShards } from '../pool/run-shards.ts'
import { sharedFloat32 } from '../pool/shared-arrays.ts'
import { copyToSource, type RowsTask } from './block-rows.ts'
import { FULL, viewKernel } from './kernel-view.ts'
import { BLOCK_ROWS } from './layout.ts'
import { loadMatrix } from './load-matrix.ts'
import { rebaseRows } from './rebase-shards.ts'
import type { Side } from './sides.ts'
import type { Workbench } from './workbench.ts'

/** Factors in the basis that users of the library see: X = X̂·P, rows × k, in an array of their own. */
export async function restoreFactors(bench: Workbench, side: Side): Promise<Float32Array<SharedArrayBuffer>> {
  const { share, pool, options, running } = bench
  const k = options.factors
  const { values, toFactors } = side.factors!
  const restored = sharedFloat32(side.rows * k)
  loadMatrix(bench, toFactors ?? identity(k), share.layout.transform)
  const { count, bounds } = side.rowShards
  const task = { share, bounds, factors: values, restored, k }
  await runShards<typeof restoreShards>(pool, 'restoreShards', count, task, { ...running, signal: undefined })
  return restored
}

/** `restoreFactors` in the memory of the side, which has no factors then. */
export async function restoreInPlace(bench: Workbench, side: Side): Promise<Float32Array<SharedArrayBuffer>> {
  const k = bench.options.factors
  const { padded } = bench.share.layout
  const { values, toFactors } = side.factors!
  if (toFactors) await rebaseRows({ ...bench, running: {} }, side.solveShards, values, toFactors)
  side.factors = undefined
  if (padded > k) for (let row = 1; row < side.rows; row++) values.copyWithin(row * k, row * padded, row * padded + k)
  return new Float32Array(values.buffer, 0, side.rows * k)
}

export interface RestoreTask extends RowsTask {
  /** rows × padded */
  readonly factors: Float32Array
  /** rows × k, not padded */
  readonly restored: Float32Array
  readonly k: number
}

/** Worker task: X = X̂·P for each shard of rows, without padding. */
export function restoreShards({ share, slot, board, bounds, factors, restored, k }: RestoreTask): void {
  const view = viewKernel(share, slot)
  const { kernel, layout, f32 } = view
  const { padded } = layout
  const block = view.at('block')
  for (const shard of takeShards(board)) {
    const end = bounds[2 * shard + 1]
    for (let first = bounds[2 * shard]; first < end; first += BLOCK_ROWS) {
      const rows = copyToSource(view, factors, first, end)
      kernel.multiply(view.at('source'), rows, padded, layout.transform, FULL, block)
      for (let r = 0; r < rows; r++) {
        const at = block / 4 + r * padded
        restored.set(f32.subarray(at, at + k), (first + r) * k)
      }
    }
  }
}
