import { MatrixError } from '../matrix/compressed-rows.ts'
import { type DuplicatePolicy, matrixFromCsr } from '../matrix/from-csr.ts'
import { matrixFromTriplets } from '../matrix/from-triplets.ts'
import type { InteractionMatrix } from '../matrix/interaction-matrix.ts'
import { ModelFormatError } from './manifest.ts'
import type { NpyArray, NpyNumbers } from './npy.ts'
import { readNpz, writeNpz } from './npz.ts'

export interface ScipyMatrixOptions {
  /** Several entries for one user and item. Default: their sum, as in scipy. */
  duplicates?: DuplicatePolicy
}

/**
 * Reads a sparse matrix that scipy saved (`scipy.sparse.save_npz`, an .npz file): users × items in CSR, CSC or COO, of any
 * numeric type. Memory: the file, its arrays and the matrix.
 *
 * @throws ModelFormatError when the file is not one; MatrixError when an entry is 0 or not finite
 */
export async function readScipyMatrix(path: string, options: ScipyMatrixOptions = {}): Promise<InteractionMatrix> {
  const { duplicates = 'sum' } = options
  const expected = 'a sparse matrix of scipy.sparse.save_npz'
  const arrays = await readNpz(path, expected)
  const format = arrays.get('format')?.values[0]
  const [users, items] = Array.from(numbers('shape'), Number)
  const values = numbers('data')
  const shape = { users, items, values, duplicates }
  const zero = (values as Float64Array).findIndex((value) => Number(value) === 0)
  if (zero >= 0) {
    throw new MatrixError(
      `${path}: entry ${zero} is 0, expected values that say something. Call eliminate_zeros() first.`,
    )
  }
  try {
    if (format === 'csr') return matrixFromCsr({ ...shape, indptr: numbers('indptr'), indices: numbers('indices') })
    if (format === 'csc') {
      const columns = columnsOf(numbers('indptr'), values.length)
      return matrixFromTriplets({ ...shape, rows: numbers('indices'), columns })
    }
    if (format === 'coo') return matrixFromTriplets({ ...shape, rows: numbers('row'), columns: numbers('col') })
  } catch (error) {
    if (!(error instanceof MatrixError)) throw error
    throw new MatrixError(`${path}: ${error.message}`, { cause: error })
  }
  throw new ModelFormatError(
    `${path} is in the format ${JSON.stringify(format)}, expected 'csr', 'csc' or 'coo': ${expected}. Call tocsr() before saving.`,
  )

  function numbers(name: string): NpyNumbers {
    const array = arrays.get(name)
    if (array && !Array.isArray(array.values)) return array.values
    throw new ModelFormatError(`${path} has no numbers "${name}": expected ${expected}.`)
  }
}

/** Writes a matrix as scipy's `load_npz` reads it: users × items in CSR, values in float32. Up to 4 GiB. */
export async function writeScipyMatrix(
  { users, items, csr, codebook }: InteractionMatrix,
  path: string,
): Promise<void> {
  const entries = csr.indices.length
  // scipy takes 32 bits where they are enough, and wants both index arrays of one type.
  const wide = entries >= 2 ** 31 || Math.max(users, items) >= 2 ** 31
  const integers = (from: ArrayLike<number>): NpyArray => ({
    descr: wide ? '<i8' : '<i4',
    shape: [from.length],
    values: wide
      ? BigInt64Array.from({ length: from.length }, (_, n) => BigInt(from[n]))
      : Int32Array.from({ length: from.length }, (_, n) => from[n]),
  })
  const values = codebook ? Float32Array.from(csr.values, (code) => codebook[code]) : (csr.values as Float32Array)
  await writeNpz(path, {
    indices: integers(csr.indices),
    indptr: integers(csr.indptr),
    format: { descr: '<U3', shape: [], values: ['csr'] },
    shape: { descr: '<i8', shape: [2], values: BigInt64Array.of(BigInt(users), BigInt(items)) },
    data: { descr: '<f4', shape: [entries], values },
  })
}

function columnsOf(indptr: NpyNumbers, entries: number): Uint32Array {
  const columns = new Uint32Array(entries)
  for (let column = 0; column + 1 < indptr.length; column++) {
    columns.fill(column, Number(indptr[column]), Number(indptr[column + 1]))
  }
  return columns
}
