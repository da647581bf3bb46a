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

export interface PackTask extends NormTask {
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
export function packShards({ board, factors, k, norms, memory, layout, count, pairs }: PackTask): number {
  const rows = new Uint32Array(memory.buffer, layout.rows, count)
  const direction = new Int16Array(2 * pairs)
  const i16 = new Int16Array(memory.buffer)
  let rounding = 0
  for (const shard of takeShards(board)) {
    const last = Math.min(count, (shard + 1) * panelShard * 8)
    for (let position = shard * panelShard * 8; position < last; position++) {
      const row = rows[position]
      if (norms[row] === 0) continue
      rounding = Math.max(rounding, quantise(factors, row * k, k, direction))
      const lane = layout.vectors / 2 + (position >> 3) * pairs * 16 + (position & 7) * 2
      for (let pair = 0; pair < pairs; pair++) {
        i16[lane + pair * 16] = direction[2 * pair]
        i16[lane + pair * 16 + 1] = direction[2 * pair + 1]
      }
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
