import { compileKernel, type KernelName } from '../kernel/instantiate.ts'
import * as topk from '../kernel/topk.wasm.ts'
import { sharedFloat64 } from '../matrix/compressed-rows.ts'
import { runShards } from '../pool/run-shards.ts'
import type { WorkerPool } from '../pool/worker-pool.ts'
import { orderByNorm } from './order-by-norm.ts'

/** Queries that share one pass over the index; what a thread keeps for them is its area. */
export const blockQueries = 64
/** Candidates of a block's queries together, 8 bytes each. */
export const areaCandidates: number = 2 ** 17
/** Rows left out for a block's queries together, 4 bytes each. */
export const areaExcluded: number = 2 ** 18

/** Addresses in the index's memory, in bytes. */
export interface RankingLayout {
  readonly vectors: number
  readonly norms: number
  /** A norm of one for each row: cosine. */
  readonly ones: number
  readonly rows: number
  readonly penalties: number
  readonly areas: number
  readonly areaBytes: number
  readonly bytes: number
}

/**
 * Rows of a factor matrix, ready for the exact top-k of `assembly/topk.ts`: directions in int16, by falling norm, in
 * panels of eight. 2·k bytes a row, 28 more for its norm and number, and 2.3 MB (plus an eighth of a byte a row) a thread.
 */
export interface RankingIndex {
  /** Tells indexes apart in the threads' caches. */
  readonly id: string
  readonly module: WebAssembly.Module
  readonly memory: WebAssembly.Memory
  readonly layout: RankingLayout
  /** rows × factors, row-major: what the exact scores are computed from. */
  readonly factors: Float32Array<SharedArrayBuffer>
  readonly k: number
  readonly count: number
  /** Pairs of factors, k padded to an even number. */
  readonly pairs: number
  /** Euclidean norm of each row, by row. */
  readonly norms: Float64Array<SharedArrayBuffer>
  /** Largest relative rounding |v̂ - v| / |v| of a row's direction. */
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
 * @throws RangeError when a factor is not finite, or when the index would not fit the 4 GiB of a WebAssembly memory: 15
 * million rows at 128 factors.
 */
export async function buildRankingIndex(
  factors: Float32Array<SharedArrayBuffer>,
  k: number,
  { pool, kernel, counts }: RankingIndexOptions,
): Promise<RankingIndex> {
  const count = factors.length / k
  const pairs = (k + 1) >> 1
  const layout = planLayout(count, pairs, pool.threads)
  const pages = Math.ceil(layout.bytes / 65536)
  const memory = new WebAssembly.Memory({ initial: pages, maximum: pages, shared: true })
  const module = compileKernel(topk, kernel)
  const norms = sharedFloat64(count)
  const shards = Math.ceil(count / normShard)
  await runShards(pool, 'normShards', shards, { factors, k, norms })
  const wrong = norms.findIndex((norm) => !Number.isFinite(norm))
  if (wrong >= 0) {
    throw new RangeError(
      `Row ${wrong} of the factors holds a value that is not finite: the model has diverged, or its file is damaged.`,
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
  f32.fill(1, layout.ones / 4, layout.ones / 4 + count)
  const panels = Math.ceil(count / 8)
  const roundings = await runShards<number>(pool, 'packShards', Math.ceil(panels / panelShard), {
    factors,
    k,
    module,
    memory,
    layout,
    count,
    pairs,
  })
  return {
    id: `${process.pid}.${performance.timeOrigin}.${++built}`,
    module,
    memory,
    layout,
    factors,
    k,
    count,
    pairs,
    norms,
    rounding: Math.max(0, ...roundings),
  }
}

/** Rows whose norms a shard computes, and panels that a shard packs. */
export const normShard = 8192
export const panelShard = 1024

let built = 0

function planLayout(count: number, pairs: number, threads: number): RankingLayout {
  let bytes = 65536
  const reserve = (size: number): number => {
    const at = bytes
    bytes += Math.ceil(size / 64) * 64
    return at
  }
  const padded = Math.ceil(count / 8) * 8
  const vectors = reserve(padded * pairs * 4)
  const norms = reserve(padded * 4)
  const ones = reserve(padded * 4)
  const rows = reserve(padded * 4)
  const penalties = reserve(padded * 4)
  const queries = blockQueries * (pairs * 4 + 8 * 4)
  const areaBytes = Math.ceil((queries + 4096 + areaExcluded * 4 + areaCandidates * 8 + padded / 8) / 64) * 64
  const areas = reserve(areaBytes * threads)
  if (bytes > 2 ** 32) {
    throw new RangeError(
      `Ranking ${count} rows of ${pairs * 2} factors takes ${bytes} bytes of WebAssembly memory, which ends at ${2 ** 32}. ` +
        'Use fewer factors, or rank parts of the catalogue and merge their lists.',
    )
  }
  return { vectors, norms, ones, rows, penalties, areas, areaBytes, bytes }
}
