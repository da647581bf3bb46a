import { exactScores, type RankedQuery } from './exact-scores.ts'
import { normOf } from './index-shards.ts'
import { areaCandidates, areaExcluded, blockQueries } from './layout.ts'
import { rankExhaustively } from './rank-exhaustively.ts'
import { openThread, type RankThread } from './rank-thread.ts'
import type { RankTask } from './task.ts'
import { writeList } from './write-list.ts'

/** Worker task: exact top-k of a run of queries. */
export function rankQueries(task: RankTask): void {
  const thread = openThread(task.index, task.area)
  if (task.mask) new Uint8Array(task.index.memory.buffer).set(task.mask, thread.at.mask)
  let from = task.from
  while (from < task.to) from = rankBlock(thread, task, from)
}

/** Ranks as many queries from `from` as fit an area together; returns the first that is left. */
function rankBlock(thread: RankThread, task: RankTask, from: number): number {
  const { index, limit, penalty, metric } = task
  const { layout, count } = index
  const { kernel, at } = thread
  const capacity = 4 * limit + 256
  if (capacity > areaCandidates) {
    rankExhaustively(task, from)
    return from + 1
  }
  const norms = metric === 'cosine' ? 0 : layout.norms
  const penalties = penalty === 0 ? 0 : layout.penalties
  const mask = task.mask ? at.mask : 0
  const { coarse, fine, bounds, rows, width } = layout
  kernel.setIndex(coarse, fine, bounds, norms, rows, penalties, mask, count, width)
  kernel.setBlock(at.queries, at.candidates, at.scratch, capacity, limit)
  const { block, next } = fillBlock(thread, task, from, Math.min(blockQueries, Math.floor(areaCandidates / capacity)))
  if (block.length === 0) return next
  const [first, last] = task.panels ?? [0, Math.ceil(count / 8)]
  kernel.rank(block.length, first, last)
  for (const [slot, each] of block.entries()) {
    const found = kernel.filledOf(slot)
    if (found < 0) rankExhaustively(task, each.query)
    else scoreCandidates(thread, task, each, at.candidates + 16 * slot * capacity, found)
  }
  return next
}

/** Gives the kernel up to `max` queries from `from`; those that cannot be screened are ranked at once. */
function fillBlock(
  { kernel, f32, u32, at }: RankThread,
  task: RankTask,
  from: number,
  max: number,
): { block: RankedQuery[]; next: number } {
  const { index, vectors, vectorRows, excluded, penalty, metric } = task
  const { k, rounding } = index
  const block: RankedQuery[] = []
  let excludedAt = at.excluded
  let query = from
  for (; query < task.to && block.length < max; query++) {
    const vector = (vectorRows ? vectorRows[query] : query) * k
    const norm = normOf(vectors, vector, k)
    const list = excluded?.lists ? excluded.lists[query] : query
    const length = excluded ? excluded.indptr[list + 1] - excluded.indptr[list] : 0
    const weight = (penalty * 32_767 ** 2) / (metric === 'cosine' ? 1 : norm)
    // A float32 holds what the kernel makes of a weight up to 1e27.
    if (norm === 0 || !Number.isFinite(norm) || !(weight < 2 ** 90) || length > areaExcluded) {
      rankExhaustively(task, query)
      continue
    }
    if (excludedAt + 4 * length > at.excluded + 4 * areaExcluded) break
    if (excluded) u32.set(excluded.indices.subarray(excluded.indptr[list], excluded.indptr[list + 1]), excludedAt / 4)
    f32.set(vectors.subarray(vector, vector + k), at.vectors / 4)
    kernel.addQuery(block.length, at.vectors, k, rounding, weight, excludedAt, excludedAt + 4 * length)
    excludedAt += 4 * length
    block.push({ query, vector, norm })
  }
  return { block, next: query }
}

function scoreCandidates(
  { u32 }: RankThread,
  task: RankTask,
  ranked: RankedQuery,
  candidates: number,
  count: number,
): void {
  const rows = new Uint32Array(count)
  for (let c = 0; c < count; c++) rows[c] = u32[task.index.layout.rows / 4 + u32[candidates / 4 + 4 * c + 2]]
  writeList(task, ranked.query, rows, exactScores(task, ranked, rows))
}
