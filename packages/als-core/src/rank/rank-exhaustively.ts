import { exactScores } from './exact-scores.ts'
import { normOf } from './index-shards.ts'
import type { RankTask } from './task.ts'
import { writeList } from './write-list.ts'

/**
 * Scores every row of the index for one query: for a vector of zeros, for more ties than a candidate list holds and for
 * limits beyond it. The tests hold the screened results to this.
 */
export function rankExhaustively(task: RankTask, query: number): void {
  const { index, vectors, vectorRows, excluded, mask } = task
  const { k, count, layout, memory } = index
  const vector = (vectorRows ? vectorRows[query] : query) * k
  const norm = normOf(vectors, vector, k)
  const byPosition = new Uint32Array(memory.buffer, layout.rows, count)
  const list = excluded?.lists ? excluded.lists[query] : query
  const left = excluded && new Set(excluded.indices.subarray(excluded.indptr[list], excluded.indptr[list + 1]))
  const rows: number[] = []
  const [first, last] = task.panels ?? [0, Math.ceil(count / 8)]
  for (let position = 8 * first; position < Math.min(count, 8 * last); position++) {
    if (mask && (mask[position >> 3] & (1 << (position & 7))) === 0) continue
    const row = byPosition[position]
    if (left?.has(row)) continue
    rows.push(row)
  }
  writeList(task, query, rows, exactScores(task, { query, vector, norm }, rows))
}
