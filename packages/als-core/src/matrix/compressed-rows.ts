import { sharedFloat32, sharedFloat64, sharedUint8, sharedUint32 } from '../pool/shared-arrays.ts'
import type { CompressedRows } from './interaction-matrix.ts'

/** Interactions or features that cannot become a matrix; the message names the entry and what was expected. */
export class MatrixError extends Error {
  override readonly name = 'MatrixError'
}

/**
 * The transpose of compressed rows, by a counting sort over `columns` columns: O(entries). Its rows come out with
 * ascending column indices whatever the order was in the source.
 */
export function transpose(source: CompressedRows, columns: number): CompressedRows {
  const { indptr, indices, values } = source
  const rows = indptr.length - 1
  const entries = indices.length
  const out: CompressedRows = {
    indptr: sharedFloat64(columns + 1),
    indices: sharedUint32(entries),
    values: values instanceof Uint8Array ? sharedUint8(entries) : sharedFloat32(entries),
  }
  for (let e = 0; e < entries; e++) out.indptr[indices[e] + 1]++
  for (let c = 0; c < columns; c++) out.indptr[c + 1] += out.indptr[c]
  const next = out.indptr.slice(0, columns)
  for (let r = 0; r < rows; r++) {
    for (let e = indptr[r]; e < indptr[r + 1]; e++) {
      const at = next[indices[e]]++
      out.indices[at] = r
      out.values[at] = values[e]
    }
  }
  return out
}

/** One-byte codes and their codebook when `values` has at most 256 distinct ones, in ascending order; else nothing. */
export function packValues(
  values: Float32Array<SharedArrayBuffer>,
): { codes: Uint8Array<SharedArrayBuffer>; codebook: Float32Array<SharedArrayBuffer> } | undefined {
  const distinct = new Set<number>()
  let previous = Number.NaN
  for (let e = 0; e < values.length; e++) {
    if (values[e] === previous) continue
    previous = values[e]
    distinct.add(previous)
    if (distinct.size > 256) return undefined
  }
  const sorted = [...distinct].sort((a, b) => a - b)
  const codebook = sharedFloat32(sorted.length)
  codebook.set(sorted)
  const place = new Map(sorted.map((value, code) => [value, code]))
  const codes = sharedUint8(values.length)
  let code = 0
  previous = Number.NaN
  for (let e = 0; e < values.length; e++) {
    if (values[e] !== previous) {
      previous = values[e]
      code = place.get(previous)!
    }
    codes[e] = code
  }
  return { codes, codebook }
}
