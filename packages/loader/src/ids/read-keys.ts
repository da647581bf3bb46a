import { LoadError } from '../errors.ts'
import { type ArrowColumn, isValid } from '../parquet/arrow-c.ts'
import { fingerprint } from './fingerprint.ts'
import { type Keys, NULL_WORD, setNull, unsafeId, wideId } from './keys.ts'
import { readDecimals, readFloats, readUuids } from './read-uncommon-keys.ts'

/** Reads rows [from, from + count) of an id column. */
export function readKeys(column: ArrowColumn, from: number, count: number, keys: Keys, seed: number): void {
  keys.small = false
  readValues(column, from, count, keys, seed)
  if (column.validity.length === 0) return
  const bytes = new Uint8Array(column.memory)
  for (let i = 0; i < count; i++) if (!isValid(column, bytes, from + i)) setNull(keys, i)
}

const unsigned: Record<string, Uint32ArrayConstructor | Uint16ArrayConstructor | Uint8ArrayConstructor> = {
  I: Uint32Array,
  S: Uint16Array,
  C: Uint8Array,
}

const signed: Record<string, Int32ArrayConstructor | Int16ArrayConstructor | Int8ArrayConstructor> = {
  i: Int32Array,
  s: Int16Array,
  c: Int8Array,
}

/** What lies under a null is read too, and may be anything: only a valid value may be an error. */
function readValues(column: ArrowColumn, from: number, count: number, keys: Keys, seed: number): void {
  const { memory, buffers, format } = column
  const at = column.offset + from
  const type = unsigned[format] ?? signed[format]
  if (type !== undefined) {
    const values = new type(memory, buffers[1] + type.BYTES_PER_ELEMENT * at, count)
    if (format in unsigned) readSmall(values, keys)
    else readSigned(values, keys)
    return
  }
  switch (format) {
    case 'l':
      readInt64(new Uint32Array(memory, buffers[1] + 8 * at, 2 * count), keys)
      return
    case 'L':
      readInt64(new Uint32Array(memory, buffers[1] + 8 * at, 2 * count), keys)
      refuseUnsigned(column, from, count, keys)
      return
    case 'u':
    case 'z': {
      const offsets = new Int32Array(memory, buffers[1] + 4 * at, count + 1)
      for (let i = 0; i < count; i++) {
        keys.start[i] = buffers[2] + offsets[i]
        keys.end[i] = buffers[2] + offsets[i + 1]
      }
      keys.bytes = new Uint8Array(memory)
      break
    }
    case 'w:16':
      readUuids(column, from, count, keys)
      break
    case 'n':
      for (let i = 0; i < count; i++) setNull(keys, i)
      return
    case 'g':
      keys.clear = false
      readFloats(column, from, count, keys)
      return
    default:
      if (!format.startsWith('d:')) throw new LoadError('schema', `column "${column.name}" is no id.`)
      keys.clear = false
      readDecimals(column, from, count, keys)
      return
  }
  keys.clear = false
  for (let i = 0; i < count; i++) fingerprint(keys.bytes, keys.start[i], keys.end[i], seed, keys, i)
}

function readInt64(words: Uint32Array, keys: Keys): void {
  const { lo, hi } = keys
  const count = words.length / 2
  keys.clear = false
  let any = 0
  for (let i = 0; i < count; i++) {
    lo[i] = words[2 * i]
    hi[i] = words[2 * i + 1]
    any |= words[2 * i + 1]
  }
  keys.small = any === 0
}

/** The top bit of an unsigned id is no sign. */
function refuseUnsigned(column: ArrowColumn, from: number, count: number, { lo, hi, small }: Keys): void {
  if (small) return
  const bytes = new Uint8Array(column.memory)
  for (let i = 0; i < count; i++) {
    if (hi[i] >= NULL_WORD && isValid(column, bytes, from + i)) throw unsafeId(column.name, wideId(lo[i], hi[i]))
  }
}

function readSmall(values: ArrayLike<number>, keys: Keys): void {
  keys.lo.set(values)
  if (!keys.clear) keys.hi.fill(0)
  keys.clear = true
  keys.small = true
}

/** Mostly there is no negative number, and then the words are copied as they are. */
function readSigned(values: ArrayLike<number>, keys: Keys): void {
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
