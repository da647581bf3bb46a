import type { MergedRows } from '../matrix/stage.ts'

/** Divides merged buckets, one after the other, with memory for the later side of the largest. */
export class SideDivider {
  #items = new Uint32Array(0)
  #values = new Float32Array(0)

  /**
   * Of merged entries in which each user has two rows (2u before the moment of a split, 2u + 1 from then on), puts those
   * of the first rows in front and those of the second behind them, without the pairs that the user has in both.
   * `lengths`, by row, follows. Returns the number of entries of each side.
   */
  divide({ items, values }: MergedRows, lengths: Uint32Array): [earlier: number, later: number] {
    this.#reserve(lengths)
    const laterItems = this.#items
    const laterValues = this.#values
    let earlier = 0
    let later = 0
    let at = 0
    for (let row = 0; row < lengths.length; row += 2) {
      const laterBegin = later
      // Both rows ascend by item.
      let known = earlier
      for (const end = at + lengths[row]; at < end; at++) {
        items[earlier] = items[at]
        values[earlier++] = values[at]
      }
      for (const end = at + lengths[row + 1]; at < end; at++) {
        while (known < earlier && items[known] < items[at]) known++
        if (known < earlier && items[known] === items[at]) continue
        laterItems[later] = items[at]
        laterValues[later++] = values[at]
      }
      lengths[row + 1] = later - laterBegin
    }
    for (let e = 0; e < later; e++) {
      items[earlier + e] = laterItems[e]
      values[earlier + e] = laterValues[e]
    }
    return [earlier, later]
  }

  #reserve(lengths: Uint32Array): void {
    let length = 0
    for (let row = 1; row < lengths.length; row += 2) length += lengths[row]
    if (length <= this.#items.length) return
    this.#items = new Uint32Array(Math.ceil(1.25 * length))
    // Codes too: a float holds them as they are.
    this.#values = new Float32Array(Math.ceil(1.25 * length))
  }
}
