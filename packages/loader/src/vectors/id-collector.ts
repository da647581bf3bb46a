import { LoadError } from '../errors.ts'
import { StringColumn } from '../ids/id-column.ts'
import { CHUNK_ROWS, createKeys, type IdKind, type Keys, NULL_WORD, UNSAFE_WORD } from '../ids/keys.ts'
import { readKeys } from '../ids/read-keys.ts'
import { type ArrowColumn, isValid } from '../parquet/arrow-c.ts'

/** Ids of a row group: numbers, bigints where one is 2^53 or more, or strings. */
export type GroupIds =
  | { readonly numbers: Float64Array<SharedArrayBuffer> | BigUint64Array<SharedArrayBuffer> }
  | { readonly offsets: Float64Array<SharedArrayBuffer>; readonly bytes: Uint8Array<SharedArrayBuffer> }

/** Ids by row, as `publish` takes them. */
export function idsOf(ids: GroupIds): Float64Array | BigUint64Array | StringColumn {
  return 'numbers' in ids ? ids.numbers : new StringColumn(ids.offsets, ids.bytes)
}

/** Gathers the ids of a row group, batch by batch. */
export class IdCollector {
  readonly #kind: IdKind
  readonly #keys: Keys
  /** Low and high word of each id. */
  readonly #words: Uint32Array<SharedArrayBuffer>
  readonly #offsets: Float64Array<SharedArrayBuffer>
  readonly #texts: Uint8Array[] = []
  #rows = 0
  #wide = false

  constructor(kind: IdKind, rows: number) {
    this.#kind = kind
    this.#keys = createKeys(kind, new Uint32Array(CHUNK_ROWS), new Uint32Array(CHUNK_ROWS))
    this.#words = new Uint32Array(new SharedArrayBuffer(kind === 'integer' ? 8 * rows : 0))
    this.#offsets = new Float64Array(new SharedArrayBuffer(kind === 'string' ? 8 * (rows + 1) : 0))
  }

  add(column: ArrowColumn): void {
    for (let from = 0; from < column.length; from += CHUNK_ROWS) {
      const count = Math.min(CHUNK_ROWS, column.length - from)
      if (column.format === 'L') this.#addUnsigned(column, from, count)
      else {
        readKeys(column, from, count, this.#keys, 0)
        if (this.#kind === 'string') this.#addStrings(column, from, count)
        else this.#addIntegers(column, count)
      }
      this.#rows += count
    }
  }

  finish(): GroupIds {
    if (this.#kind === 'string') {
      const bytes = new Uint8Array(new SharedArrayBuffer(this.#offsets[this.#rows]))
      let at = 0
      for (const text of this.#texts) {
        bytes.set(text, at)
        at += text.length
      }
      return { offsets: this.#offsets, bytes }
    }
    const wide = new BigUint64Array(this.#words.buffer, 0, this.#rows)
    if (this.#wide) return { numbers: wide }
    const numbers = new Float64Array(new SharedArrayBuffer(8 * this.#rows))
    for (let row = 0; row < this.#rows; row++) numbers[row] = this.#words[2 * row] + this.#words[2 * row + 1] * 2 ** 32
    return { numbers }
  }

  #addStrings(column: ArrowColumn, from: number, count: number): void {
    const { start, end, bytes } = this.#keys
    const valid = new Uint8Array(column.memory)
    let size = 0
    for (let i = 0; i < count; i++) {
      if (!isValid(column, valid, from + i)) throw noId(column, this.#rows + i)
      size += end[i] - start[i]
    }
    const text = new Uint8Array(size)
    let at = 0
    for (let i = 0; i < count; i++) {
      text.set(bytes.subarray(start[i], end[i]), at)
      at += end[i] - start[i]
      this.#offsets[this.#rows + i + 1] = this.#offsets[this.#rows] + at
    }
    this.#texts.push(text)
  }

  #addIntegers(column: ArrowColumn, count: number): void {
    const { lo, hi } = this.#keys
    for (let i = 0; i < count; i++) {
      if (hi[i] >= NULL_WORD) throw noId(column, this.#rows + i)
      this.#addWords(this.#rows + i, lo[i], hi[i])
    }
  }

  /** Up to 2^64 - 1, where the key of other columns has the sign. */
  #addUnsigned(column: ArrowColumn, from: number, count: number): void {
    const words = new Uint32Array(column.memory, column.buffers[1] + 8 * (column.offset + from), 2 * count)
    const valid = new Uint8Array(column.memory)
    for (let i = 0; i < count; i++) {
      if (!isValid(column, valid, from + i)) throw noId(column, this.#rows + i)
      this.#addWords(this.#rows + i, words[2 * i], words[2 * i + 1])
    }
  }

  #addWords(row: number, lo: number, hi: number): void {
    this.#words[2 * row] = lo
    this.#words[2 * row + 1] = hi
    if (hi >= UNSAFE_WORD) this.#wide = true
  }
}

function noId({ name }: ArrowColumn, row: number): LoadError {
  return new LoadError(
    'ids',
    `column "${name}" has a null or a negative number in row ${row} of the row group, expected an id in every row.`,
    { column: name },
  )
}
