import { LoadError } from '../errors.ts'
import { type ArrowColumn, isValid } from '../parquet/arrow-c.ts'
import { CHUNK_ROWS, type Keys, setNull, unsafeId } from './keys.ts'

/** Integers in a column of doubles: what pandas makes of integers with gaps. NaN is a gap, a fraction an error. */
export function readFloats(column: ArrowColumn, from: number, count: number, keys: Keys): void {
  const values = new Float64Array(column.memory, column.buffers[1] + 8 * (column.offset + from), count)
  const bytes = new Uint8Array(column.memory)
  for (let i = 0; i < count; i++) {
    const value = values[i]
    if (Number.isSafeInteger(value)) {
      keys.lo[i] = value >>> 0
      keys.hi[i] = Math.floor(value / 4294967296)
    } else if (Number.isNaN(value) || !isValid(column, bytes, from + i)) {
      setNull(keys, i)
    } else if (value < 0 && Number.isInteger(value)) {
      keys.hi[i] = 0xffffffff
    } else {
      const reason = Number.isInteger(value) ? 'ids from 2^53 on cannot be held exactly' : 'an id is an integer'
      throw new LoadError(
        'ids',
        `column "${column.name}" is of doubles and holds the id ${value}; ${reason}. Store the ids as integers or strings.`,
        { column: column.name },
      )
    }
  }
}

/** Decimals of scale 0, in 128 or 256 bits. */
export function readDecimals(column: ArrowColumn, from: number, count: number, keys: Keys): void {
  const width = column.format.endsWith(',256') ? 8 : 4
  const start = column.buffers[1] + 4 * width * (column.offset + from)
  const words = new Int32Array(column.memory, start, width * count)
  const bytes = new Uint8Array(column.memory)
  for (let i = 0; i < count; i++) {
    const first = width * i
    const sign = words[first + width - 1] >> 31
    let high = 0
    for (let w = 2; w < width; w++) high |= words[first + w] ^ sign
    keys.lo[i] = words[first]
    keys.hi[i] = words[first + 1]
    // The upper words repeat the sign of a number of 64 bits.
    if (high === 0 && words[first + 1] >> 31 === sign) continue
    if (sign < 0) keys.hi[i] = 0xffffffff
    else if (isValid(column, bytes, from + i)) {
      let id = 0n
      for (let w = width - 1; w >= 0; w--) id = (id << 32n) | BigInt(words[first + w] >>> 0)
      throw unsafeId(column.name, id)
    }
  }
}

const UUID_LENGTH = 36
const HEX = Buffer.from('0123456789abcdef')

/** Sixteen bytes as the text of a UUID in lower case, whose order is that of the bytes. */
export function readUuids(column: ArrowColumn, from: number, count: number, keys: Keys): void {
  const bytes = new Uint8Array(column.memory, column.buffers[1] + 16 * (column.offset + from), 16 * count)
  keys.text ??= new Uint8Array(UUID_LENGTH * CHUNK_ROWS)
  const { text } = keys
  let out = 0
  for (let i = 0; i < count; i++) {
    keys.start[i] = out
    for (let b = 0; b < 16; b++) {
      if (b === 4 || b === 6 || b === 8 || b === 10) text[out++] = 0x2d
      text[out++] = HEX[bytes[16 * i + b] >> 4]
      text[out++] = HEX[bytes[16 * i + b] & 15]
    }
    keys.end[i] = out
  }
  keys.bytes = text
}
