import { Kernel } from '../kernel/kernel.ts'
import type { Buckets } from '../matrix/buckets.ts'
import type { ScatterArea } from '../matrix/scatter-area.ts'
import type { MergedRows, StagedRows } from '../matrix/stage.ts'
import type { Merge } from '../options.ts'

/**
 * Sorts and merges the rows of one bucket: by item with a radix sort, then by user with a counting sort. Both are stable and
 * move pairs of words that lie side by side, one cache line a row; the order in which rows arrived decides nothing, because
 * equal pairs are merged by value alone.
 */
export class RowMerger {
  readonly #kernel: Kernel
  readonly #begin: number
  readonly #itemBits: number
  readonly #merge: Merge
  readonly #coded: boolean
  readonly #timed: boolean
  /** Whether a row is all in its pair; otherwise the second word becomes its place in columns of their own. */
  readonly #packed: boolean
  #capacity = -1
  #users = 0
  #rows!: StagedRows
  #locals!: Uint16Array
  #offsets!: Uint32Array
  #addresses!: { spare: number; digits: number; items: number; codes: number; lengths: number }

  /** Takes the memory of the kernel from here on. */
  constructor(kernel: Kernel, items: number, merge: Merge, coded: boolean, timed: boolean) {
    this.#kernel = kernel
    this.#begin = kernel.mark()
    this.#itemBits = Math.max(1, Math.ceil(Math.log2(Math.max(2, items))))
    this.#merge = merge
    this.#coded = coded
    this.#timed = timed
    this.#packed = coded && !timed
  }

  /** Merges bucket b where it lies, in the scatter area; returns its entries and writes those of each user to `lengths`. */
  merge(
    buckets: Buckets,
    b: number,
    area: ScatterArea,
    lengths: Uint32Array<SharedArrayBuffer>,
    keepTimes: boolean,
  ): number {
    const base = buckets.start[b]
    const n = area.filled[b]
    const firstUser = buckets.first[b]
    const users = buckets.first[b + 1] - firstUser
    const items = area.items.subarray(base, base + n)
    const values = area.values.subarray(base, base + n)
    const locals = area.locals.subarray(base, base + n)
    const { pairs, values: apart, times } = this.reserve(n, users)
    const coded = this.#coded
    for (let i = 0; i < n; i++) {
      pairs[2 * i] = items[i]
      pairs[2 * i + 1] = (locals[i] << 8) | (coded ? values[i] : 0)
    }
    if (!coded) apart.set(values)
    if (area.times !== undefined) times.set(area.times.subarray(base, base + n))
    const out = { items, values, ...(keepTimes && { times: area.times!.subarray(base, base + n) }) }
    return this.mergeReserved(n, out, lengths.subarray(firstUser, firstUser + users))
  }

  /** Memory for n rows of so many users, to be filled and merged next. */
  reserve(n: number, users: number): StagedRows {
    if (this.#capacity >= n && this.#users >= users) return this.#rows
    const kernel = this.#kernel
    kernel.release(this.#begin)
    const capacity = Math.ceil(n * 1.25)
    const apart = this.#packed ? 0 : capacity
    const timed = this.#timed ? capacity : 0
    this.#capacity = capacity
    this.#users = users
    this.#rows = {
      pairs: kernel.words(kernel.allocate(8 * capacity), 2 * capacity),
      values: kernel.floats(kernel.allocate(4 * apart), apart),
      times: kernel.doubles(kernel.allocate(8 * timed), timed),
    }
    this.#locals = kernel.halves(kernel.allocate(2 * apart), apart)
    this.#offsets = kernel.words(kernel.allocate(4 * users), users)
    this.#addresses = {
      spare: kernel.allocate(8 * capacity),
      digits: kernel.allocate(4 << RADIX_BITS),
      items: kernel.allocate(Kernel.spaceFor(4 * capacity)),
      codes: kernel.allocate(Kernel.spaceFor(this.#packed ? capacity : 0)),
      lengths: kernel.allocate(Kernel.spaceFor(4 * users)),
    }
    return this.#rows
  }

  /** Merges the n rows reserved into `out`; returns the number of entries. */
  mergeReserved(n: number, out: MergedRows, lengths: Uint32Array<SharedArrayBuffer>): number {
    const kernel = this.#kernel
    const packed = this.#packed
    if (!packed) this.#unpack(n)
    const { spare, digits } = this.#addresses
    const pairs = this.#rows.pairs.byteOffset
    const offsets = this.#offsets.byteOffset
    const locals = packed ? 0 : this.#locals.byteOffset
    const sorted = kernel.run.sortRows(n, pairs, spare, digits, offsets, this.#itemBits, lengths.length, locals)
    return packed
      ? this.#mergeCodes(sorted, out, lengths)
      : this.#mergeValues(kernel.words(sorted, 2 * n), out, lengths)
  }

  #unpack(n: number): void {
    const { pairs, values } = this.#rows
    const locals = this.#locals
    for (let i = 0; i < n; i++) {
      const tag = pairs[2 * i + 1]
      locals[i] = tag >>> 8
      if (this.#coded) values[i] = tag & 255
      pairs[2 * i + 1] = i
    }
  }

  #mergeCodes(sorted: number, { items, values }: MergedRows, lengths: Uint32Array<SharedArrayBuffer>): number {
    const kernel = this.#kernel
    const places = this.#addresses
    const entries = kernel.run.mergeCodes(
      sorted,
      this.#offsets.byteOffset,
      lengths.length,
      kernel.placeLike(items, places.items),
      kernel.placeLike(values, places.codes),
      kernel.placeLike(lengths, places.lengths),
    )
    kernel.copyOut(items.subarray(0, entries), places.items)
    kernel.copyOut(values.subarray(0, entries), places.codes)
    kernel.copyOut(lengths, places.lengths)
    return entries
  }

  /** offsets[u] is by now where user u ends. */
  #mergeValues(pairs: Uint32Array, { items, values, times }: MergedRows, lengths: Uint32Array): number {
    const offsets = this.#offsets
    let out = 0
    let from = 0
    for (let user = 0; user < lengths.length; user++) {
      const to = offsets[user]
      const begun = out
      for (let i = from; i < to; ) {
        const item = pairs[2 * i]
        let next = i + 1
        while (next < to && pairs[2 * next] === item) next++
        items[out] = item
        if (times !== undefined) times[out] = this.#firstTime(pairs, i, next)
        values[out++] = this.#combine(pairs, i, next)
        i = next
      }
      lengths[user] = out - begun
      from = to
    }
    return out
  }

  #firstTime(pairs: Uint32Array, from: number, to: number): number {
    const { times } = this.#rows
    let first = times[pairs[2 * from + 1]]
    for (let i = from + 1; i < to; i++) first = Math.min(first, times[pairs[2 * i + 1]])
    return first
  }

  /** Value of the signals [from, to) of one pair. */
  #combine(pairs: Uint32Array, from: number, to: number): number {
    const { values, times } = this.#rows
    let best = pairs[2 * from + 1]
    if (to === from + 1) return values[best]
    if (this.#merge === 'sum') {
      // Added in ascending order: floating-point sums depend on it, and arrival order on the scheduling.
      const parts = Array.from({ length: to - from }, (_, i) => values[pairs[2 * (from + i) + 1]]).sort((a, b) => a - b)
      return parts.reduce((sum, part) => sum + part, 0)
    }
    for (let i = from + 1; i < to; i++) {
      const other = pairs[2 * i + 1]
      const later = this.#merge === 'last' ? times[other] - times[best] : 0
      if (later > 0 || (later === 0 && values[other] > values[best])) best = other
    }
    return values[best]
  }
}

const RADIX_BITS = 11
