import type { CompressedRows, IdColumn } from '@seesaw/als-core'
import { createRows, offsetsOf } from './compressed-rows.ts'
import { keepIds } from './keep-ids.ts'

/** Both orientations and the ids of some items. */
export interface ItemPart {
  readonly csr: CompressedRows
  readonly csc: CompressedRows
  readonly itemIds: IdColumn
}

/**
 * Parts items by their activity: those with at least `threshold` rows, and the others, each with all users. One orientation
 * after the other, so that a moment's copies are those of one.
 */
export function splitItems(
  { csr, csc, itemIds }: ItemPart,
  activity: Uint32Array,
  threshold: number,
): { trained: ItemPart; rare: ItemPart } {
  const places = { trained: new Int32Array(activity.length), rare: new Int32Array(activity.length) }
  const counts = { trained: 0, rare: 0 }
  for (let item = 0; item < activity.length; item++) {
    const [part, other] = activity[item] >= threshold ? (['trained', 'rare'] as const) : (['rare', 'trained'] as const)
    places[part][item] = counts[part]++
    places[other][item] = -1
  }
  const take = (part: 'trained' | 'rare'): ItemPart => ({
    csr: takeColumns(csr, places[part]),
    csc: takeRows(csc, places[part]),
    itemIds: keepIds(itemIds, places[part]),
  })
  return { trained: take('trained'), rare: take('rare') }
}

/** The entries whose column has a place, with that as their column. */
function takeColumns({ indptr, indices, values }: CompressedRows, places: Int32Array): CompressedRows {
  const rows = indptr.length - 1
  const lengths = new Uint32Array(rows)
  let entries = 0
  for (let row = 0; row < rows; row++) {
    const before = entries
    for (let e = indptr[row]; e < indptr[row + 1]; e++) if (places[indices[e]] >= 0) entries++
    lengths[row] = entries - before
  }
  const out = createRows(entries, values instanceof Uint8Array, offsetsOf(lengths))
  let at = 0
  for (let e = 0; e < indices.length; e++) {
    const place = places[indices[e]]
    if (place < 0) continue
    out.indices[at] = place
    out.values[at++] = values[e]
  }
  return out
}

/** The rows that have a place. */
function takeRows({ indptr, indices, values }: CompressedRows, places: Int32Array): CompressedRows {
  const kept: number[] = []
  for (let row = 0; row < places.length; row++) if (places[row] >= 0) kept.push(indptr[row + 1] - indptr[row])
  const offsets = offsetsOf(Uint32Array.from(kept))
  const out = createRows(offsets[kept.length], values instanceof Uint8Array, offsets)
  for (let row = 0; row < places.length; row++) {
    const place = places[row]
    if (place < 0) continue
    out.indices.set(indices.subarray(indptr[row], indptr[row + 1]), offsets[place])
    out.values.set(values.subarray(indptr[row], indptr[row + 1]), offsets[place])
  }
  return out
}
