import type { Triangle } from '../linear-algebra/dense-kernel.ts'
import { runShards, takeShards } from '../pool/run-shards.ts'
import type { Basis } from './basis.ts'
import { copyToSource, type RowsTask } from './block-rows.ts'
import { FULL, TRIANGLES, viewKernel } from './kernel-view.ts'
import { BLOCK_ROWS } from './layout.ts'
import { loadMatrix } from './load-matrix.ts'
import type { Side } from './sides.ts'
import type { OutsideRows, Workbench } from './workbench.ts'

/** Z = F̂·W: the fixed side in the new basis, in the precision that the solver gathers it in, in the order of its rows. */
export async function transformFixedSide(bench: Workbench, fixed: Side, { transform, triangle }: Basis): Promise<void> {
  const { share, pool, quantized, outside, running } = bench
  loadMatrix(bench, transform, share.layout.transform)
  const { count, bounds } = fixed.rowShards
  const factors = fixed.factors!.values
  const task = { share, bounds, factors, triangle, order: fixed.order, quantized, outside }
  await runShards<typeof transformShards>(pool, 'transformShards', count, task, running)
}

export interface TransformTask extends RowsTask {
  readonly factors: Float32Array
  /** The kind of triangle W is, if any. */
  readonly triangle?: Triangle
  /** Position in Z of each row. */
  readonly order: Uint32Array
  /** Whether Z is int8. */
  readonly quantized: boolean
  readonly outside?: OutsideRows
}

/** Worker task: rows of Z, each at its position. */
export function transformShards(task: TransformTask): void {
  const { share, slot, board, bounds, factors, order, quantized, outside } = task
  const view = viewKernel(share, slot)
  const { kernel, layout, u32, u8 } = view
  const { padded } = layout
  const bytes = padded * (quantized ? 1 : 4)
  const source = view.at('source')
  const block = view.at('block')
  const triangle = task.triangle ? TRIANGLES[task.triangle] : FULL
  for (const shard of takeShards(board)) {
    const end = bounds[2 * shard + 1]
    for (let first = bounds[2 * shard]; first < end; first += BLOCK_ROWS) {
      const rows = copyToSource(view, factors, first, end)
      kernel.multiply(source, rows, padded, layout.transform, triangle, block)
      // Rows of a Z outside are encoded contiguously first, in the place of the factors.
      const records = outside ? view.at('rowRecords') : layout.records + first * 8
      for (let r = 0; r < rows; r++) {
        u32[records / 4 + 2 * r] = outside ? source + r * bytes : layout.fixed + order[first + r] * bytes
      }
      if (quantized) kernel.encodeRows(block, rows, padded, records)
      else if (!outside) kernel.scatterRows(block, rows, bytes, records)
      for (let r = 0; outside && r < rows; r++) {
        const from = (quantized ? source : block) + r * bytes
        outside.rows.set(u8.subarray(from, from + bytes), order[first + r] * bytes)
        outside.scales[order[first + r]] = u32[records / 4 + 2 * r + 1]
      }
    }
  }
}
