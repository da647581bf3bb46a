import { sharedFloat32, sharedUint32 } from '../pool/shared-arrays.ts'
import type { WorkerPool } from '../pool/worker-pool.ts'
import type { rankQueries } from './rank-queries.ts'
import type { RankingIndex } from './ranking-index.ts'
import type { ExcludedRows, RankTask } from './task.ts'

export interface RankRequest {
  vectors: Float32Array<SharedArrayBuffer>
  vectorRows?: Uint32Array
  queries: number
  limit: number
  metric: 'dot' | 'cosine'
  excluded?: ExcludedRows
  mask?: Uint8Array<SharedArrayBuffer>
  penalty?: number
  counts?: ArrayLike<number>
  signal?: AbortSignal
}

export interface RankedRows {
  rows: Uint32Array<SharedArrayBuffer>
  scores: Float32Array<SharedArrayBuffer>
  counts: Uint32Array<SharedArrayBuffer>
}

/**
 * Runs batches of queries against one index. Calls may overlap: a task owns one of the index's areas while it runs, and
 * there are as many areas as threads.
 */
export class Ranker {
  readonly index: RankingIndex
  readonly #pool: WorkerPool
  readonly #free: number[]
  readonly #waiting: ((area: number) => void)[] = []

  constructor(index: RankingIndex, pool: WorkerPool) {
    this.index = index
    this.#pool = pool
    this.#free = Array.from({ length: pool.threads }, (_, area) => area)
  }

  /** Exact top-k of each query. Tasks are about equal runs of queries; a task whose thread dies is run once more. */
  async rank({ queries, limit, penalty = 0, signal, ...rest }: RankRequest): Promise<RankedRows> {
    signal?.throwIfAborted()
    const parts = this.#partsOf(queries, rest.metric)
    if (parts > 1) return this.#rankInParts(parts, { queries, limit, penalty, signal, ...rest })
    return this.#rankWhole({ queries, limit, penalty, signal, ...rest })
  }

  async #rankWhole(
    { queries, limit, penalty = 0, signal, ...rest }: RankRequest,
    panels?: readonly [number, number],
  ): Promise<RankedRows> {
    const rows = sharedUint32(queries * limit)
    const scores = sharedFloat32(queries * limit)
    const found = sharedUint32(queries)
    const bounds = taskBounds(queries, 4 * this.#pool.threads)
    const message = { ...rest, panels, index: this.index, limit, penalty, rows, scores, found }
    const tasks: Promise<void>[] = []
    for (let task = 1; task < bounds.length; task++) {
      tasks.push(this.#run({ ...message, from: bounds[task - 1], to: bounds[task] }, signal))
    }
    const settled = await Promise.allSettled(tasks)
    signal?.throwIfAborted()
    for (const result of settled) if (result.status === 'rejected') throw result.reason
    return { rows, scores, counts: found }
  }

  /** A few queries that read all of the index are split by parts of the index: two threads take half the time. */
  #partsOf(queries: number, metric: RankRequest['metric']): number {
    const { threads } = this.#pool
    return metric === 'cosine' && 2 * queries <= threads && this.index.count >= 8 * threads * 256 ? threads : 1
  }

  async #rankInParts(parts: number, request: RankRequest): Promise<RankedRows> {
    const { queries, limit } = request
    const panels = Math.ceil(this.index.count / 8)
    const bound = (part: number) => Math.floor((panels * part) / parts)
    const lists = await Promise.all(
      Array.from({ length: parts }, (_, part) => this.#rankWhole(request, [bound(part), bound(part + 1)])),
    )
    const [merged] = lists
    for (let query = 0; query < queries; query++) {
      const all = lists.flatMap(({ rows, scores, counts }) =>
        Array.from({ length: counts[query] }, (_, place) => ({
          row: rows[query * limit + place],
          score: scores[query * limit + place],
        })),
      )
      all.sort((a, b) => b.score - a.score || a.row - b.row).splice(limit)
      merged.counts[query] = all.length
      for (const [place, { row, score }] of all.entries()) {
        merged.rows[query * limit + place] = row
        merged.scores[query * limit + place] = score
      }
    }
    return merged
  }

  async #run(task: Omit<RankTask, 'area'>, signal: AbortSignal | undefined): Promise<void> {
    const area = this.#free.pop() ?? (await new Promise<number>((resolve) => this.#waiting.push(resolve)))
    try {
      for (let attempt = 0; !signal?.aborted; attempt++) {
        try {
          return await this.#pool.run<ReturnType<typeof rankQueries>>('rankQueries', {
            ...task,
            area,
          } satisfies RankTask)
        } catch (error) {
          if (attempt === 1) throw error
        }
      }
    } finally {
      const next = this.#waiting.shift()
      if (next) next(area)
      else this.#free.push(area)
    }
  }
}

/** Where equal tasks of at most 256 queries begin, and the end; all but the last are multiples of four, which the kernel takes at once. */
function taskBounds(queries: number, minTasks: number): number[] {
  const fours = Math.ceil(queries / 4)
  const tasks = Math.max(Math.min(minTasks, fours), Math.ceil(fours / 64))
  return Array.from({ length: tasks + 1 }, (_, task) => Math.min(queries, 4 * Math.floor((fours * task) / tasks)))
}
