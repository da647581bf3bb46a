import { type ShardBoard, takeShards } from '../pool/run-shards.ts'
import { normShard, panelShard, type RankingLayout } from './ranking-index.ts'

/** Length of a quantised direction: |q| <= 2^15, so that p·q fits int32. */
export const quantum = 32767

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
  pairs: number
}

/** Worker task: Euclidean norms of rows. */
export function normShards({ board, factors, k, norms }: NormTask): void {
  for (const shard of takeShards(board)) {
    const last = Math.min(norms.length, (shard + 1) * normShard)
    for (let row = shard * normShard; row < last; row++) norms[row] = normOf(factors, row * k, k)
  }
}

/** Worker task: directions of rows as int16 in panels of eight. Returns the largest relative rounding. */
export function packShards({ board, slot, factors, k, module, memory, layout, count, pairs }: PackTask): number {
  const kernel = new WebAssembly.Instance(module, { env: { memory } }).exports as unknown as {
    packPanel(from: number, k: number, panel: number): number
  }
  const rows = new Uint32Array(memory.buffer, layout.rows, count)
  const f32 = new Float32Array(memory.buffer)
  const staging = layout.areas + slot * layout.areaBytes
  const panels = Math.ceil(count / 8)
  let rounding = 0
  for (const shard of takeShards(board)) {
    const last = Math.min(panels, (shard + 1) * panelShard)
    for (let panel = shard * panelShard; panel < last; panel++) {
      for (let lane = 0; lane < 8; lane++) {
        const row = rows[Math.min(count - 1, panel * 8 + lane)]
        f32.set(factors.subarray(row * k, (row + 1) * k), staging / 4 + lane * k)
      }
      const to = layout.vectors + panel * pairs * 32
      rounding = Math.max(rounding, kernel.packPanel(staging, k, to))
    }
  }
  return rounding / quantum
}

/** Euclidean norm of `k` values from `at`, in float64. */
export function normOf(values: Float32Array, at: number, k: number): number {
  let sum = 0
  for (let i = 0; i < k; i++) sum += values[at + i] * values[at + i]
  return Math.sqrt(sum)
}

/** Writes q = round(32767·v/|v|) for a v that is not zero; returns |q/32767 - v/|v||. */
export function quantise(values: Float32Array, at: number, k: number, out: Int16Array): number {
  const scale = quantum / normOf(values, at, k)
  let sum = 0
  for (let i = 0; i < k; i++) {
    const exact = values[at + i] * scale
    const rounded = Math.round(exact)
    out[i] = rounded
    sum += (exact - rounded) * (exact - rounded)
  }
  return Math.sqrt(sum) / quantum
}
