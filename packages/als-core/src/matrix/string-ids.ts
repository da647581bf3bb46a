import { sharedFloat64, sharedUint8, sharedUint32 } from '../pool/shared-arrays.ts'
import type { IdColumn } from './interaction-matrix.ts'

/**
 * String ids by row, kept as UTF-8 on shared memory: an id becomes a string only when it is asked for. 2 million ids of 12
 * characters take 32 MB, as strings 80 MB and a tenth of a second of every full garbage collection.
 */
export class StringIds implements IdColumn {
  readonly length: number
  readonly bytes: Buffer
  /** Where each id begins in `bytes`, and where the last one ends. */
  readonly offsets: Uint32Array | Float64Array

  constructor(bytes: Uint8Array, offsets: Uint32Array | Float64Array) {
    this.length = offsets.length - 1
    this.bytes = Buffer.from(bytes.buffer, bytes.byteOffset, bytes.byteLength)
    this.offsets = offsets
  }

  at(row: number): string | undefined {
    const index = row < 0 ? row + this.length : row
    if (!(index >= 0 && index < this.length)) return undefined
    return this.bytes.toString('utf8', this.offsets[index], this.offsets[index + 1])
  }

  *[Symbol.iterator](): Generator<string> {
    for (let row = 0; row < this.length; row++) yield this.at(row)!
  }
}

/** Puts ids that come in pieces into one column. */
export class StringIdsBuilder {
  readonly #pieces: { bytes: Uint8Array; lengths: Uint32Array }[] = []
  #rows = 0
  #bytes = 0

  /** Ids one after the other: id `r` is `lengths[r]` bytes. Both are kept until `finish`. */
  add(bytes: Uint8Array, lengths: Uint32Array): void {
    this.#pieces.push({ bytes, lengths })
    this.#rows += lengths.length
    this.#bytes += bytes.length
  }

  finish(): StringIds {
    const bytes = sharedUint8(this.#bytes)
    const offsets = this.#bytes < 2 ** 32 ? sharedUint32(this.#rows + 1) : sharedFloat64(this.#rows + 1)
    let row = 0
    let at = 0
    for (const piece of this.#pieces.splice(0)) {
      bytes.set(piece.bytes, at)
      for (const length of piece.lengths) {
        at += length
        offsets[++row] = at
      }
    }
    return new StringIds(bytes, offsets)
  }
}
