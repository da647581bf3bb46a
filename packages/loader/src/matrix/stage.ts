import type { Kernel } from '../kernel/kernel.ts'
import type { Chunk } from '../rows/chunk.ts'
import type { Buckets } from './buckets.ts'

/** Rows on their way to buckets: places [from, to) of these columns are all of one bucket. */
export interface StagedRows {
  /** Two words a row: its item, and its user's place in the bucket in the upper 24 bits, its code in the lower 8. */
  readonly pairs: Uint32Array
  /** Empty where the matrix holds codes. */
  readonly values: Float32Array
  /** Empty unless times are kept. */
  readonly times: Float64Array
}

/** Entries by user, then by item. */
export interface MergedRows {
  readonly items: Uint32Array<SharedArrayBuffer>
  readonly values: Uint8Array<SharedArrayBuffer> | Float32Array<SharedArrayBuffer>
  /** When the first row of each happened, where that is kept. */
  readonly times?: Float64Array<SharedArrayBuffer>
}

/** Where runs of rows of one bucket go: memory or temporary files. */
export interface RunSink {
  readonly coded: boolean
  readonly timed: boolean
  put(bucket: number, rows: StagedRows, from: number, to: number): void
}

/**
 * Rows on their way to their buckets, gathered in a short queue for each, which is handed over when it is full. All queues
 * together stay in the second-level cache, and a row touches one line of them: an atomic cursor for every row took 236 ns.
 */
export class Stage {
  readonly #kernel: Kernel
  readonly #sink: RunSink
  readonly #rows: StagedRows
  /** Next free place of each bucket's queue. */
  readonly #next: Uint32Array
  readonly #shift: number

  constructor(kernel: Kernel, buckets: Buckets, sink: RunSink, capacity: number = STAGE_ROWS) {
    const { count, first, ofGroup, shift } = buckets
    this.#kernel = kernel
    this.#sink = sink
    this.#shift = queueShift(count, capacity)
    const places = count << this.#shift
    const copy = (column: Uint16Array | Uint32Array) => {
      const address = kernel.allocate(column.byteLength)
      kernel.bytes(address, column.byteLength).set(new Uint8Array(column.buffer, column.byteOffset, column.byteLength))
      return address
    }
    const next = kernel.allocate(4 * count)
    const pairs = kernel.allocate(8 * places)
    const values = sink.coded ? 0 : kernel.allocate(4 * places)
    const times = sink.timed ? kernel.allocate(8 * places) : 0
    kernel.run.openStage(copy(ofGroup), shift, copy(first), next, this.#shift, pairs, values, times)
    this.#next = kernel.words(next, count)
    for (let b = 0; b < count; b++) this.#next[b] = b << this.#shift
    this.#rows = {
      pairs: kernel.words(pairs, 2 * places),
      values: kernel.floats(values, sink.coded ? 0 : places),
      times: kernel.doubles(times, sink.timed ? places : 0),
    }
    kernel.onFull = (bucket, from, to) => sink.put(bucket, this.#rows, from, to)
  }

  /** Adds the selected rows of a chunk that have a dense user and item; `drops` counts those without. */
  addRows({ n, denseUsers, denseItems, rows, codes, values, times, drops }: Chunk): void {
    const { run } = this.#kernel
    run.stageRows(
      n,
      denseUsers.byteOffset,
      denseItems.byteOffset,
      rows.byteOffset,
      codes.byteOffset,
      values.byteOffset,
      times.byteOffset,
      drops.byteOffset,
    )
  }

  /** Adds the entries of consecutive users, by item; `items` and `values` are addresses, ends[u] is where user u's end. */
  addEntries(firstUser: number, ends: Uint32Array, items: number, values: number): void {
    const { coded } = this.#sink
    this.#kernel.run.stageEntries(
      firstUser,
      ends.length,
      ends.byteOffset,
      items,
      coded ? values : 0,
      coded ? 0 : values,
    )
  }

  /** Hands over everything gathered. */
  flush(): void {
    for (let b = 0; b < this.#next.length; b++) {
      const from = b << this.#shift
      const to = this.#next[b]
      if (to > from) this.#sink.put(b, this.#rows, from, to)
      this.#next[b] = from
    }
  }
}

/** A megabyte of codes: with half of it, runs to 1,600 buckets were so short that the pages they went to cost 10 % of the pass. */
export const STAGE_ROWS: number = 1 << 17

/** Length of a bucket's queue, as a power of two: all together about `capacity`, but no fewer than 16 each. */
export function queueShift(buckets: number, capacity: number): number {
  return Math.max(4, Math.floor(Math.log2(capacity / buckets)))
}
