import type { BaselineList } from './baseline.ts'

/** Sums by item, of which few are not zero. */
export class Tally {
  readonly #sums: Float64Array
  readonly #touched: Uint32Array
  readonly #isTouched: Uint8Array
  #count = 0

  constructor(items: number) {
    this.#sums = new Float64Array(items)
    this.#touched = new Uint32Array(items)
    this.#isTouched = new Uint8Array(items)
  }

  add(item: number, value: number): void {
    // A sum may go through zero.
    if (this.#isTouched[item] === 0) {
      this.#isTouched[item] = 1
      this.#touched[this.#count++] = item
    }
    this.#sums[item] += value
  }

  /** Keeps an item out of the next top; it stays known as touched. */
  clear(item: number): void {
    if (this.#sums[item] !== 0) this.#sums[item] = Number.NEGATIVE_INFINITY
  }

  /** Every item with a sum that is not zero; starts over. */
  takeAll(use: (item: number, sum: number) => void): void {
    for (let i = 0; i < this.#count; i++) {
      const item = this.#touched[i]
      const sum = this.#sums[item]
      this.#sums[item] = 0
      this.#isTouched[item] = 0
      if (sum !== 0) use(item, sum)
    }
    this.#count = 0
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
      this.#isTouched[item] = 0
      values[item] = values[item] > 0 ? value(item, values[item]) : 0
      if (values[item] > 0) touched[kept++] = item
    }
    const top = largest(touched.subarray(0, kept), values, count)
    const similarities = Float64Array.from(top, (item) => values[item])
    for (let i = 0; i < this.#count; i++) values[this.#touched[i]] = 0
    this.#count = 0
    return { items: top, similarities }
  }

  /** The items of the largest positive sums among those `allowed`, as a list; starts over. Returns the list's length. */
  takeList({ rows, scores }: BaselineList, allowed: Uint8Array | undefined): number {
    const { items, similarities } = this.takeTop(rows.length, (item, sum) => (allowed?.[item] === 0 ? 0 : sum))
    rows.set(items)
    scores.set(similarities)
    return items.length
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
