import { MatrixError } from './compressed-rows.ts'
import { type DuplicatePolicy, type MatrixShape, matrixFromCsr } from './from-csr.ts'
import type { InteractionMatrix } from './interaction-matrix.ts'
import { type NumericArray, toNumbers } from './numbers.ts'

export interface Triplets extends MatrixShape {
  /** User of each entry: an integer in [0, users). */
  rows: NumericArray
  /** Item of each entry: an integer in [0, items). */
  columns: NumericArray
  /** Value of each entry: positive (liked) or negative (disliked), finite, not 0. Default: all 1. */
  values?: NumericArray
  /** What to do with several entries for one (user, item). Default 'error'. */
  duplicates?: DuplicatePolicy
}

/**
 * Builds an interaction matrix from triplets in any order: two counting sorts, O(entries).
 *
 * @throws MatrixError naming the entry, when an index is out of range, a value is not usable, the arrays differ in
 * length, or a pair comes twice under `duplicates: 'error'`.
 */
export function matrixFromTriplets(triplets: Triplets): InteractionMatrix {
  const { users, items, duplicates } = triplets
  const rows = toNumbers(triplets.rows)
  const columns = toNumbers(triplets.columns)
  const values = triplets.values && toNumbers(triplets.values)
  const entries = rows.length
  if (columns.length !== entries || (values !== undefined && values.length !== entries)) {
    throw new MatrixError(
      `Triplets differ in length: ${entries} rows, ${columns.length} columns, ${values?.length ?? entries} values. Each entry needs one of each.`,
    )
  }
  checkIndices('row', rows, users, 'users')
  checkIndices('column', columns, items, 'items')

  const indptr = new Float64Array(users + 1)
  for (let e = 0; e < entries; e++) indptr[rows[e] + 1]++
  for (let u = 0; u < users; u++) indptr[u + 1] += indptr[u]
  const next = indptr.slice(0, users)
  const indices = new Uint32Array(entries)
  const scattered = new Float32Array(entries)
  for (let e = 0; e < entries; e++) {
    const at = next[rows[e]]++
    indices[at] = columns[e]
    scattered[at] = values === undefined ? 1 : values[e]
  }
  return matrixFromCsr({ users, items, indptr, indices, values: scattered, duplicates })
}

function checkIndices(name: string, indices: ArrayLike<number>, bound: number, boundName: string): void {
  for (let e = 0; e < indices.length; e++) {
    const index = indices[e]
    if (!(index >= 0 && index < bound && Number.isInteger(index))) {
      throw new MatrixError(
        `Entry ${e}: ${name} is ${index}, expected an integer from 0 to ${bound - 1} (${boundName}: ${bound}).`,
      )
    }
  }
}
