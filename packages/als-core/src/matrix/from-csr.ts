import { onShared, sharedFloat32, sharedFloat64, sharedUint32 } from '../pool/shared-arrays.ts'
import { MatrixError, packValues, transpose } from './compressed-rows.ts'
import type { CompressedRows, InteractionMatrix } from './interaction-matrix.ts'
import { type NumericArray, toNumbers } from './numbers.ts'

/** Several entries for one (user, item): keep the highest value, add them up, keep the last in the order given, or refuse. */
export type DuplicatePolicy = 'max' | 'sum' | 'last' | 'error'

export interface MatrixShape {
  /** Number of users m (rows), at least 1. */
  users: number
  /** Number of items n (columns), at least 1. */
  items: number
}

export interface CsrInput extends MatrixShape {
  /** users + 1 ascending offsets, from 0 to the number of entries. */
  indptr: NumericArray
  /** Item of each entry: an integer in [0, items). Unsorted rows are sorted. */
  indices: NumericArray
  /** Value of each entry: positive (liked) or negative (disliked), finite, not 0. */
  values: NumericArray
  /** What to do with several entries for one (user, item). Default 'error'. */
  duplicates?: DuplicatePolicy
}

/**
 * Builds an interaction matrix, both orientations, from compressed rows. Arrays that are already shared and of the
 * matrix's own types are used in place, not copied.
 *
 * @throws MatrixError naming the row and entry, when an offset, index or value is not usable, or a pair comes twice
 * under `duplicates: 'error'`.
 */
export function matrixFromCsr({ indptr, indices, values, ...shape }: CsrInput): InteractionMatrix {
  const { users, items, duplicates = 'error' } = shape
  const input = { ...shape, indptr: toNumbers(indptr), indices: toNumbers(indices), values: toNumbers(values) }
  checkShape(input)
  let csr: CompressedRows & { values: Float32Array<SharedArrayBuffer> } = {
    indptr: onShared(input.indptr, Float64Array, sharedFloat64),
    indices: onShared(input.indices, Uint32Array, sharedUint32),
    values: onShared(input.values, Float32Array, sharedFloat32),
  }
  const order = checkEntries(input, csr.values)
  if (order !== 'ascending') {
    // Two transpositions sort the columns of every row; a stable order keeps duplicates side by side.
    csr = transpose(transpose(csr, items), users) as typeof csr
    if (hasDuplicates(csr)) csr = merge(csr, duplicates)
  }
  const packed = csr.values.length > 0 ? packValues(csr.values) : undefined
  const rows: CompressedRows = packed ? { ...csr, values: packed.codes } : csr
  return {
    users,
    items,
    entries: csr.indices.length,
    csr: rows,
    csc: transpose(rows, items),
    ...(packed && { codebook: packed.codebook }),
  }
}

type Checked = Omit<CsrInput, 'indptr' | 'indices' | 'values'> &
  Record<'indptr' | 'indices' | 'values', ArrayLike<number>>

function checkShape({ users, items, indptr, indices, values }: Checked): void {
  for (const [name, count] of Object.entries({ users, items })) {
    if (!(Number.isInteger(count) && count >= 1 && count < 2 ** 32)) {
      throw new MatrixError(`${name} is ${count}, expected an integer from 1 to ${2 ** 32 - 1}.`)
    }
  }
  if (indptr.length !== users + 1) {
    throw new MatrixError(
      `indptr has ${indptr.length} offsets, expected users + 1 = ${users + 1}: one before each row and one at the end.`,
    )
  }
  if (values.length !== indices.length) {
    throw new MatrixError(`${values.length} values for ${indices.length} indices: each entry needs one of each.`)
  }
  if (indptr[0] !== 0 || indptr[users] !== indices.length) {
    throw new MatrixError(
      `indptr runs from ${indptr[0]} to ${indptr[users]}, expected from 0 to the number of entries, ${indices.length}.`,
    )
  }
}

/** Checks every entry; returns whether the columns of all rows are strictly ascending. */
function checkEntries(
  { users, items, indptr, indices, values: original }: Checked,
  values: Float32Array,
): 'ascending' | 'unsorted' {
  let ascending = true
  for (let u = 0; u < users; u++) {
    const end = indptr[u + 1]
    if (!(end >= indptr[u]))
      throw new MatrixError(`Row ${u}: indptr decreases from ${indptr[u]} to ${end}, expected ascending offsets.`)
    let previous = -1
    for (let e = indptr[u]; e < end; e++) {
      const column = indices[e]
      if (!(column >= 0 && column < items && Number.isInteger(column))) {
        throw new MatrixError(`Row ${u}, entry ${e}: column ${column}, expected an integer from 0 to ${items - 1}.`)
      }
      if (column <= previous) ascending = false
      previous = column
      const value = values[e]
      if (!(Math.abs(value) < Infinity) || value === 0) {
        throw new MatrixError(
          `Row ${u}, column ${column}: value ${original[e]}, expected a finite float32 other than 0. Leave out entries that say nothing; give dislikes a negative value.`,
        )
      }
    }
  }
  return ascending ? 'ascending' : 'unsorted'
}

function hasDuplicates({ indptr, indices }: CompressedRows): boolean {
  for (let u = 0; u + 1 < indptr.length; u++) {
    for (let e = indptr[u] + 1; e < indptr[u + 1]; e++) if (indices[e] === indices[e - 1]) return true
  }
  return false
}

function merge(
  csr: CompressedRows & { values: Float32Array<SharedArrayBuffer> },
  policy: DuplicatePolicy,
): CompressedRows & { values: Float32Array<SharedArrayBuffer> } {
  const { indptr, indices, values } = csr
  const merged = sharedFloat64(indptr.length)
  let kept = 0
  for (let u = 0; u + 1 < indptr.length; u++) {
    const first = kept
    for (let e = indptr[u]; e < indptr[u + 1]; e++) {
      if (kept > first && indices[kept - 1] === indices[e]) {
        if (policy === 'error') {
          throw new MatrixError(
            `Row ${u} has column ${indices[e]} more than once. Choose duplicates: 'max', 'sum' or 'last', or merge them before.`,
          )
        }
        if (policy === 'max') values[kept - 1] = Math.max(values[kept - 1], values[e])
        else if (policy === 'sum') values[kept - 1] += values[e]
        else values[kept - 1] = values[e]
      } else {
        indices[kept] = indices[e]
        values[kept++] = values[e]
      }
    }
    // Not before: the sum of 1, -1 and 5 is 5.
    for (let e = first; e < kept; e++) {
      if (values[e] === 0 || Math.abs(values[e]) === Number.POSITIVE_INFINITY) {
        const sum = values[e] === 0 ? '0' : 'more than float32 holds'
        throw new MatrixError(`Row ${u}, column ${indices[e]}: the values of its duplicates add up to ${sum}.`)
      }
    }
    merged[u + 1] = kept
  }
  const shorter = { indptr: merged, indices: sharedUint32(kept), values: sharedFloat32(kept) }
  shorter.indices.set(indices.subarray(0, kept))
  shorter.values.set(values.subarray(0, kept))
  return shorter
}
