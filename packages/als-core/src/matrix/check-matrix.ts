import { show } from '../checks/show.ts'
import { MatrixError } from './compressed-rows.ts'
import type { CompressedRows, InteractionMatrix } from './interaction-matrix.ts'

/**
 * Checks at the door that something is a matrix at all, in no time; `checkMatrix` looks at its entries.
 *
 * @throws MatrixError that says what came
 */
export function checkMatrixLike(matrix: InteractionMatrix): void {
  const given: unknown = matrix
  if (typeof given === 'object' && given !== null) {
    if ('csr' in given && 'users' in given && 'items' in given) return
    if ('matrix' in given) {
      throw new MatrixError('The matrix is an object that has one: pass its `matrix`, as in `const { matrix } = …`.')
    }
  }
  throw new MatrixError(`The matrix is ${show(given)}, expected one of interactionsFrom, a load or matrixFromTriplets.`)
}

/**
 * Checks everything that could be wrong with a matrix from elsewhere, before threads run into it: shapes, shared buffers,
 * offsets, columns, values. One pass over both orientations, a few nanoseconds per entry.
 *
 * @throws MatrixError naming the array.
 */
export function checkMatrix(matrix: InteractionMatrix): void {
  checkMatrixLike(matrix)
  const { users, items, entries } = matrix
  for (const [name, count, min] of [
    ['users', users, 1],
    ['items', items, 1],
    ['entries', entries, 0],
  ] as const) {
    if (!(Number.isInteger(count) && count >= min)) {
      throw new MatrixError(`The matrix's ${name} is ${count}, expected an integer of at least ${min}.`)
    }
  }
  matrix.codebook?.forEach((value, code) => {
    if (!isUsable(value)) {
      throw new MatrixError(`The matrix's codebook[${code}] is ${value}, expected a finite number other than 0.`)
    }
  })
  checkSide('csr', matrix.csr, users, matrix)
  checkSide('csc', matrix.csc, items, matrix)
  checkEntries('csr', matrix.csr, users, items, matrix.codebook)
  checkEntries('csc', matrix.csc, items, users, matrix.codebook)
}

function checkSide(name: string, side: CompressedRows, rows: number, { entries, codebook }: InteractionMatrix): void {
  for (const [array, length] of [
    ['indptr', rows + 1],
    ['indices', entries],
    ['values', entries],
  ] as const) {
    const data = side[array]
    if (data.length !== length) {
      throw new MatrixError(`${name}.${array} has ${data.length} elements, expected ${length}.`)
    }
    if (!(data.buffer instanceof SharedArrayBuffer)) {
      throw new MatrixError(
        `${name}.${array} is on an ArrayBuffer, expected a SharedArrayBuffer, which threads can read: build the matrix with matrixFromCsr or matrixFromTriplets.`,
      )
    }
  }
  if (side.values instanceof Uint8Array !== (codebook !== undefined)) {
    throw new MatrixError(
      codebook
        ? `${name}.values are ${side.values.constructor.name}, but the matrix has a codebook: expected Uint8Array codes.`
        : `${name}.values are Uint8Array codes, but the matrix has no codebook: expected a Float32Array, or a codebook.`,
    )
  }
  for (let r = 0; r < rows; r++) {
    if (!(side.indptr[r + 1] >= side.indptr[r])) {
      throw new MatrixError(
        `${name}.indptr decreases from ${side.indptr[r]} to ${side.indptr[r + 1]} at row ${r}, expected ascending offsets.`,
      )
    }
  }
  if (side.indptr[0] !== 0 || side.indptr[rows] !== entries) {
    throw new MatrixError(
      `${name}.indptr runs from ${side.indptr[0]} to ${side.indptr[rows]}, expected from 0 to ${entries}.`,
    )
  }
}

function checkEntries(
  name: string,
  { indptr, indices, values }: CompressedRows,
  rows: number,
  columns: number,
  codebook: Float32Array | undefined,
): void {
  const codes = codebook?.length
  for (let row = 0; row < rows; row++) {
    const end = indptr[row + 1]
    let previous = -1
    for (let e = indptr[row]; e < end; e++) {
      const column = indices[e]
      if (column <= previous || column >= columns) {
        throw new MatrixError(
          column >= columns
            ? `${name}: row ${row} has column ${column}, expected columns from 0 to ${columns - 1}.`
            : `${name}: row ${row} has column ${column} after column ${previous}, expected ascending columns, none twice: build the matrix with matrixFromCsr.`,
        )
      }
      previous = column
      const value = values[e]
      if (codes === undefined ? !isUsable(value) : value >= codes) {
        throw new MatrixError(
          `${name}: row ${row}, column ${column} has ${
            codes === undefined
              ? `value ${value}, expected a finite number other than 0`
              : `code ${value}, expected a code below ${codes}, the length of the codebook`
          }.`,
        )
      }
    }
  }
}

function isUsable(value: number): boolean {
  return Math.abs(value) < Infinity && value !== 0
}
