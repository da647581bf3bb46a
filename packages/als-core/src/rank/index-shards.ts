import { type ShardBoard, takeShards } from '../pool/run-shards.ts'
import type { RankingLayout } from './layout.ts'

/** Rows whose norms a shard computes, and panels that a shard packs. */
export const normShard = 8192
export const panelShard = 1024

export interface NormTask {
  board: ShardBoard
  factors: Float32Array
  k: number
  norms: Float64Array
}

export interface PackTask {
  board: ShardBoard
  slot: number
  factors: Float32Array
  k: number
  module: WebAssembly.Module
  memory: WebAssembly.Memory
  layout: RankingLayout
  count: number
}

/** Worker task: Euclidean norms of rows. */
export function normShards({ board, factors, k, norms }: NormTask): void {
  for (const shard of takeShards(board)) {
    const last = Math.min(norms.length, (shard + 1) * normShard)
    for (let row = shard * normShard; row < last; row++) norms[row] = normOf(factors, row * k, k)
  }
}

/** Worker task: codes of rows, in panels of eight. Returns the largest |f - 32767·v/|v|| of the fine ones. */
export function packShards({ board, slot, factors, k, module, memory, layout, count }: PackTask): number {
  const kernel = new WebAssembly.Instance(module, { env: { memory } }).exports as unknown as {
    packPanel(from: number, k: number, width: number, panel: number, fine: number, bounds: number): number
  }
  const { width, panelBytes, areas, areaBytes } = layout
  const rows = new Uint32Array(memory.buffer, layout.rows, count)
  const f32 = new Float32Array(memory.buffer)
  const staging = areas + slot * areaBytes
  const panels = Math.ceil(count / 8)
  let rounding = 0
  for (const shard of takeShards(board)) {
    const last = Math.min(panels, (shard + 1) * panelShard)
    for (let panel = shard * panelShard; panel < last; panel++) {
      for (let lane = 0; lane < 8; lane++) {
        const row = rows[Math.min(count - 1, panel * 8 + lane)]
        f32.set(factors.subarray(row * k, (row + 1) * k), staging / 4 + lane * k)
      }
      const [coarse, fine] = [layout.coarse + panel * panelBytes, layout.fine + panel * width * 16]
      const packed = kernel.packPanel(staging, k, width, coarse, fine, layout.bounds + panel * 16)
      rounding = Math.max(rounding, packed)
    }
  }
  return rounding
}

/** Euclidean norm of `k` values from `at`, in float64. */
export function normOf(values: Float32Array, at: number, k: number): number {
  let sum = 0
  for (let i = 0; i < k; i++) sum += values[at + i] * values[at + i]
  return Math.sqrt(sum)
}
