import { normOf, quantise, quantum } from './index-shards.ts'
import { rankExhaustively } from './rank-exhaustively.ts'
import { areaCandidates, areaExcluded, blockQueries, type RankingIndex } from './ranking-index.ts'

/** Lists of rows to leave out, ascending, in compressed rows; `lists[q]` is query q's list (default: q). */
export interface ExcludedRows {
  readonly indptr: Float64Array
  readonly indices: Uint32Array
  readonly lists?: Uint32Array
}

/** The `to - from` queries of one task; every array is on shared memory. */
export interface RankTask {
  readonly index: RankingIndex
  /** Which of the index's areas this task owns. */
  readonly area: number
  /** Query vectors, k each. */
  readonly vectors: Float32Array
  /** Vector of each query (default: its own number). */
  readonly vectorRows?: Uint32Array
  readonly from: number
  readonly to: number
  readonly limit: number
  readonly metric: 'dot' | 'cosine'
  readonly excluded?: ExcludedRows
  /** One bit for each position of the index: whether its row may be recommended. */
  readonly mask?: Uint8Array
  /** Weight of ln(1 + interactions), taken off each score. */
  readonly penalty: number
  readonly counts?: ArrayLike<number>
  /** limit × queries. */
  readonly rows: Uint32Array
  readonly scores: Float32Array
  /** Results of each query. */
  readonly found: Uint32Array
}

/** Worker task: exact top-k of a run of queries. */
export function rankQueries(task: RankTask): void {
  const thread = openThread(task.index, task.area)
  if (task.mask) new Uint8Array(task.index.memory.buffer).set(task.mask, thread.at.mask)
  let from = task.from
  while (from < task.to) from = rankBlock(thread, task, from)
}

/**
 * The score that orders a result: x·y in float64 (each product of two float32 is exact there), over |x||y| for cosine,
 * less the penalty, rounded to float32. It does not depend on the kernel, the batch or the thread.
 */
export function exactScore(task: RankTask, vector: number, norm: number, row: number): number {
  const { index, vectors, metric, penalty, counts } = task
  const { factors, k } = index
  const at = row * k
  let score = 0
  for (let i = 0; i < k; i++) score += vectors[vector + i] * factors[at + i]
  if (metric === 'cosine') score = index.norms[row] > 0 && norm > 0 ? score / (norm * normOf(factors, at, k)) : 0
  if (penalty !== 0) score -= penalty * Math.log1p(counts![row])
  return Math.fround(score)
}

/** Best first: by falling score, equal scores by rising row. */
export function writeResult(task: RankTask, query: number, rows: number[], scores: number[]): void {
  const order = Array.from(rows, (_, i) => i).sort((a, b) => scores[b] - scores[a] || rows[a] - rows[b])
  const found = Math.min(task.limit, order.length)
  for (let place = 0; place < found; place++) {
    task.rows[query * task.limit + place] = rows[order[place]]
    task.scores[query * task.limit + place] = scores[order[place]]
  }
  task.found[query] = found
}

/** Ranks as many queries from `from` as fit an area together; returns the first that is left. */
function rankBlock(thread: Thread, task: RankTask, from: number): number {
  const { index, limit, vectors, vectorRows, excluded, metric, penalty } = task
  const { k, pairs } = index
  const { kernel, i16, f32, u32, i32, at } = thread
  const capacity = 4 * limit + 256
  const most = Math.min(blockQueries, Math.floor(areaCandidates / capacity), Math.max(4, Math.floor(6144 / pairs)))
  const direction = new Int16Array(2 * pairs)
  const block: { query: number; vector: number; norm: number }[] = []
  let excludedAt = at.excludedRows
  let query = from
  for (; query < task.to && block.length < Math.max(1, most); query++) {
    const vector = (vectorRows ? vectorRows[query] : query) * k
    const norm = normOf(vectors, vector, k)
    const list = excluded?.lists ? excluded.lists[query] : query
    const length = excluded ? excluded.indptr[list + 1] - excluded.indptr[list] : 0
    if (norm === 0 || !Number.isFinite(norm) || most < 1 || length > areaExcluded) {
      rankExhaustively(task, query)
      continue
    }
    if (excludedAt + 4 * length > at.excludedRows + 4 * areaExcluded) break
    const slot = block.length
    const rounding = quantise(vectors, vector, k, direction)
    i16.set(direction, at.queries / 2 + slot * 2 * pairs)
    // |x̂·ŷ - x·y| <= |x||y|(ε_x + ε_y + ε_x ε_y); the rest covers float32 in the screen.
    f32[at.errors / 4 + slot] = quantum ** 2 * (rounding + index.rounding + rounding * index.rounding) + 2048
    f32[at.weights / 4 + slot] = (penalty * quantum ** 2) / (metric === 'cosine' ? 1 : norm)
    u32[at.excluded / 4 + 2 * slot] = excludedAt
    if (excluded && length > 0) {
      u32.set(excluded.indices.subarray(excluded.indptr[list], excluded.indptr[list + 1]), excludedAt / 4)
      excludedAt += 4 * length
    }
    u32[at.excluded / 4 + 2 * slot + 1] = excludedAt
    block.push({ query, vector, norm })
  }
  if (block.length === 0) return query
  const { layout } = index
  const norms = metric === 'cosine' ? layout.ones : layout.norms
  kernel.setIndex(layout.vectors, norms, layout.rows, index.count, pairs)
  kernel.setBlock(
    at.queries,
    at.thresholds,
    at.errors,
    at.weights,
    at.filled,
    at.excluded,
    at.active,
    at.dots,
    at.candidates,
    capacity,
    limit,
    penalty === 0 ? 0 : layout.penalties,
    task.mask ? at.mask : 0,
  )
  kernel.rank(block.length)
  for (let slot = 0; slot < block.length; slot++) {
    const { query, vector, norm } = block[slot]
    const candidates = i32[at.filled / 4 + slot]
    if (candidates < 0) {
      rankExhaustively(task, query)
      continue
    }
    const rows: number[] = []
    const scores: number[] = []
    for (let c = 0; c < candidates; c++) {
      const row = u32[layout.rows / 4 + u32[at.candidates / 4 + 2 * (slot * capacity + c) + 1]]
      rows.push(row)
      scores.push(exactScore(task, vector, norm, row))
    }
    writeResult(task, query, rows, scores)
  }
  return query
}

interface TopkKernel {
  setIndex(vectors: number, norms: number, rows: number, items: number, pairs: number): void
  setBlock(...addresses: number[]): void
  rank(count: number): number
}

interface Thread {
  readonly kernel: TopkKernel
  readonly i16: Int16Array
  readonly f32: Float32Array
  readonly u32: Uint32Array
  readonly i32: Int32Array
  readonly at: Record<AreaPart, number>
}

type AreaPart =
  | 'queries'
  | 'thresholds'
  | 'errors'
  | 'weights'
  | 'filled'
  | 'excluded'
  | 'active'
  | 'dots'
  | 'excludedRows'
  | 'candidates'
  | 'mask'

/** What this thread has instantiated, while anything of the index is alive. */
const instances = new Map<string, WeakRef<TopkKernel>>()

function openThread({ id, module, memory, layout, pairs }: RankingIndex, area: number): Thread {
  let kernel = instances.get(id)?.deref()
  if (!kernel) {
    for (const [other, instance] of instances) if (!instance.deref()) instances.delete(other)
    kernel = new WebAssembly.Instance(module, { env: { memory } }).exports as unknown as TopkKernel
    instances.set(id, new WeakRef(kernel))
  }
  const { buffer } = memory
  const base = layout.areas + area * layout.areaBytes
  const state = base + blockQueries * pairs * 4
  const part = (number: number) => state + number * blockQueries * 4
  const excludedRows = part(8) + 64
  const candidates = excludedRows + areaExcluded * 4
  return {
    kernel,
    i16: new Int16Array(buffer),
    f32: new Float32Array(buffer),
    u32: new Uint32Array(buffer),
    i32: new Int32Array(buffer),
    at: {
      queries: base,
      thresholds: part(0),
      errors: part(1),
      weights: part(2),
      filled: part(3),
      active: part(4),
      excluded: part(5),
      dots: part(7),
      excludedRows,
      candidates,
      mask: candidates + areaCandidates * 8,
    },
  }
}
