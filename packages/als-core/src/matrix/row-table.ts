import type { InteractionMatrix } from './interaction-matrix.ts'

/** Values and times of rows, in arrays that double. */
export class RowTable {
  #values = new Float32Array(1024)
  #times: Float64Array | undefined
  length = 0

  constructor(timed: boolean) {
    if (timed) this.#times = new Float64Array(1024)
  }

  add(value: number, time: number): void {
    const row = this.length++
    if (row === this.#values.length) this.#grow()
    this.#values[row] = value
    if (this.#times) this.#times[row] = time
  }

  /** The rows before the moment and, with one, those from then on; `users` and `items` are those of each row. */
  finish(
    users: Uint32Array,
    items: Uint32Array,
    moment: number | undefined,
    byTime: boolean,
  ): { earlier: TripletArrays; later?: TripletArrays } {
    const times = this.#times?.subarray(0, this.length)
    const all = new Uint32Array(this.length)
    for (let row = 0; row < all.length; row++) all[row] = row
    const order = byTime && times ? all.sort((a, b) => times[a] - times[b] || a - b) : all
    const select = (rows: Uint32Array): TripletArrays => {
      const selected = {
        rows: new Uint32Array(rows.length),
        columns: new Uint32Array(rows.length),
        values: new Float32Array(rows.length),
      }
      for (let n = 0; n < rows.length; n++) {
        selected.rows[n] = users[rows[n]]
        selected.columns[n] = items[rows[n]]
        selected.values[n] = this.#values[rows[n]]
      }
      return selected
    }
    if (moment === undefined || !times) return { earlier: select(order) }
    return {
      earlier: select(order.filter((row) => times[row] < moment)),
      later: select(order.filter((row) => times[row] >= moment)),
    }
  }

  timeRange(): { first: number; last: number } {
    let [first, last] = [Number.POSITIVE_INFINITY, Number.NEGATIVE_INFINITY]
    for (const time of this.#times!.subarray(0, this.length)) {
      if (time < first) first = time
      if (time > last) last = time
    }
    return { first, last }
  }

  /** The earliest time of the rows of each entry of the matrix that was made of them. */
  firstTimes({ csr, entries }: InteractionMatrix, users: Uint32Array, items: Uint32Array): Float64Array {
    const first = new Float64Array(entries).fill(Number.POSITIVE_INFINITY)
    for (let row = 0; row < this.length; row++) {
      // The columns of a row ascend.
      let low = csr.indptr[users[row]]
      let high = csr.indptr[users[row] + 1] - 1
      while (low < high) {
        const middle = Math.floor((low + high) / 2)
        if (csr.indices[middle] < items[row]) low = middle + 1
        else high = middle
      }
      if (this.#times![row] < first[low]) first[low] = this.#times![row]
    }
    return first
  }

  #grow(): void {
    const longer = 2 * this.#values.length
    const copy = <T extends Uint32Array | Float32Array | Float64Array>(from: T, to: T): T => {
      to.set(from)
      return to
    }
    this.#values = copy(this.#values, new Float32Array(longer))
    if (this.#times) this.#times = copy(this.#times, new Float64Array(longer))
  }
}

interface TripletArrays {
  rows: Uint32Array
  columns: Uint32Array
  values: Float32Array
}
