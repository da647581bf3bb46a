import { identity } from '../linear-algebra/dense.ts'
import { runShards, takeShards } from '../pool/run-shards.ts'
import { sharedFloat32 } from '../pool/shared-arrays.ts'
import { copyToSource, type RowsTask } from './block-rows.ts'
import { FULL, viewKernel } from './kernel-view.ts'
import { BLOCK_ROWS } from './layout.ts'
import { loadMatrix } from './load-matrix.ts'
import type { Factors, Side } from './sides.ts'
import type { Workbench } from './workbench.ts'

/** Factors in the basis that users of the library see: X = X̂·P, rows × k, in `restored`. */
export async function restoreFactors(
  bench: Workbench,
  side: Side,
  { values: factors, toFactors }: Factors,
  restored: Float32Array<SharedArrayBuffer> = sharedFloat32(side.rows * bench.options.factors),
): Promise<Float32Array<SharedArrayBuffer>> {
  const { share, pool, options, running } = bench
  const k = options.factors
  loadMatrix(bench, toFactors ?? identity(k), share.layout.transform)
  const { count, bounds } = side.rowShards
  const task = { share, bounds, factors, restored, k }
  await runShards<typeof restoreShards>(pool, 'restoreShards', count, task, { ...running, signal: undefined })
  return restored
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
