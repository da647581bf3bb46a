import { runShards, type ShardBoard, takeShards } from '../pool/run-shards.ts'
import type { WorkerPool } from '../pool/worker-pool.ts'

export interface GramRowsTask {
  readonly board: ShardBoard
  readonly factors: Float32Array
  readonly k: number
  /** A k×k partial sum for each shard. */
  readonly partials: Float64Array
}

/** FᵀF (k×k) in float64, over the pool; the order of its sums does not depend on the threads. */
export async function gramOf(
  factors: Float32Array<SharedArrayBuffer>,
  k: number,
  pool: WorkerPool,
): Promise<Float64Array> {
  const rows = factors.length / k
  const shards = Math.max(1, Math.min(32, Math.ceil(rows / 256)))
  const partials = new Float64Array(new SharedArrayBuffer(8 * shards * k * k))
  await runShards<typeof gramRowsShards>(pool, 'gramRowsShards', shards, { factors, k, partials })
  const gram = new Float64Array(k * k)
  for (let at = 0; at < partials.length; at++) gram[at % (k * k)] += partials[at]
  for (let i = 0; i < k; i++) for (let j = 0; j < i; j++) gram[i * k + j] = gram[j * k + i]
  return gram
}

/** Worker task: upper triangles of the shards' partial sums. */
export function gramRowsShards({ board, factors, k, partials }: GramRowsTask): void {
  const rows = factors.length / k
  const each = Math.ceil(rows / board.shards)
  const row = new Float64Array(k)
  for (const shard of takeShards(board)) {
    const sum = partials.subarray(shard * k * k, (shard + 1) * k * k).fill(0)
    for (let r = shard * each; r < Math.min(rows, (shard + 1) * each); r++) {
      for (let i = 0; i < k; i++) row[i] = factors[r * k + i]
      for (let i = 0; i < k; i++) {
        const s = row[i]
        for (let j = i; j < k; j++) sum[i * k + j] += s * row[j]
      }
    }
  }
}
