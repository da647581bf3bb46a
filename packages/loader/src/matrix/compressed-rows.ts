import type { CompressedRows } from '@seesaw/als-core'

/** Uninitialised entries on shared memory, with the given offsets. */
export function createRows(entries: number, coded: boolean, indptr: Float64Array<SharedArrayBuffer>): CompressedRows {
  return {
    indptr,
    indices: new Uint32Array(new SharedArrayBuffer(4 * entries)),
    values: coded
      ? new Uint8Array(new SharedArrayBuffer(entries))
      : new Float32Array(new SharedArrayBuffer(4 * entries)),
  }
}

/** Where each row begins: the running sum of the lengths. */
export function offsetsOf(lengths: Uint32Array): Float64Array<SharedArrayBuffer> {
  const offsets = new Float64Array(new SharedArrayBuffer(8 * (lengths.length + 1)))
  let sum = 0
  for (let row = 0; row < lengths.length; row++) {
    offsets[row] = sum
    sum += lengths[row]
  }
  offsets[lengths.length] = sum
  return offsets
}

/**
 * The entries in arrays of their own, if the rows they were merged from took much more: below 0.7 of them, both together
 * are still less than what the transposition needed.
 */
export function trimRows(csr: CompressedRows, capacity: number): CompressedRows {
  const entries = csr.indices.length
  if (entries >= 0.7 * capacity) return csr
  const rows = createRows(entries, csr.values instanceof Uint8Array, csr.indptr)
  rows.indices.set(csr.indices)
  rows.values.set(csr.values)
  return rows
}
