import type { IdColumn } from '@seesaw/als-core'

/** Whole-number ids by dense row: the narrowest typed array that holds them all, on a SharedArrayBuffer. */
export type IntegerIds = Uint32Array<SharedArrayBuffer> | Float64Array<SharedArrayBuffer>

/** String ids by dense row, kept as UTF-8 bytes: an id becomes a string only when asked for. */
export class StringColumn implements IdColumn {
  readonly length: number
  /** length + 1 offsets into `bytes`. */
  readonly offsets: Float64Array<SharedArrayBuffer>
  readonly bytes: Uint8Array<SharedArrayBuffer>
  readonly #buffer: Buffer

  constructor(offsets: Float64Array<SharedArrayBuffer>, bytes: Uint8Array<SharedArrayBuffer>) {
    this.length = offsets.length - 1
    this.offsets = offsets
    this.bytes = bytes
    this.#buffer = Buffer.from(bytes.buffer, bytes.byteOffset, bytes.byteLength)
  }

  at(row: number): string | undefined {
    const index = row < 0 ? row + this.length : row
    if (!(index >= 0 && index < this.length)) return undefined
    return this.#buffer.toString('utf8', this.offsets[index], this.offsets[index + 1])
  }
}
