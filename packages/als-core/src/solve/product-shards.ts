import type { Triangle } from '../linear-algebra/dense-kernel.ts'
import { type ShardBoard, takeShards } from '../pool/run-shards.ts'
import { type KernelShare, type KernelView, viewKernel } from './kernel-view.ts'
import { BLOCK_ROWS } from './layout.ts'

/** What the kernel's products need to know of W: see assembly/solve/product.ts. */
export const FULL = 0
const TRIANGLES: Record<Triangle, number> = { lower: 1, upper: 2 }

interface Task {
  readonly share: KernelShare
  readonly slot: number
  readonly board: ShardBoard
  /** [first row, end row) of each shard. */
  readonly bounds: Float64Array
}

export interface GramTask extends Task {
  /** rows × padded */
  readonly factors: Float32Array
  /** padded × padded for each shard */
  readonly partials: Float64Array
}

/** FᵀF of each shard of rows, upper triangle: summed in float32 over blocks, the blocks in float64. */
export function gramShards({ share, slot, board, bounds, factors, partials }: GramTask): void {
  const view = viewKernel(share, slot)
  const { kernel, f32, layout } = view
  const { padded } = layout
  const square = padded * padded
  const gram = view.at('gram') / 4
  for (const shard of takeShards(board)) {
    const sum = partials.subarray(shard * square, (shard + 1) * square).fill(0)
    const end = bounds[2 * shard + 1]
    for (let first = bounds[2 * shard]; first < end; ) {
      f32.fill(0, gram, gram + square)
      // About 4096 rows in float32 before the sum moves on in float64.
      const until = Math.min(end, first + 4096)
      for (; first < until; first += BLOCK_ROWS) {
        const rows = copyIn(view, 'source', factors, first, until)
        kernel.gram(view.at('source'), rows, padded, view.at('block'), gram * 4)
      }
      first = until
      for (let i = 0; i < padded; i++) {
        for (let j = i; j < padded; j++) sum[i * padded + j] += f32[gram + i * padded + j]
      }
    }
  }
}

export interface RotateTask extends Task {
  readonly factors: Float32Array
  /** What W is, if it is triangular. */
  readonly triangle?: Triangle
  /** Place in Z of each row. */
  readonly rank: Uint32Array
  /** Whether Z is int8. */
  readonly coded: boolean
  readonly outside?: OutsideRows
}

/** Z, outside the kernel's memory. */
export interface OutsideRows {
  readonly rows: Uint8Array<SharedArrayBuffer>
  /** Of each row, when Z is int8: what its record says of its codes. */
  readonly units: Uint32Array<SharedArrayBuffer>
}

/** Z = F·W for each shard of rows, in the precision that the gather reads, every row in its place. */
export function rotateShards(task: RotateTask): void {
  const { share, slot, board, bounds, factors, rank, coded, outside } = task
  const view = viewKernel(share, slot)
  const { kernel, layout, u32, u8 } = view
  const { padded } = layout
  const bytes = padded * (coded ? 1 : 4)
  const source = view.at('source')
  const block = view.at('block')
  const triangle = task.triangle ? TRIANGLES[task.triangle] : FULL
  for (const shard of takeShards(board)) {
    const end = bounds[2 * shard + 1]
    for (let first = bounds[2 * shard]; first < end; first += BLOCK_ROWS) {
      const rows = copyIn(view, 'source', factors, first, end)
      if (coded) {
        const codes = view.at('chunk')
        const units = view.at('weights')
        kernel.encodeFactors(source, rows, padded, layout.rotationScales, codes, units)
        kernel.multiplyCodes(codes, units, rows, padded, layout.rotation, layout.rotationUnits, triangle, block)
      } else kernel.multiply(source, rows, padded, layout.rotation, triangle, block)
      // Rows of a Z outside are encoded one after the other first.
      const columns = outside ? view.at('places') : layout.columns + first * 8
      for (let r = 0; r < rows; r++) {
        u32[columns / 4 + 2 * r] = outside ? source + r * bytes : layout.fixed + rank[first + r] * bytes
      }
      if (coded) kernel.encodeRows(block, rows, padded, columns)
      else if (!outside) kernel.scatterRows(block, rows, bytes, columns)
      for (let r = 0; outside && r < rows; r++) {
        const from = (coded ? source : block) + r * bytes
        outside.rows.set(u8.subarray(from, from + bytes), rank[first + r] * bytes)
        outside.units[rank[first + r]] = u32[columns / 4 + 2 * r + 1]
      }
    }
  }
}

export interface RestoreTask extends Task {
  readonly factors: Float32Array
  /** rows × k, not padded */
  readonly restored: Float32Array
  readonly k: number
}

/** X = X̂·P for each shard of rows: the factors in the basis that the user sees, without padding. */
export function restoreShards({ share, slot, board, bounds, factors, restored, k }: RestoreTask): void {
  const view = viewKernel(share, slot)
  const { kernel, layout, f32 } = view
  const { padded } = layout
  const block = view.at('block')
  for (const shard of takeShards(board)) {
    const end = bounds[2 * shard + 1]
    for (let first = bounds[2 * shard]; first < end; first += BLOCK_ROWS) {
      const rows = copyIn(view, 'source', factors, first, end)
      kernel.multiply(view.at('source'), rows, padded, layout.rotation, FULL, block)
      for (let r = 0; r < rows; r++) {
        const at = block / 4 + r * padded
        restored.set(f32.subarray(at, at + k), (first + r) * k)
      }
    }
  }
}

/** Copies up to BLOCK_ROWS rows from `first` on into a scratch area; returns how many. */
function copyIn(view: KernelView, area: 'source' | 'block', factors: Float32Array, first: number, end: number): number {
  const { padded } = view.layout
  const rows = Math.min(BLOCK_ROWS, end - first)
  view.f32.set(factors.subarray(first * padded, (first + rows) * padded), view.at(area) / 4)
  return rows
}
