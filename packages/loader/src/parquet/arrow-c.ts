/**
 * The Arrow C data interface as it lies in the 32-bit memory of parquet-wasm, read in place.
 * https://arrow.apache.org/docs/format/CDataInterface.html (structure layout for 4-byte pointers)
 *
 * A view lives until that memory grows: use a batch before the next one is asked for.
 */
export interface ArrowColumn {
  /** The name that the column was asked for by. */
  readonly name: string
  /** Format string of the interface: "i" int32, "l" int64, "u" utf8, "tsu:UTC" timestamp ... */
  readonly format: string
  readonly length: number
  /** First element of the buffers that belongs to this column. */
  readonly offset: number
  /** Validity of its values and of the structs around it, where there are nulls. */
  readonly validity: readonly Bitmap[]
  /** Addresses of the buffers, validity bitmap first (0 where there is none). */
  readonly buffers: readonly number[]
  readonly memory: ArrayBuffer
  /** The values of a list, by element. */
  readonly elements?: ArrowColumn
}

interface Bitmap {
  readonly address: number
  /** Bit of the first row. */
  readonly offset: number
}

export interface ArrowBatch {
  readonly length: number
  readonly columns: ReadonlyMap<string, ArrowColumn>
}

/** Reads the struct array at `array` whose schema is at `schema`; `depth` is how many structs lie around a column. */
export function readBatch(
  memory: ArrayBuffer,
  array: number,
  schema: number,
  columns: readonly { readonly name: string; readonly depth: number }[],
): ArrowBatch {
  const words = new Int32Array(memory)
  const length = words[array >> 2]
  const found = columns.map(({ name, depth }, i) => {
    let [child, field] = childOf(words, array, schema, i)
    let base = offsetOf(words, array)
    const validity = bitmapOf(words, child, base)
    for (let level = 0; level < depth; level++) {
      // The offset of a struct holds for what is in it too.
      base += offsetOf(words, child)
      ;[child, field] = childOf(words, child, field, 0)
      validity.push(...bitmapOf(words, child, base))
    }
    return [name, columnAt(memory, name, child, field, base, validity)] as const
  })
  return { length, columns: new Map(found) }
}

function columnAt(
  memory: ArrayBuffer,
  name: string,
  array: number,
  schema: number,
  base: number,
  validity: readonly Bitmap[],
): ArrowColumn {
  const words = new Int32Array(memory)
  const format = readString(memory, words[schema >> 2])
  const column: ArrowColumn = {
    name,
    format,
    length: words[array >> 2],
    offset: base + offsetOf(words, array),
    validity,
    buffers: buffersOf(words, array),
    memory,
  }
  if (format !== '+l' && format !== '+L' && !format.startsWith('+w')) return column
  const [child, field] = childOf(words, array, schema, 0)
  return { ...column, elements: columnAt(memory, name, child, field, 0, bitmapOf(words, child, 0)) }
}

/** True where the value of a row, and every struct around it, is there. */
export function isValid({ validity }: ArrowColumn, bytes: Uint8Array, row: number): boolean {
  for (const { address, offset } of validity) {
    const bit = offset + row
    if ((bytes[address + (bit >> 3)] & (1 << (bit & 7))) === 0) return false
  }
  return true
}

/** Array and schema of the i-th child. */
function childOf(words: Int32Array, array: number, schema: number, i: number): [number, number] {
  return [words[(words[(array + 44) >> 2] >> 2) + i], words[(words[(schema + 32) >> 2] >> 2) + i]]
}

function offsetOf(words: Int32Array, array: number): number {
  return words[(array + 16) >> 2]
}

function buffersOf(words: Int32Array, array: number): number[] {
  const buffers = words[(array + 40) >> 2] >> 2
  return Array.from(words.subarray(buffers, buffers + words[(array + 24) >> 2]))
}

function bitmapOf(words: Int32Array, array: number, base: number): Bitmap[] {
  const nulls = words[(array + 8) >> 2]
  const address = buffersOf(words, array)[0] ?? 0
  return nulls === 0 || address === 0 ? [] : [{ address, offset: base + offsetOf(words, array) }]
}

const decoder = new TextDecoder()

function readString(memory: ArrayBuffer, address: number): string {
  const bytes = new Uint8Array(memory)
  return decoder.decode(bytes.subarray(address, bytes.indexOf(0, address)))
}
