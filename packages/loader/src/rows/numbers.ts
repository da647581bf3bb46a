import { LoadError } from '../errors.ts'
import { type ArrowColumn, isValid } from '../parquet/arrow-c.ts'

/** Reads rows [from, from + count) of a numeric or boolean column; nulls become NaN. */
export function readNumbers(column: ArrowColumn, from: number, count: number, out: Float64Array): void {
  if (column.dictionary !== undefined) readEncoded(column, column.dictionary, from, count, out)
  else readPlain(column, from, count, out)
  blankNulls(column, from, count, out)
}

/** An int32 column without nulls, as it lies: three times as fast to look up as the same numbers in doubles. */
export function plainIntegers(column: ArrowColumn, from: number, count: number): Int32Array | undefined {
  const { format, dictionary, nulls, memory, buffers, offset } = column
  if (format !== 'i' || dictionary !== undefined || nulls !== 0) return undefined
  return new Int32Array(memory, buffers[1] + 4 * (offset + from), count)
}

/** Reads moments as milliseconds since 1970 from timestamps, dates, or whole numbers of the given unit. */
export function readTimes(
  column: ArrowColumn,
  from: number,
  count: number,
  millisecondsPerUnit: number,
  out: Float64Array,
): void {
  const { format } = column
  const [plain, unit] = format.startsWith('ts')
    ? ['l', { s: 1000, m: 1, u: 1e-3, n: 1e-6 }[format[2] as 's' | 'm' | 'u' | 'n']]
    : format === 'tdD'
      ? ['i', 86400000]
      : format === 'tdm'
        ? ['l', 1]
        : [format, millisecondsPerUnit]
  readPlain({ ...column, format: plain }, from, count, out)
  if (unit !== 1) for (let i = 0; i < count; i++) out[i] *= unit
  blankNulls(column, from, count, out)
}

const decoder = new TextDecoder()

/** Reads strings; nulls become undefined. Decoded once per entry where the column is dictionary-encoded. */
export function readStrings(column: ArrowColumn, from: number, count: number, out: (string | undefined)[]): void {
  const { dictionary, memory, buffers, format } = column
  if (dictionary !== undefined) {
    const entries: (string | undefined)[] = []
    readStrings(dictionary, 0, dictionary.length, entries)
    const indices = new Float64Array(count)
    readPlain(column, from, count, indices)
    for (let i = 0; i < count; i++) out[i] = entries[indices[i]]
  } else {
    const bytes = new Uint8Array(memory)
    const wide = format === 'U' || format === 'Z'
    if (!wide && format !== 'u' && format !== 'z') throw unreadable(column)
    const width = wide ? 2 : 1
    const at = column.offset + from
    const offsets = new Int32Array(memory, buffers[1] + 4 * width * at, width * (count + 1))
    for (let i = 0; i < count; i++) {
      out[i] = decoder.decode(bytes.subarray(buffers[2] + offsets[width * i], buffers[2] + offsets[width * (i + 1)]))
    }
  }
  if (column.nulls === 0 || buffers[0] === 0) return
  const bitmap = new Uint8Array(memory)
  for (let i = 0; i < count; i++) if (!isValid(column, bitmap, from + i)) out[i] = undefined
}

export function isString(column: ArrowColumn): boolean {
  return /^v?[uUzZ]/.test((column.dictionary ?? column).format)
}

function readPlain(column: ArrowColumn, from: number, count: number, out: Float64Array): void {
  const { memory, buffers, format } = column
  const at = column.offset + from
  const data = buffers[1]
  if (format === 'l' || format === 'L') {
    const words = new Uint32Array(memory, data + 8 * at, 2 * count)
    const signed = new Int32Array(memory, data + 8 * at, 2 * count)
    const high = format === 'l' ? signed : words
    for (let i = 0; i < count; i++) out[i] = high[2 * i + 1] * 4294967296 + words[2 * i]
  } else if (format === 'b') {
    const bytes = new Uint8Array(memory)
    for (let i = 0; i < count; i++) out[i] = (bytes[data + ((at + i) >> 3)] >> ((at + i) & 7)) & 1
  } else {
    const type = plainTypes[format]
    if (type === undefined) throw unreadable(column)
    out.set(new type(memory, data + type.BYTES_PER_ELEMENT * at, count))
  }
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

function readEncoded(
  column: ArrowColumn,
  dictionary: ArrowColumn,
  from: number,
  count: number,
  out: Float64Array,
): void {
  const entries = new Float64Array(dictionary.length)
  readNumbers(dictionary, 0, dictionary.length, entries)
  readPlain(column, from, count, out)
  for (let i = 0; i < count; i++) out[i] = entries[out[i]]
}

function blankNulls(column: ArrowColumn, from: number, count: number, out: Float64Array): void {
  if (column.nulls === 0 || column.buffers[0] === 0) return
  const bitmap = new Uint8Array(column.memory)
  for (let i = 0; i < count; i++) if (!isValid(column, bitmap, from + i)) out[i] = Number.NaN
}

function unreadable(column: ArrowColumn): LoadError {
  return new LoadError('schema', `a column has the Arrow type "${column.format}", which is not read as a value.`)
}
