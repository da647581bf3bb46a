import { LoadError } from '../errors.ts'
import { type ArrowColumn, isValid } from '../parquet/arrow-c.ts'

/** Reads rows [from, from + count) of a column of numbers, decimals or booleans; nulls become NaN. */
export function readNumbers(column: ArrowColumn, from: number, count: number, out: Float64Array): void {
  const { memory, buffers, format } = column
  const at = column.offset + from
  const data = buffers[1]
  const type = plainTypes[format]
  if (type !== undefined) out.set(new type(memory, data + type.BYTES_PER_ELEMENT * at, count))
  else if (format === 'l' || format === 'L') {
    const low = new Uint32Array(memory, data + 8 * at, 2 * count)
    const high = format === 'l' ? new Int32Array(memory, data + 8 * at, 2 * count) : low
    for (let i = 0; i < count; i++) out[i] = high[2 * i + 1] * 4294967296 + low[2 * i]
  } else if (format === 'b') {
    const bytes = new Uint8Array(memory)
    for (let i = 0; i < count; i++) out[i] = (bytes[data + ((at + i) >> 3)] >> ((at + i) & 7)) & 1
  } else if (format.startsWith('d:')) readDecimals(column, at, count, out)
  else if (format === 'n') out.fill(Number.NaN, 0, count)
  else throw unreadable(column)
  blankNulls(column, from, count, out)
}

const plainTypes: Record<
  string,
  | Int8ArrayConstructor
  | Uint8ArrayConstructor
  | Int16ArrayConstructor
  | Uint16ArrayConstructor
  | Int32ArrayConstructor
  | Uint32ArrayConstructor
  | Float32ArrayConstructor
  | Float64ArrayConstructor
> = {
  c: Int8Array,
  C: Uint8Array,
  s: Int16Array,
  S: Uint16Array,
  i: Int32Array,
  I: Uint32Array,
  f: Float32Array,
  g: Float64Array,
}

/** The double nearest to each decimal, as if its digits stood in the program: d:precision,scale[,256]. */
function readDecimals({ memory, buffers, format }: ArrowColumn, at: number, count: number, out: Float64Array): void {
  const [, scale, bits = 128] = format.slice(2).split(',').map(Number)
  const width = bits / 32
  const words = new Int32Array(memory, buffers[1] + 4 * width * at, width * count)
  const unit = 10 ** scale
  for (let i = 0; i < count; i++) {
    const first = width * i
    const low = words[first + 1] * 4294967296 + (words[first] >>> 0)
    const sign = words[first + 1] >> 31
    let high = 0
    for (let w = 2; w < width; w++) high |= words[first + w] ^ sign
    // A quotient of two exact numbers is the nearest one.
    if (high === 0 && Number.isSafeInteger(low) && scale <= 22) {
      out[i] = low / unit
      continue
    }
    let digits = BigInt(words[first + width - 1])
    for (let w = width - 2; w >= 0; w--) digits = (digits << 32n) | BigInt(words[first + w] >>> 0)
    out[i] = Number(`${digits}e${-scale}`)
  }
}

/** An int32 column without nulls, as it lies: three times as fast to look up as the same numbers in doubles. */
export function plainIntegers(column: ArrowColumn, from: number, count: number): Int32Array | undefined {
  const { format, validity, memory, buffers, offset } = column
  if (format !== 'i' || validity.length > 0) return undefined
  return new Int32Array(memory, buffers[1] + 4 * (offset + from), count)
}

/**
 * Reads moments as milliseconds since 1970, to a quarter of a microsecond, from timestamps, dates, or numbers of a unit of
 * which there are `perMillisecond` in one; nulls become NaN.
 */
export function readTimes(
  column: ArrowColumn,
  from: number,
  count: number,
  perMillisecond: number,
  out: Float64Array,
): void {
  const { format } = column
  if (format === 'tdD') scaleNumbers({ ...column, format: 'i' }, from, count, 1 / 86400000, out)
  else if (format.startsWith('ts')) {
    const per = { s: 1e-3, m: 1, u: 1e3, n: 1e6 }[format[2] as 's' | 'm' | 'u' | 'n']
    readTicks({ ...column, format: 'l' }, from, count, per, out)
  } else if (format === 'l') readTicks(column, from, count, perMillisecond, out)
  else scaleNumbers(column, from, count, perMillisecond, out)
}

/** `per` of the column's unit are in a millisecond. */
function scaleNumbers(column: ArrowColumn, from: number, count: number, per: number, out: Float64Array): void {
  readNumbers(column, from, count, out)
  if (per >= 1) for (let i = 0; i < count; i++) out[i] /= per
  else {
    const milliseconds = Math.round(1 / per)
    for (let i = 0; i < count; i++) out[i] *= milliseconds
  }
}

/**
 * int64 ticks. Those of nanoseconds are beyond 2^53: whole milliseconds and the rest apart are exact, so that a moment just
 * before the end of a window never becomes the end itself.
 */
function readTicks(column: ArrowColumn, from: number, count: number, perMillisecond: number, out: Float64Array): void {
  if (perMillisecond <= 1) {
    scaleNumbers(column, from, count, perMillisecond, out)
    return
  }
  const { memory, buffers } = column
  const at = column.offset + from
  const low = new Uint32Array(memory, buffers[1] + 8 * at, 2 * count)
  const high = new Int32Array(memory, buffers[1] + 8 * at, 2 * count)
  // ticks = high · 2^32 + low,   2^32 = whole · perMillisecond + rest
  const whole = Math.floor(4294967296 / perMillisecond)
  const rest = 4294967296 % perMillisecond
  for (let i = 0; i < count; i++) {
    const part = high[2 * i + 1] * rest + low[2 * i]
    const partMilliseconds = Math.floor(part / perMillisecond)
    const milliseconds = high[2 * i + 1] * whole + partMilliseconds
    const time = milliseconds + (part - partMilliseconds * perMillisecond) / perMillisecond
    const next = milliseconds + 1
    out[i] = time < next ? time : next - Math.abs(next) * Number.EPSILON
  }
  blankNulls(column, from, count, out)
}

const decoder = new TextDecoder()

/** Reads strings; nulls become undefined. */
export function readStrings(column: ArrowColumn, from: number, count: number, out: (string | undefined)[]): void {
  const { memory, buffers, format } = column
  if (format !== 'u' && format !== 'z') throw unreadable(column)
  const bytes = new Uint8Array(memory)
  const offsets = new Int32Array(memory, buffers[1] + 4 * (column.offset + from), count + 1)
  for (let i = 0; i < count; i++) {
    out[i] = isValid(column, bytes, from + i)
      ? decoder.decode(bytes.subarray(buffers[2] + offsets[i], buffers[2] + offsets[i + 1]))
      : undefined
  }
}

export function isString({ format }: ArrowColumn): boolean {
  return format === 'u' || format === 'z'
}

function blankNulls(column: ArrowColumn, from: number, count: number, out: Float64Array): void {
  if (column.validity.length === 0) return
  const bytes = new Uint8Array(column.memory)
  for (let i = 0; i < count; i++) if (!isValid(column, bytes, from + i)) out[i] = Number.NaN
}

function unreadable(column: ArrowColumn): LoadError {
  return new LoadError(
    'schema',
    `column "${column.name}" has the Arrow type "${column.format}", which is not read as a value.`,
  )
}
