import type { IdColumn } from '@seesaw/als-core'
import { StringColumn } from '../ids/id-column.ts'
import { offsetsOf } from './compressed-rows.ts'

/** The ids of the rows that have a new number; new numbers ascend, and -1 is none. */
export function keepIds(ids: IdColumn, rows: Int32Array): IdColumn {
  const kept = rows.reduce((count, row) => count + (row < 0 ? 0 : 1), 0)
  if (ids instanceof StringColumn) {
    const lengths = new Uint32Array(kept)
    for (let row = 0; row < rows.length; row++) {
      if (rows[row] >= 0) lengths[rows[row]] = ids.offsets[row + 1] - ids.offsets[row]
    }
    const offsets = offsetsOf(lengths)
    const bytes = new Uint8Array(new SharedArrayBuffer(offsets[kept]))
    for (let row = 0; row < rows.length; row++) {
      if (rows[row] >= 0) bytes.set(ids.bytes.subarray(ids.offsets[row], ids.offsets[row + 1]), offsets[rows[row]])
    }
    return new StringColumn(offsets, bytes)
  }
  const numbers = ids as Uint32Array<SharedArrayBuffer> | Float64Array<SharedArrayBuffer>
  const type = numbers.constructor as { new (buffer: SharedArrayBuffer): typeof numbers }
  const result = new type(new SharedArrayBuffer(numbers.BYTES_PER_ELEMENT * kept))
  for (let row = 0; row < rows.length; row++) if (rows[row] >= 0) result[rows[row]] = numbers[row]
  return result
}
