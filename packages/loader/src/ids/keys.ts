import { LoadError } from '../errors.ts'
import { type ArrowColumn, isValid } from '../parquet/arrow-c.ts'
import { fingerprint } from './fingerprint.ts'

/** Rows handled at a time: all columns of a chunk (110 KB) stay in the second-level cache, next to what they are looked up in. */
export const CHUNK_ROWS = 4096

/**
 * Ids of a run of rows as 64-bit keys in two words. A whole number is itself, a string its 63-bit fingerprint.
 * `hi` with its top bit set means no id: a null (lo 0, hi NULL_WORD) or a negative number.
 */
export interface Keys {
  readonly lo: Uint32Array
  readonly hi: Uint32Array
  /** For strings: where the bytes of each lie in `bytes`. */
  readonly start: Uint32Array
  readonly end: Uint32Array
  bytes: Uint8Array
  /** True when every `hi` read last is 0: ids from 0 to 2^32, valid without looking at each. */
  small?: boolean
  /** True while nothing but 0 has been written to `hi`. */
  clear?: boolean
}

export type IdKind = 'integer' | 'string'

export const NULL_WORD = 0x80000000
/** High words from here on are ids of 2^53 and above, which a JavaScript number cannot hold exactly. */
export const UNSAFE_WORD: number = 1 << 21

export function createKeys(kind: IdKind, lo: Uint32Array, hi: Uint32Array): Keys {
  const places = kind === 'string' ? CHUNK_ROWS : 0
  return {
    lo,
    hi,
    start: new Uint32Array(places),
    end: new Uint32Array(places),
    bytes: new Uint8Array(0),
    small: false,
  }
}

/** Reads rows [from, from + count) of an id column. */
export function readKeys(column: ArrowColumn, from: number, count: number, keys: Keys, seed: number): void {
  keys.small = false
  if (column.dictionary !== undefined) readDictionary(column, column.dictionary, from, count, keys, seed)
  else readPlain(column, from, count, keys, seed)
  if (column.nulls !== 0 && column.buffers[0] !== 0) {
    const bitmap = new Uint8Array(column.memory)
    for (let i = 0; i < count; i++) {
      if (isValid(column, bitmap, from + i)) continue
      keys.lo[i] = 0
      keys.hi[i] = NULL_WORD
      keys.small = false
      keys.clear = false
    }
  }
}

function readPlain(column: ArrowColumn, from: number, count: number, keys: Keys, seed: number): void {
  const { memory, buffers } = column
  const at = column.offset + from
  const { lo, hi } = keys
  switch (column.format) {
    case 'l': {
      keys.clear = false
      const words = new Uint32Array(memory, buffers[1] + 8 * at, 2 * count)
      let any = 0
      for (let i = 0; i < count; i++) {
        lo[i] = words[2 * i]
        hi[i] = words[2 * i + 1]
        any |= words[2 * i + 1]
      }
      keys.small = any === 0
      return
    }
    case 'L': {
      keys.clear = false
      const words = new Uint32Array(memory, buffers[1] + 8 * at, 2 * count)
      for (let i = 0; i < count; i++) {
        lo[i] = words[2 * i]
        // Unsigned ids with the top bit set are too large, not negative.
        hi[i] = Math.min(words[2 * i + 1], NULL_WORD - 1)
      }
      return
    }
    case 'I':
      readSmall(new Uint32Array(memory, buffers[1] + 4 * at, count), keys)
      return
    case 'S':
      readSmall(new Uint16Array(memory, buffers[1] + 2 * at, count), keys)
      return
    case 'C':
      readSmall(new Uint8Array(memory, buffers[1] + at, count), keys)
      return
    case 'i':
      readSigned(new Int32Array(memory, buffers[1] + 4 * at, count), keys)
      return
    case 's':
      readSigned(new Int16Array(memory, buffers[1] + 2 * at, count), keys)
      return
    case 'c':
      readSigned(new Int8Array(memory, buffers[1] + at, count), keys)
      return
    case 'u':
    case 'z': {
      const offsets = new Int32Array(memory, buffers[1] + 4 * at, count + 1)
      for (let i = 0; i < count; i++) {
        keys.start[i] = buffers[2] + offsets[i]
        keys.end[i] = buffers[2] + offsets[i + 1]
      }
      break
    }
    case 'U':
    case 'Z': {
      const offsets = new Int32Array(memory, buffers[1] + 8 * at, 2 * (count + 1))
      for (let i = 0; i < count; i++) {
        keys.start[i] = buffers[2] + offsets[2 * i]
        keys.end[i] = buffers[2] + offsets[2 * i + 2]
      }
      break
    }
    case 'vu':
    case 'vz': {
      // Views: length, then up to 12 bytes in place, or prefix, buffer and offset.
      const views = new Int32Array(memory, buffers[1] + 16 * at, 4 * count)
      for (let i = 0; i < count; i++) {
        const length = views[4 * i]
        const start = length <= 12 ? buffers[1] + 16 * (at + i) + 4 : buffers[2 + views[4 * i + 2]] + views[4 * i + 3]
        keys.start[i] = start
        keys.end[i] = start + length
      }
      break
    }
    default:
      throw new LoadError(
        'schema',
        `an id column has the Arrow type "${column.format}"; expected a whole number or a string.`,
      )
  }
  keys.bytes = new Uint8Array(memory)
  keys.clear = false
  for (let i = 0; i < count; i++) fingerprint(keys.bytes, keys.start[i], keys.end[i], seed, keys, i)
}

function readSmall(values: Uint32Array | Uint16Array | Uint8Array, keys: Keys): void {
  keys.lo.set(values)
  if (!keys.clear) keys.hi.fill(0)
  keys.clear = true
  keys.small = true
}

/** Mostly there is no negative number, and then the words are copied as they are. */
function readSigned(values: Int32Array | Int16Array | Int8Array, keys: Keys): void {
  // Words of the same type are copied as they are.
  const words = values instanceof Int32Array
  readSmall(words ? new Uint32Array(values.buffer, values.byteOffset, values.length) : Uint32Array.from(values), keys)
  let any = 0
  for (let i = 0; i < values.length; i++) any |= values[i]
  if (any >= 0) return
  for (let i = 0; i < values.length; i++) keys.hi[i] = values[i] >> 31
  keys.clear = false
  keys.small = false
}

/** Dictionary-encoded ids: the keys of the dictionary once, then one look-up a row. */
function readDictionary(
  column: ArrowColumn,
  dictionary: ArrowColumn,
  from: number,
  count: number,
  keys: Keys,
  seed: number,
): void {
  const entries = dictionaryKeys(dictionary, seed)
  const width = { c: 1, C: 1, s: 2, S: 2, i: 4, I: 4, l: 8, L: 8 }[column.format]
  if (width === undefined) throw new LoadError('schema', `dictionary indices of the Arrow type "${column.format}".`)
  const bytes = new DataView(column.memory, column.buffers[1] + width * (column.offset + from), width * count)
  const isString = keys.start.length > 0
  keys.bytes = entries.bytes
  keys.clear = false
  for (let i = 0; i < count; i++) {
    const index =
      width === 1 ? bytes.getUint8(i) : width === 2 ? bytes.getUint16(2 * i, true) : bytes.getUint32(width * i, true)
    // An index under a null may be anything.
    if (index >= dictionary.length) continue
    keys.lo[i] = entries.lo[index]
    keys.hi[i] = entries.hi[index]
    if (isString) {
      keys.start[i] = entries.start[index]
      keys.end[i] = entries.end[index]
    }
  }
}

let lastDictionary: { column: ArrowColumn; seed: number; keys: Keys } | undefined

function dictionaryKeys(dictionary: ArrowColumn, seed: number): Keys {
  if (lastDictionary?.column === dictionary && lastDictionary.seed === seed) return lastDictionary.keys
  const { length } = dictionary
  const words = () => new Uint32Array(length)
  const keys: Keys = { lo: words(), hi: words(), start: words(), end: words(), bytes: new Uint8Array(0), small: false }
  readKeys(dictionary, 0, length, keys, seed)
  lastDictionary = { column: dictionary, seed, keys }
  return keys
}
