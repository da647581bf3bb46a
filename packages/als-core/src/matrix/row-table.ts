/** Rows as numbers, in arrays that double. */
export class RowTable {
  #users = new Uint32Array(1024)
  #items = new Uint32Array(1024)
  #values = new Float32Array(1024)
  #times: Float64Array | undefined
  length = 0

  constructor(timed: boolean) {
    if (timed) this.#times = new Float64Array(1024)
  }

  add(user: number, item: number, value: number, time: number): void {
    const row = this.length++
    if (row === this.#users.length) this.#grow()
    this.#users[row] = user
    this.#items[row] = item
    this.#values[row] = value
    if (this.#times) this.#times[row] = time
  }

  /** The rows before the moment and, with one, those from then on, by the rows of sorted ids. */
  finish(
    userRows: Uint32Array,
    itemRows: Uint32Array,
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
        selected.rows[n] = userRows[this.#users[rows[n]]]
        selected.columns[n] = itemRows[this.#items[rows[n]]]
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

  #grow(): void {
    const longer = 2 * this.#users.length
    const copy = <T extends Uint32Array | Float32Array | Float64Array>(from: T, to: T): T => {
      to.set(from)
      return to
    }
    this.#users = copy(this.#users, new Uint32Array(longer))
    this.#items = copy(this.#items, new Uint32Array(longer))
    this.#values = copy(this.#values, new Float32Array(longer))
    if (this.#times) this.#times = copy(this.#times, new Float64Array(longer))
  }
}

interface TripletArrays {
  rows: Uint32Array
  columns: Uint32Array
  values: Float32Array
}
