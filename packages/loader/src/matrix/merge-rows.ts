import type { Buckets } from './buckets.ts'
import type { ScatterArea } from './scatter-area.ts'
import type { SortedRows } from './stage.ts'

/** What becomes of several signals for one (user, item). */
export type Merge = 'max' | 'sum' | 'last'

/** Entries by user, then by item. */
export interface MergedRows {
  readonly items: Uint32Array
  readonly values: Uint8Array | Float32Array
}

/**
 * Sorts and merges the rows of one bucket in place: afterwards the bucket begins with its entries by user, then by item.
 * Writes each user's number of entries to `lengths` and returns their sum.
 *
 * A radix sort by item (11 bits a pass), then a counting sort by user, both stable and on (item, place) pairs; the order
 * in which rows arrived decides nothing, because equal pairs are merged by value alone.
 */
export class RowMerger {
  #item = new Uint32Array(0)
  #place = new Uint32Array(0)
  #otherItem = new Uint32Array(0)
  #otherPlace = new Uint32Array(0)
  #value: Uint8Array | Float32Array = new Uint8Array(0)
  #local = new Uint16Array(0)
  #time = new Float64Array(0)
  readonly #digits = new Uint32Array(1 << RADIX_BITS)
  readonly #offsets = new Uint32Array(1 << 16)
  readonly #itemBits: number
  readonly #merge: Merge

  constructor(items: number, merge: Merge) {
    this.#itemBits = Math.max(1, Math.ceil(Math.log2(Math.max(2, items))))
    this.#merge = merge
  }

  /** Merges bucket b where it lies, in the scatter area. */
  merge(buckets: Buckets, b: number, area: ScatterArea, lengths: Uint32Array): number {
    const base = buckets.start[b]
    const n = area.filled[b]
    const { items, values, locals, times } = area
    const rows = this.reserve(n, values instanceof Uint8Array, times !== undefined)
    rows.items.set(items.subarray(base, base + n))
    rows.locals.set(locals.subarray(base, base + n))
    rows.values.set(values.subarray(base, base + n))
    if (times !== undefined) rows.times.set(times.subarray(base, base + n))
    const firstUser = buckets.first[b]
    const users = buckets.first[b + 1] - firstUser
    const out = { items: items.subarray(base, base + n), values: values.subarray(base, base + n) }
    return this.mergeReserved(n, users, out, lengths.subarray(firstUser, firstUser + users))
  }

  /** Buffers for n rows, to be filled and merged next. */
  reserve(n: number, coded: boolean, timed: boolean): SortedRows {
    if (this.#item.length < n) {
      const capacity = Math.ceil(n * 1.25)
      this.#item = new Uint32Array(capacity)
      this.#place = new Uint32Array(capacity)
      this.#otherItem = new Uint32Array(capacity)
      this.#otherPlace = new Uint32Array(capacity)
      this.#local = new Uint16Array(capacity)
      this.#value = coded ? new Uint8Array(capacity) : new Float32Array(capacity)
      this.#time = new Float64Array(timed ? capacity : 0)
    }
    return { items: this.#item, values: this.#value, locals: this.#local, times: this.#time }
  }

  /** Merges the n rows in the buffers into `out`; returns the number of entries. */
  mergeReserved(n: number, users: number, out: MergedRows, lengths: Uint32Array): number {
    this.#sortByItem(n)
    this.#sortByUser(n, users)
    return this.#emit(out, users, lengths)
  }

  #sortByItem(n: number): void {
    const digits = this.#digits
    const passes = Math.ceil(this.#itemBits / RADIX_BITS)
    const bits = Math.ceil(this.#itemBits / passes)
    const mask = (1 << bits) - 1
    for (let pass = 0; pass < passes; pass++) {
      const shift = pass * bits
      const item = this.#item
      const place = this.#place
      const sortedItem = this.#otherItem
      const sortedPlace = this.#otherPlace
      digits.fill(0)
      for (let i = 0; i < n; i++) digits[(item[i] >>> shift) & mask]++
      accumulate(digits, mask + 1)
      for (let i = 0; i < n; i++) {
        const at = digits[(item[i] >>> shift) & mask]++
        sortedItem[at] = item[i]
        sortedPlace[at] = pass === 0 ? i : place[i]
      }
      this.#swap()
    }
  }

  #sortByUser(n: number, users: number): void {
    const offsets = this.#offsets
    const local = this.#local
    const item = this.#item
    const place = this.#place
    const sortedItem = this.#otherItem
    const sortedPlace = this.#otherPlace
    offsets.fill(0, 0, users)
    for (let i = 0; i < n; i++) offsets[local[i]]++
    accumulate(offsets, users)
    for (let i = 0; i < n; i++) {
      const at = offsets[local[place[i]]]++
      sortedItem[at] = item[i]
      sortedPlace[at] = place[i]
    }
    this.#swap()
  }

  #swap(): void {
    ;[this.#item, this.#otherItem] = [this.#otherItem, this.#item]
    ;[this.#place, this.#otherPlace] = [this.#otherPlace, this.#place]
  }

  /** offsets[u] is by now where user u ends. */
  #emit({ items, values }: MergedRows, users: number, lengths: Uint32Array): number {
    const offsets = this.#offsets
    const item = this.#item
    const place = this.#place
    const value = this.#value
    let out = 0
    let from = 0
    for (let user = 0; user < users; user++) {
      const to = offsets[user]
      const begun = out
      for (let i = from; i < to; ) {
        const current = item[i]
        let next = i + 1
        let merged = value[place[i]]
        if (next < to && item[next] === current) {
          do next++
          while (next < to && item[next] === current)
          merged = this.#combine(i, next)
        }
        items[out] = current
        values[out++] = merged
        i = next
      }
      lengths[user] = out - begun
      from = to
    }
    return out
  }

  /** Value of the signals [from, to) of one pair. Codes ascend with their values, so the largest code is the maximum. */
  #combine(from: number, to: number): number {
    const place = this.#place
    const value = this.#value
    if (this.#merge === 'sum') {
      // Added in ascending order: floating-point sums depend on it, and arrival order on the scheduling.
      const parts = Array.from({ length: to - from }, (_, i) => value[place[from + i]]).sort((a, b) => a - b)
      return parts.reduce((sum, part) => sum + part, 0)
    }
    let best = place[from]
    const time = this.#merge === 'last' ? this.#time : undefined
    for (let i = from + 1; i < to; i++) {
      const other = place[i]
      const later = time === undefined ? 0 : time[other] - time[best]
      if (later > 0 || (later === 0 && value[other] > value[best])) best = other
    }
    return value[best]
  }
}

const RADIX_BITS = 11

/** Turns counts into the offset of each place. */
function accumulate(counts: Uint32Array, length: number): void {
  let sum = 0
  for (let i = 0; i < length; i++) {
    const n = counts[i]
    counts[i] = sum
    sum += n
  }
}

/** Bytes one worker needs to merge a bucket of so many rows. */
export function mergerBytes(rows: number, coded: boolean, timed: boolean): number {
  return rows * 1.25 * (16 + 2 + (coded ? 1 : 4) + (timed ? 8 : 0))
}
