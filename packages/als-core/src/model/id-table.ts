import { setImmediate } from 'node:timers/promises'
import type { IdColumn } from '../matrix/interaction-matrix.ts'
import { StringIds } from '../matrix/string-ids.ts'
import { sharedUint32 } from '../pool/shared-arrays.ts'

/** Rows that are added between two looks at the event loop: some 10 ms. */
const SLICE = 65_536

/**
 * The row of an id: a hash table with open addressing and linear probing, three slots for two ids, a slot being a row plus
 * one, or 0. It is a saved file as it is: 6 bytes per id, and nothing to build when a model is opened.
 *
 * The hash of a string is FNV-1a of its UTF-8, that of an integer of its two's complement in 8 bytes, low byte first;
 * both are finished as MurmurHash3 finishes.
 */
export class IdTable {
  readonly slots: Uint32Array<SharedArrayBuffer>
  readonly #ids: IdColumn

  private constructor(ids: IdColumn, slots = sharedUint32(slotsFor(ids.length))) {
    this.#ids = ids
    this.slots = slots
  }

  /** The table of a column, made once and kept as long as it. */
  static of(ids: IdColumn): IdTable {
    let table = tables.get(ids)
    if (table) return table
    table = new IdTable(ids)
    table.#fill(0, ids.length)
    tables.set(ids, table)
    return table
  }

  /** Makes the table of a column, unless it has one, and lets the event loop turn meanwhile. */
  static async prepare(ids: IdColumn): Promise<IdTable> {
    if (tables.has(ids)) return IdTable.of(ids)
    const table = new IdTable(ids)
    for (let row = 0; row < ids.length; row += SLICE) {
      table.#fill(row, Math.min(ids.length, row + SLICE))
      await setImmediate()
    }
    tables.set(ids, table)
    return table
  }

  /** Gives a column the table that was saved with it. */
  static restore(ids: IdColumn, slots: Uint32Array<SharedArrayBuffer>): void {
    tables.set(ids, new IdTable(ids, slots))
  }

  /** Whether a row has the id that was hashed last; strings are compared as bytes, without making one. */
  #holds(row: number, id: number | string): boolean {
    const ids = this.#ids
    if (!(ids instanceof StringIds) || typeof id === 'number') return ids.at(row) === id
    const [from, to] = [ids.offsets[row], ids.offsets[row + 1]]
    if (to - from !== scratchLength) return false
    for (let at = 0; at < scratchLength; at++) if (ids.bytes[from + at] !== scratch[at]) return false
    return true
  }

  #fill(from: number, to: number): void {
    const { slots } = this
    const ids = this.#ids
    for (let row = from; row < to; row++) {
      const hash =
        ids instanceof StringIds
          ? hashBytes(ids.bytes, ids.offsets[row], ids.offsets[row + 1])
          : hashOf(ids.at(row) as number | string)
      let slot = slotOf(hash, slots.length)
      while (slots[slot] !== 0) slot = slot + 1 === slots.length ? 0 : slot + 1
      slots[slot] = row + 1
    }
  }

  rowOf(id: number | string): number | undefined {
    const { slots } = this
    if (slots.length === 0) return undefined
    let slot = slotOf(hashOf(id), slots.length)
    // A third of the slots is free; a damaged table may have none.
    for (let probe = 0; probe < slots.length && slots[slot] !== 0; probe++) {
      if (this.#holds(slots[slot] - 1, id)) return slots[slot] - 1
      slot = slot + 1 === slots.length ? 0 : slot + 1
    }
    return undefined
  }
}

const tables = new WeakMap<IdColumn, IdTable>()

/** Slots of a table of so many ids. */
export function slotsFor(ids: number): number {
  return ids === 0 ? 0 : Math.ceil(1.5 * ids) + 1
}

function slotOf(hash: number, slots: number): number {
  return Math.floor(((hash >>> 0) * slots) / 2 ** 32)
}

let scratch = Buffer.alloc(256)
let scratchLength = 0
const words = new Int32Array(2)
const bytesOfWords = new Uint8Array(words.buffer)

function hashOf(id: number | string): number {
  if (typeof id === 'number') {
    words[0] = id
    words[1] = Math.floor(id / 2 ** 32)
    return hashBytes(bytesOfWords, 0, 8)
  }
  if (3 * id.length > scratch.length) scratch = Buffer.alloc(3 * id.length)
  scratchLength = scratch.write(id)
  return hashBytes(scratch, 0, scratchLength)
}

function hashBytes(bytes: Uint8Array, from: number, to: number): number {
  let hash = 0x811c9dc5
  for (let at = from; at < to; at++) hash = Math.imul(hash ^ bytes[at], 0x01000193)
  hash = Math.imul(hash ^ (hash >>> 16), 0x85ebca6b)
  hash = Math.imul(hash ^ (hash >>> 13), 0xc2b2ae35)
  return hash ^ (hash >>> 16)
}
