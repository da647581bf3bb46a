import type { Kernel } from '../kernel/kernel.ts'
import { type KeyTableArrays, lookUp } from './key-table.ts'
import type { Keys } from './keys.ts'

/** From ids to dense rows, shared with the workers. */
export type RowMap =
  | {
      readonly way: 'direct'
      readonly min: number
      readonly size: number
      /**
       * Two words for each 32 ids: a bit for each that is active, and how many are active before them. The dense row is
       * that number plus the bits below: 750 KB for 3 million users, which stays in the cache, where an array of rows
       * takes 12 MB and a miss for each look-up.
       */
      readonly ranks: Uint32Array<SharedArrayBuffer>
    }
  | { readonly way: 'table'; readonly table: KeyTableArrays }

/** Looks up dense rows in one worker. */
export class RowMapper {
  readonly #kernel: Kernel
  readonly #map: RowMap
  readonly #ranks: number

  constructor(kernel: Kernel, map: RowMap) {
    const ranks = map.way === 'direct' ? map.ranks : new Uint32Array(0)
    this.#kernel = kernel
    this.#map = map
    this.#ranks = kernel.allocate(ranks.byteLength)
    kernel.words(this.#ranks, ranks.length).set(ranks)
  }

  /** Dense row of each of the n selected ids, -1 where it is not active; all arrays are in the kernel's memory. */
  map(keys: Keys, rows: Uint16Array, n: number, out: Int32Array): void {
    const map = this.#map
    if (map.way === 'table') {
      lookUp(map.table, keys, rows, n, out)
      return
    }
    const { lo, hi } = keys
    const { run } = this.#kernel
    run.mapIds(lo.byteOffset, hi.byteOffset, rows.byteOffset, n, map.min, map.size, this.#ranks, out.byteOffset)
  }
}
