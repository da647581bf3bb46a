import { LoadError } from '../errors.ts'
import type { Buckets } from './buckets.ts'
import type { ScatterArea } from './scatter-area.ts'

/**
 * Rows on their way to the scatter area. They are gathered here, sorted by bucket, and moved over in runs with one atomic
 * add each: 10-20 ns a row, where an atomic cursor for every row took 236.
 */
export class Stage {
  readonly #buckets: Buckets
  readonly #area: ScatterArea
  readonly #bucket: Uint16Array
  readonly #local: Uint16Array
  readonly #item: Uint32Array
  readonly #value: Uint8Array | Float32Array
  readonly #time: Float64Array
  readonly #sortedLocal: Uint16Array
  readonly #sortedItem: Uint32Array
  readonly #sortedValue: Uint8Array | Float32Array
  readonly #sortedTime: Float64Array
  readonly #ends: Uint32Array
  readonly #capacity: number
  #size = 0

  constructor(buckets: Buckets, area: ScatterArea, capacity: number = STAGE_ROWS) {
    this.#buckets = buckets
    this.#area = area
    this.#capacity = capacity
    const values = () => (area.values instanceof Uint8Array ? new Uint8Array(capacity) : new Float32Array(capacity))
    const timed = area.times === undefined ? 0 : capacity
    this.#bucket = new Uint16Array(capacity)
    this.#local = new Uint16Array(capacity)
    this.#item = new Uint32Array(capacity)
    this.#value = values()
    this.#time = new Float64Array(timed)
    this.#sortedLocal = new Uint16Array(capacity)
    this.#sortedItem = new Uint32Array(capacity)
    this.#sortedValue = values()
    this.#sortedTime = new Float64Array(timed)
    this.#ends = new Uint32Array(buckets.count + 1)
  }

  /** Adds n rows of dense users and items; values and times are at their places `rows`. */
  add(
    n: number,
    users: Int32Array,
    items: Int32Array,
    rows: Uint16Array,
    values: Uint8Array | Float32Array,
    times: Float64Array,
  ): void {
    if (this.#size + n > this.#capacity) this.flush()
    const { ofGroup, shift, first } = this.#buckets
    const bucket = this.#bucket
    const local = this.#local
    const item = this.#item
    const value = this.#value
    let at = this.#size
    for (let k = 0; k < n; k++) {
      const user = users[k]
      const b = ofGroup[user >>> shift]
      bucket[at] = b
      local[at] = user - first[b]
      item[at] = items[k]
      value[at] = values[rows[k]]
      at++
    }
    if (this.#area.times !== undefined) {
      for (let k = 0; k < n; k++) this.#time[this.#size + k] = times[rows[k]]
    }
    this.#size = at
  }

  /** Moves everything gathered to the scatter area. */
  flush(): void {
    const size = this.#size
    if (size === 0) return
    this.#sort(size)
    const { count, start } = this.#buckets
    const area = this.#area
    let from = 0
    for (let b = 0; b < count; b++) {
      const to = this.#ends[b]
      if (to === from) continue
      const filled = Atomics.add(area.filled, b, to - from)
      const at = start[b] + filled
      if (at + to - from > start[b + 1]) {
        throw new LoadError('changed', 'the second pass found more rows of a user than the first: a file has changed.')
      }
      area.items.set(this.#sortedItem.subarray(from, to), at)
      area.values.set(this.#sortedValue.subarray(from, to), at)
      area.locals.set(this.#sortedLocal.subarray(from, to), at)
      if (area.times !== undefined) area.times.set(this.#sortedTime.subarray(from, to), at)
      from = to
    }
    this.#size = 0
  }

  /** Counting sort by bucket; afterwards `ends[b]` is where bucket b ends. */
  #sort(size: number): void {
    const ends = this.#ends
    const bucket = this.#bucket
    ends.fill(0)
    for (let i = 0; i < size; i++) ends[bucket[i]]++
    let sum = 0
    for (let b = 0; b < ends.length; b++) {
      const n = ends[b]
      ends[b] = sum
      sum += n
    }
    const local = this.#local
    const item = this.#item
    const value = this.#value
    const sortedLocal = this.#sortedLocal
    const sortedItem = this.#sortedItem
    const sortedValue = this.#sortedValue
    const timed = this.#area.times !== undefined
    for (let i = 0; i < size; i++) {
      const at = ends[bucket[i]]++
      sortedLocal[at] = local[i]
      sortedItem[at] = item[i]
      sortedValue[at] = value[i]
      if (timed) this.#sortedTime[at] = this.#time[i]
    }
  }
}

export const STAGE_ROWS = 1 << 19

/** Bytes of a stage in one worker. */
export function stageBytes(coded: boolean, timed: boolean, capacity: number = STAGE_ROWS): number {
  return capacity * (2 + 2 * (6 + (coded ? 1 : 4) + (timed ? 8 : 0)))
}
