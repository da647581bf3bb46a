import { gramOf } from '../linear-algebra/gram-rows.ts'
import { runShards, takeShards } from '../pool/run-shards.ts'
import { copyToSource, type RowsTask } from './block-rows.ts'
import { viewKernel } from './kernel-view.ts'
import { BLOCK_ROWS } from './layout.ts'
import type { Side } from './sides.ts'
import type { Workbench } from './workbench.ts'

/** Rows that are summed in float32 before the sum moves on in float64. */
const FLOAT32_ROWS = 4096

/** G = F̂ᵀF̂, k×k, symmetric: the shards' partial sums added in their order, so that threads change no bit. */
export async function computeGram(bench: Workbench, side: Side): Promise<Float64Array> {
  const { share, partials, pool, running, options } = bench
  const { padded } = share.layout
  const k = options.factors
  const factors = side.factors!.values
  if (options.solver === 'cholesky') {
    // The reference is float64 throughout: float32 sums would cost it 1e-7 times the condition number of G + λI.
    const wide = await gramOf(factors, padded, pool)
    return Float64Array.from({ length: k * k }, (_, at) => wide[Math.floor(at / k) * padded + (at % k)])
  }
  const { count, bounds } = side.gramShards
  await runShards<typeof gramShards>(pool, 'gramShards', count, { share, bounds, factors, partials }, running)
  const gram = new Float64Array(k * k)
  for (let s = 0; s < count; s++) {
    const partial = partials.subarray(s * padded * padded)
    for (let i = 0; i < k; i++) for (let j = i; j < k; j++) gram[i * k + j] += partial[i * padded + j]
  }
  for (let i = 0; i < k; i++) for (let j = 0; j < i; j++) gram[i * k + j] = gram[j * k + i]
  return gram
}

export interface GramTask extends RowsTask {
  /** rows × padded */
  readonly factors: Float32Array
  /** padded × padded for each shard */
  readonly partials: Float64Array
}

/** Worker task: FᵀF of each shard of rows, upper triangle. */
export function gramShards({ share, slot, board, bounds, factors, partials }: GramTask): void {
  const view = viewKernel(share, slot)
  const { kernel, f32, layout } = view
  const { padded } = layout
  const size = padded * padded
  const square = view.at('square') / 4
  for (const shard of takeShards(board)) {
    const sum = partials.subarray(shard * size, (shard + 1) * size).fill(0)
    const end = bounds[2 * shard + 1]
    for (let first = bounds[2 * shard]; first < end; ) {
      f32.fill(0, square, square + size)
      const until = Math.min(end, first + FLOAT32_ROWS)
      for (; first < until; first += BLOCK_ROWS) {
        const rows = copyToSource(view, factors, first, until)
        kernel.gram(view.at('source'), rows, padded, view.at('block'), square * 4)
      }
      first = until
      for (let i = 0; i < padded; i++) {
        for (let j = i; j < padded; j++) sum[i * padded + j] += f32[square + i * padded + j]
      }
    }
  }
}
