import { compileKernel, type KernelMemory, type KernelModule, type KernelName } from '../kernel/instantiate.ts'
import * as topk from '../kernel/rank.wasm.ts'
import { runShards } from '../pool/run-shards.ts'
import { sharedFloat64 } from '../pool/shared-arrays.ts'
import type { WorkerPool } from '../pool/worker-pool.ts'
import { normShard, type normShards, type packShards, panelShard } from './index-shards.ts'
import { planLayout, type RankingLayout } from './layout.ts'
import { orderByNorm } from './order-by-norm.ts'

/**
 * Rows of a factor matrix, ready for the exact top-k of `assembly/rank/kernel.ts`: directions in int8 and int16, in descending order of norm,
 * in panels of eight. 3·k bytes per row, 18 more for bounds, norm and number, and 3.2 MB (plus an eighth of a byte per row) a
 * thread.
 */
export interface RankingIndex {
  /** Tells indexes apart in the threads' caches. */
  readonly id: string
  readonly module: KernelModule
  readonly memory: KernelMemory
  readonly layout: RankingLayout
  /** rows × factors, row-major: what the exact scores are computed from. */
  readonly factors: Float32Array<SharedArrayBuffer>
  readonly k: number
  readonly count: number
  /** Euclidean norm of each row, by row. */
  readonly norms: Float64Array<SharedArrayBuffer>
  /** Largest |f - 32767·v/|v|| of a row's fine codes f. */
  readonly rounding: number
}

export interface RankingIndexOptions {
  pool: WorkerPool
  kernel?: KernelName
  /** Interactions of each row; makes `popularityPenalty` possible. */
  counts?: ArrayLike<number>
}

/**
 * Builds the index over the pool.
 * @throws RangeError when a factor is not finite or beyond 1e27, or when the index would not fit a WebAssembly memory.
 */
export async function buildRankingIndex(
  factors: Float32Array<SharedArrayBuffer>,
  k: number,
  { pool, kernel, counts }: RankingIndexOptions,
): Promise<RankingIndex> {
  const count = factors.length / k
  const layout = planLayout(count, k, pool.threads)
  const pages = Math.ceil(layout.bytes / 65_536)
  const memory = new WebAssembly.Memory({ initial: pages, maximum: pages, shared: true })
  const module = compileKernel(topk, kernel)
  const norms = sharedFloat64(count)
  await runShards<typeof normShards>(pool, 'normShards', Math.ceil(count / normShard), { factors, k, norms })
  const wrong = norms.findIndex((norm) => !(norm < 2 ** 90))
  if (wrong >= 0) {
    throw new RangeError(
      `Row ${wrong} of the factors holds a value that is not finite, or is beyond 1e27: the model has diverged, or its file is damaged.`,
    )
  }
  const order = orderByNorm(Float32Array.from(norms))
  const u32 = new Uint32Array(memory.buffer)
  const f32 = new Float32Array(memory.buffer)
  u32.set(order, layout.rows / 4)
  for (let position = 0; position < count; position++) {
    f32[layout.norms / 4 + position] = norms[order[position]]
    if (counts) f32[layout.penalties / 4 + position] = Math.log1p(counts[order[position]])
  }
  const shards = Math.ceil(count / 8 / panelShard)
  const roundings = await runShards<typeof packShards>(pool, 'packShards', shards, {
    factors,
    k,
    module,
    memory,
    layout,
    count,
  })
  const id = `${process.pid}.${performance.timeOrigin}.${++built}`
  return { id, module, memory, layout, factors, k, count, norms, rounding: Math.max(0, ...roundings) }
}

let built = 0
