/**
 * The Arrow C data interface as it lies in the 32-bit memory of parquet-wasm, read in place.
 * https://arrow.apache.org/docs/format/CDataInterface.html (structure layout for 4-byte pointers)
 *
 * A view lives until that memory grows: use a batch before the next one is asked for.
 */
export interface ArrowColumn {
  /** Format string of the interface: "i" int32, "l" int64, "u" utf8, "tsu:UTC" timestamp ... */
  readonly format: string
  readonly length: number
  /** First element of the buffers that belongs to this column. */
  readonly offset: number
  readonly nulls: number
  /** Addresses of the buffers, validity bitmap first (0 where there is none). */
  readonly buffers: readonly number[]
  readonly memory: ArrayBuffer
  /** Values that the (integer) elements index, when the column is dictionary-encoded. */
  readonly dictionary?: ArrowColumn
}

export interface ArrowBatch {
  readonly length: number
  readonly columns: ReadonlyMap<string, ArrowColumn>
}

/** Reads the struct array at `array` whose schema is at `schema`. */
export function readBatch(memory: ArrayBuffer, array: number, schema: number): ArrowBatch {
  const words = new Int32Array(memory)
  const length = words[array >> 2]
  const count = words[(array + 32) >> 2]
  const arrays = words[(array + 44) >> 2] >> 2
  const schemas = words[(schema + 32) >> 2] >> 2
  const columns = new Map<string, ArrowColumn>()
  for (let i = 0; i < count; i++) {
    const field = words[schemas + i]
    columns.set(readString(memory, words[(field + 4) >> 2]), readColumn(memory, words, words[arrays + i], field))
  }
  return { length, columns }
}

/** True where the bit of element `row` is set, or where there is no bitmap. */
export function isValid(column: ArrowColumn, bitmap: Uint8Array, row: number): boolean {
  const bit = column.offset + row
  return (bitmap[column.buffers[0] + (bit >> 3)] & (1 << (bit & 7))) !== 0
}

function readColumn(memory: ArrayBuffer, words: Int32Array, array: number, schema: number): ArrowColumn {
  const buffers = words[(array + 40) >> 2] >> 2
  const dictionary = words[(array + 48) >> 2]
  return {
    format: readString(memory, words[schema >> 2]),
    length: words[array >> 2],
    nulls: words[(array + 8) >> 2],
    offset: words[(array + 16) >> 2],
    buffers: Array.from(words.subarray(buffers, buffers + words[(array + 24) >> 2])),
    memory,
    dictionary: dictionary === 0 ? undefined : readColumn(memory, words, dictionary, words[(schema + 36) >> 2]),
  }
}

const decoder = new TextDecoder()

function readString(memory: ArrayBuffer, address: number): string {
  const bytes = new Uint8Array(memory)
  return decoder.decode(bytes.subarray(address, bytes.indexOf(0, address)))
}
