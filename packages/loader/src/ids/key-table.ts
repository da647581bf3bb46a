import { LoadError } from '../errors.ts'
import { hashKey } from './fingerprint.ts'
import type { Keys } from './keys.ts'

/** The arrays of a KeyTable, all shared: this is how a table travels between threads. */
export interface KeyTableArrays {
  readonly used: number
  readonly lo: Uint32Array<SharedArrayBuffer>
  readonly hi: Uint32Array<SharedArrayBuffer>
  /** What is stored under the key; 0 marks a free slot. */
  readonly values: Int32Array<SharedArrayBuffer>
  /** Strings only: where the text of the key begins, in words of 4 bytes: its length, then its bytes. */
  readonly places?: Uint32Array<SharedArrayBuffer>
  readonly text?: Uint8Array<SharedArrayBuffer>
  readonly textUsed?: number
}

const FIRST_CAPACITY = 1 << 12
const LOAD = 0.6

/**
 * Hash table from 64-bit keys to positive 32-bit values: open addressing over typed arrays (52-73 ns a row where a Map
 * takes 262 and ends at 16.7 million keys). String tables keep the text and check every hit against it, so that two
 * ids with one fingerprint are an error instead of one id.
 */
export class KeyTable {
  used = 0
  lo: Uint32Array<SharedArrayBuffer>
  hi: Uint32Array<SharedArrayBuffer>
  values: Int32Array<SharedArrayBuffer>
  places?: Uint32Array<SharedArrayBuffer>
  text?: Uint8Array<SharedArrayBuffer>
  textUsed = 4

  constructor(strings: boolean, capacity: number = FIRST_CAPACITY) {
    this.lo = words(capacity)
    this.hi = words(capacity)
    this.values = new Int32Array(words(capacity).buffer)
    if (strings) {
      this.places = words(capacity)
      this.text = new Uint8Array(new SharedArrayBuffer(1 << 16))
    }
  }

  static from(arrays: KeyTableArrays): KeyTable {
    return Object.assign(new KeyTable(arrays.places !== undefined, 1), arrays)
  }

  static forKeys(count: number, strings = false): KeyTable {
    return new KeyTable(strings, 2 ** Math.ceil(Math.log2(Math.max(FIRST_CAPACITY, count / LOAD + 1))))
  }

  arrays(): KeyTableArrays {
    const { used, lo, hi, values, places, text, textUsed } = this
    return { used, lo, hi, values, places, text, textUsed }
  }

  /** Bytes of a table while it counts `keys` distinct ids: it has doubled and may hold its old self for a moment. */
  static bytesFor(keys: number, averageText: number): number {
    return (keys / LOAD) * 2 * (averageText > 0 ? 16 : 12) + keys * (averageText > 0 ? 2 * (averageText + 8) : 0)
  }

  /** Adds one to the value of the key of each selected row. */
  count(keys: Keys, rows: Uint16Array, n: number): void {
    for (let k = 0; k < n; k++) {
      // The slot first: finding it may grow the table, which replaces `values`.
      const slot = this.#slot(keys, rows[k])
      this.values[slot]++
    }
  }

  /** Adds a positive number to the value of the key of row i. */
  add(keys: Keys, i: number, value: number): void {
    const slot = this.#slot(keys, i)
    this.values[slot] += value
  }

  /** Stores a positive value under the key of row i. */
  set(keys: Keys, i: number, value: number): void {
    const slot = this.#slot(keys, i)
    this.values[slot] = value
  }

  /** Slot of the key of row i, inserted with value 0 if it is new: the caller must then store a positive value. */
  #slot(keys: Keys, i: number): number {
    if (this.used >= this.lo.length * LOAD) this.#grow()
    const lo = keys.lo[i]
    const hi = keys.hi[i]
    const mask = this.lo.length - 1
    let slot = hashKey(lo, hi, 0) & mask
    while (this.values[slot] !== 0) {
      if (this.lo[slot] === lo && this.hi[slot] === hi) {
        if (this.places !== undefined) this.#check(slot, keys, i)
        return slot
      }
      slot = (slot + 1) & mask
    }
    this.used++
    this.lo[slot] = lo
    this.hi[slot] = hi
    if (this.places !== undefined) {
      const place = this.#keep(keys.bytes, keys.start[i], keys.end[i])
      this.places[slot] = place
    }
    return slot
  }

  /** [start, end) of the text of a slot in `text`. */
  textAt(slot: number): [number, number] {
    const start = this.places![slot] * 4 + 4
    return [start, start + textLength(this.text!, start - 4)]
  }

  #grow(): void {
    const { lo, hi, values, places } = this
    const capacity = lo.length * 2
    this.lo = words(capacity)
    this.hi = words(capacity)
    this.values = new Int32Array(words(capacity).buffer)
    if (places !== undefined) this.places = words(capacity)
    for (let from = 0; from < lo.length; from++) {
      if (values[from] === 0) continue
      let slot = hashKey(lo[from], hi[from], 0) & (capacity - 1)
      while (this.values[slot] !== 0) slot = (slot + 1) & (capacity - 1)
      this.lo[slot] = lo[from]
      this.hi[slot] = hi[from]
      this.values[slot] = values[from]
      if (places !== undefined) this.places![slot] = places[from]
    }
  }

  #keep(bytes: Uint8Array, start: number, end: number): number {
    const length = end - start
    const place = this.textUsed
    const after = place + 4 + ((length + 3) & ~3)
    if (after > this.text!.length) {
      const larger = new Uint8Array(new SharedArrayBuffer(Math.max(this.text!.length * 2, after)))
      larger.set(this.text!.subarray(0, place))
      this.text = larger
    }
    const text = this.text!
    for (let b = 0; b < 4; b++) text[place + b] = length >>> (8 * b)
    for (let b = 0; b < length; b++) text[place + 4 + b] = bytes[start + b]
    this.textUsed = after
    return place / 4
  }

  #check(slot: number, keys: Keys, i: number): void {
    const { bytes, start, end } = keys
    const from = this.places![slot] * 4 + 4
    const length = end[i] - start[i]
    let same = textLength(this.text!, from - 4) === length
    for (let b = 0; same && b < length; b++) same = this.text![from + b] === bytes[start[i] + b]
    if (same) return
    const one = Buffer.from(this.text!.slice(from, from + textLength(this.text!, from - 4))).toString()
    const other = Buffer.from(bytes.slice(start[i], end[i])).toString()
    throw new LoadError('ids', `the ids "${one}" and "${other}" have the same fingerprint. Load with another \`seed\`.`)
  }
}

/** Looks up the value of each selected row's key, minus one: -1 where the key is not in the table. */
export function lookUp(table: KeyTableArrays, keys: Keys, rows: Uint16Array, n: number, out: Int32Array): void {
  const { lo, hi, values } = table
  const mask = lo.length - 1
  for (let k = 0; k < n; k++) {
    const i = rows[k]
    const keyLo = keys.lo[i]
    const keyHi = keys.hi[i]
    let slot = hashKey(keyLo, keyHi, 0) & mask
    while (values[slot] !== 0 && (lo[slot] !== keyLo || hi[slot] !== keyHi)) slot = (slot + 1) & mask
    out[k] = values[slot] - 1
  }
}

function words(length: number): Uint32Array<SharedArrayBuffer> {
  return new Uint32Array(new SharedArrayBuffer(length * 4))
}

function textLength(text: Uint8Array, at: number): number {
  return (text[at] | (text[at + 1] << 8) | (text[at + 2] << 16) | (text[at + 3] << 24)) >>> 0
}
