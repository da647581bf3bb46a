import type { Buckets } from './buckets.ts'

/** Rows [from, to) of sorted columns, all of one bucket. */
export interface SortedRows {
  readonly items: Uint32Array
  readonly values: Uint8Array | Float32Array
  readonly locals: Uint16Array
  /** Empty unless times are kept. */
  readonly times: Float64Array
}

/** Where runs of rows of one bucket go: memory (ScatterArea) or temporary files. */
export interface RunSink {
  readonly coded: boolean
  readonly timed: boolean
  put(bucket: number, rows: SortedRows, from: number, to: number): void
}

/**
 * Rows on their way to their buckets. They are gathered here, sorted by bucket, and handed over in runs: 10-20 ns a row,
 * where an atomic cursor for every row took 236.
 */
export class Stage {
  readonly #buckets: Buckets
  readonly #sink: RunSink
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

  constructor(buckets: Buckets, sink: RunSink, capacity: number = STAGE_ROWS) {
    this.#buckets = buckets
    this.#sink = sink
    this.#capacity = capacity
    const values = () => (sink.coded ? new Uint8Array(capacity) : new Float32Array(capacity))
    const timed = sink.timed ? capacity : 0
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
    if (this.#sink.timed) {
      for (let k = 0; k < n; k++) this.#time[this.#size + k] = times[rows[k]]
    }
    this.#size = at
  }

  /** Hands over everything gathered. */
  flush(): void {
    const size = this.#size
    if (size === 0) return
    this.#sort(size)
    const sorted = {
      items: this.#sortedItem,
      values: this.#sortedValue,
      locals: this.#sortedLocal,
      times: this.#sortedTime,
    }
    let from = 0
    for (let b = 0; b < this.#buckets.count; b++) {
      const to = this.#ends[b]
      if (to > from) this.#sink.put(b, sorted, from, to)
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
    const { timed } = this.#sink
    for (let i = 0; i < size; i++) {
      const at = ends[bucket[i]]++
      sortedLocal[at] = local[i]
      sortedItem[at] = item[i]
      sortedValue[at] = value[i]
      if (timed) this.#sortedTime[at] = this.#time[i]
    }
  }
}

export const STAGE_ROWS: number = 1 << 19

/** Bytes of a stage in one worker. */
export function stageBytes(coded: boolean, timed: boolean, capacity: number = STAGE_ROWS): number {
  return capacity * (2 + 2 * (6 + (coded ? 1 : 4) + (timed ? 8 : 0)))
}
