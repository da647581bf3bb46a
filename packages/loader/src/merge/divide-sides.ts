import type { MergedRows } from '../matrix/stage.ts'

/**
 * Of merged entries in which each user has two rows (2u before the moment of a split, 2u + 1 from then on), puts those of
 * the first rows in front and those of the second behind them, without the pairs that the user has in both. `lengths`,
 * by row, follows. Returns the number of entries of each side.
 */
export function divideSides({ items, values }: MergedRows, lengths: Uint32Array): [earlier: number, later: number] {
  let most = 0
  for (let row = 1; row < lengths.length; row += 2) most += lengths[row]
  const laterItems = new Uint32Array(most)
  const laterValues = values instanceof Uint8Array ? new Uint8Array(most) : new Float32Array(most)
  let earlier = 0
  let later = 0
  let at = 0
  for (let row = 0; row < lengths.length; row += 2) {
    const begin = earlier
    for (const end = at + lengths[row]; at < end; at++) {
      items[earlier] = items[at]
      values[earlier++] = values[at]
    }
    const laterBegin = later
    // Both rows ascend by item.
    let known = begin
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
