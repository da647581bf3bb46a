import { MatrixError } from '../matrix/compressed-rows.ts'
import type { CompressedRows, InteractionMatrix } from '../matrix/interaction-matrix.ts'

/**
 * Checks what a matrix that came from elsewhere could have wrong and that threads would only meet half-way: shapes,
 * shared buffers, offsets. Column order and values are checked where matrices are built.
 *
 * @throws MatrixError naming the array.
 */
export function checkMatrix(matrix: InteractionMatrix): void {
  const { users, items, entries } = matrix
  for (const [name, count] of Object.entries({ users, items, entries })) {
    if (!(Number.isInteger(count) && count >= 1)) {
      throw new MatrixError(`The matrix's ${name} is ${count}, expected a whole number of at least 1.`)
    }
  }
  checkSide('csr', matrix.csr, users, matrix)
  checkSide('csc', matrix.csc, items, matrix)
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
        : `${name}.values are one-byte codes, but the matrix has no codebook.`,
    )
  }
  for (let r = 0; r < rows; r++) {
    if (!(side.indptr[r + 1] >= side.indptr[r])) {
      throw new MatrixError(`${name}.indptr falls from ${side.indptr[r]} to ${side.indptr[r + 1]} at row ${r}.`)
    }
  }
  if (side.indptr[0] !== 0 || side.indptr[rows] !== entries) {
    throw new MatrixError(
      `${name}.indptr runs from ${side.indptr[0]} to ${side.indptr[rows]}, expected from 0 to ${entries}.`,
    )
  }
}
