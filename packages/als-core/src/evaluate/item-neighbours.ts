import { positiveInteger } from '../checks/values.ts'
import { countInteractions } from '../matrix/entries.ts'
import type { InteractionMatrix } from '../matrix/interaction-matrix.ts'
import { sharedFloat32, sharedUint32 } from '../pool/shared-arrays.ts'
import { createBatch, type RecommendationBatch } from '../recommend/recommendations.ts'
import { type Baseline, type BaselineOptions, excludedRows } from './baseline.ts'

export interface ItemNeighboursOptions {
  /** Neighbours kept of each item. Default 100: on Gowalla 20, 100 and 500 differ by a few thousandths of Recall@20. */
  neighbours?: number
}

/**
 * The baseline "item kNN": items alike in who has them. The similarity of two items is the cosine of their columns of 0
 * and 1; a user's score for an item is the sum of its similarities to the user's items, over each of those items'
 * nearest neighbours. Items that score 0 are not listed.
 *
 * Takes Σ over users of (interactions)² steps and 12 bytes for each neighbour kept.
 */
export function itemNeighbours(train: InteractionMatrix, { neighbours = 100 }: ItemNeighboursOptions = {}): Baseline {
  positiveInteger('neighbours', neighbours)
  const { csr, csc, items } = train
  const near: { items: Uint32Array; similarities: Float64Array }[] = Array.from({ length: items }, () => ({
    items: new Uint32Array(0),
    similarities: new Float64Array(0),
  }))
  const counts = countInteractions(train)
  const tally = new Tally(items)
  for (let item = 0; item < items; item++) {
    for (let e = csc.indptr[item]; e < csc.indptr[item + 1]; e++) {
      const user = csc.indices[e]
      for (let f = csr.indptr[user]; f < csr.indptr[user + 1]; f++) tally.add(csr.indices[f], 1)
    }
    // cos(i, j) = |users of both| / √(|users of i|·|users of j|)
    near[item] = tally.takeTop(neighbours, (other, both) =>
      other === item ? 0 : both / Math.sqrt(counts[item] * counts[other]),
    )
  }
  return { recommend: async (users, options = {}) => recommend(users, options) }

  function recommend(users: ArrayLike<number>, { limit = 10, exclude, signal }: BaselineOptions): RecommendationBatch {
    const rows = sharedUint32(users.length * limit)
    const scores = sharedFloat32(users.length * limit)
    const counts = sharedUint32(users.length)
    for (let q = 0; q < users.length; q++) {
      signal?.throwIfAborted()
      const user = users[q]
      const own = csr.indices.subarray(csr.indptr[user], csr.indptr[user + 1])
      for (const item of own) {
        const { items: others, similarities } = near[item]
        for (let i = 0; i < others.length; i++) tally.add(others[i], similarities[i])
      }
      for (const item of excludedRows(train, exclude, user)) tally.clear(item)
      const top = tally.takeTop(limit, (_, score) => score)
      rows.set(top.items, q * limit)
      scores.set(top.similarities, q * limit)
      counts[q] = top.items.length
    }
    return createBatch(limit, counts, rows, scores, undefined)
  }
}

/** Sums by item, of which few are not zero. */
class Tally {
  readonly #sums: Float64Array
  readonly #touched: Uint32Array
  #count = 0

  constructor(items: number) {
    this.#sums = new Float64Array(items)
    this.#touched = new Uint32Array(items)
  }

  add(item: number, value: number): void {
    if (this.#sums[item] === 0) this.#touched[this.#count++] = item
    this.#sums[item] += value
  }

  /** Keeps an item out of the next top; it stays known as touched. */
  clear(item: number): void {
    if (this.#sums[item] !== 0) this.#sums[item] = Number.NEGATIVE_INFINITY
  }

  /** The `count` items of the largest positive values, best first, equal ones by item; starts over. */
  takeTop(
    count: number,
    value: (item: number, sum: number) => number,
  ): { items: Uint32Array; similarities: Float64Array } {
    const touched = this.#touched.subarray(0, this.#count)
    const values = this.#sums
    let kept = 0
    for (const item of touched) {
      values[item] = values[item] > 0 ? value(item, values[item]) : 0
      if (values[item] > 0) touched[kept++] = item
    }
    const top = largest(touched.subarray(0, kept), values, count)
    const similarities = Float64Array.from(top, (item) => values[item])
    for (let i = 0; i < this.#count; i++) values[this.#touched[i]] = 0
    this.#count = 0
    return { items: top, similarities }
  }
}

/** The `count` items of the largest values, best first, equal ones by item. */
function largest(items: Uint32Array, values: Float64Array, count: number): Uint32Array {
  const byValue = (a: number, b: number) => values[b] - values[a] || a - b
  const candidates = new Uint32Array(2 * count)
  let length = 0
  let smallest = 0
  for (const item of items) {
    if (values[item] < smallest) continue
    candidates[length++] = item
    if (length < candidates.length) continue
    candidates.sort(byValue)
    length = count
    smallest = values[candidates[count - 1]]
  }
  return candidates.slice(0, length).sort(byValue).slice(0, count)
}
