import { copyToSource } from './block-rows.ts'
import { FULL, viewKernel } from './kernel-view.ts'
import { BLOCK_ROWS } from './layout.ts'
import { loadMatrix } from './load-matrix.ts'
import type { Shards } from './plan-shards.ts'
import { type InPlaceTask, runInPlace, takeInPlace } from './rows-in-place.ts'
import type { Workbench } from './workbench.ts'

/** Rows times R (k×k), in place: how they stand in another basis. */
export async function rebaseRows(
  bench: Workbench,
  shards: Shards,
  values: Float32Array,
  r: Float64Array,
): Promise<void> {
  loadMatrix(bench, r, bench.share.layout.restart)
  await runInPlace<typeof rebaseShards>(bench, 'rebaseShards', shards, { values })
}

/** Worker task: rows times the matrix at `restart`, in place. */
export function rebaseShards(task: InPlaceTask): void {
  const { share, slot, bounds, values } = task
  const view = viewKernel(share, slot)
  const { kernel, f32, layout } = view
  const { padded } = layout
  const block = view.at('block')
  for (const shard of takeInPlace(task)) {
    const end = bounds[2 * shard + 1]
    for (let first = bounds[2 * shard]; first < end; first += BLOCK_ROWS) {
      const rows = copyToSource(view, values, first, end)
      kernel.multiply(view.at('source'), rows, padded, layout.restart, FULL, block)
      values.set(f32.subarray(block / 4, block / 4 + rows * padded), first * padded)
    }
  }
}
