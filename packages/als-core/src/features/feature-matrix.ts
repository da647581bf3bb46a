import { MatrixError, transpose } from '../matrix/compressed-rows.ts'
import { type NumericArray, toNumbers } from '../matrix/numbers.ts'
import { onShared, sharedFloat32, sharedFloat64, sharedUint32 } from '../pool/shared-arrays.ts'
import type { FeatureVocabulary } from './feature-vocabulary.ts'

/** The names of a matrix's features, by column: an array, or anything compact that is read the same way. */
export interface FeatureNames {
  readonly length: number
  at(feature: number): string | undefined
}

/**
 * What is known of the rows of one side of an interaction matrix: rows × features, sparse, in compressed rows, every array
 * on a SharedArrayBuffer so that worker threads read it in place. Row r describes item (or user) r. A row may be empty:
 * nothing is known of it, and its vector is learned as without features.
 */
export interface FeatureMatrix {
  /** Number of rows: the items (or users) of the interactions that it goes with. */
  readonly rows: number
  /** Number of features d (columns), at least 1. */
  readonly features: number
  /** What each column is, as 'styles=Deep House'; no name twice. */
  readonly names: FeatureNames
  /** rows + 1 offsets into `indices`. */
  readonly indptr: Float64Array<SharedArrayBuffer>
  /** Feature of each entry, ascending within a row, no duplicates. */
  readonly indices: Uint32Array<SharedArrayBuffer>
  /** Value of each entry, finite. */
  readonly values: Float32Array<SharedArrayBuffer>
  /** What makes a row of a record, where the matrix was made of records: it is kept with the model, to place new items. */
  readonly vocabulary?: FeatureVocabulary
}

export interface SparseFeatures {
  /** Number of rows. */
  rows: number
  /** What each column is; their number is the number of features. */
  names: FeatureNames
  /** rows + 1 ascending offsets, from 0 to the number of entries. */
  indptr: NumericArray
  /** Feature of each entry: an integer in [0, names.length). Unsorted rows are sorted. */
  indices: NumericArray
  /** Value of each entry, finite. */
  values: NumericArray
}

export interface DenseFeatures {
  /** What each column is; their number is the number of features. */
  names: FeatureNames
  /** rows × names.length values, row by row, finite. */
  data: NumericArray
}

/**
 * A feature matrix from compressed rows, as of scipy. Arrays that are already shared and of the matrix's own types are
 * used in place.
 *
 * @throws MatrixError naming the row and the feature: an offset, an index or a value that is not usable, a feature twice in
 * a row, a name that is empty or comes twice, no features at all.
 */
export function featuresFromCsr({ rows, names, ...arrays }: SparseFeatures): FeatureMatrix {
  const features = checkNames(names)
  const indptr = toNumbers(arrays.indptr)
  const indices = toNumbers(arrays.indices)
  const values = toNumbers(arrays.values)
  checkOffsets('The features', { rows, indptr, indices, values })
  const shared = {
    indptr: onShared(indptr, Float64Array, sharedFloat64),
    indices: onShared(indices, Uint32Array, sharedUint32),
    values: onShared(values, Float32Array, sharedFloat32),
  }
  // Indices are checked as they came: -1 and 1.5 would become columns in a Uint32Array.
  const ascending = checkEntries('The features', { rows, names, indptr, indices, values: shared.values })
  // Two transpositions sort the columns of every row.
  const sorted = ascending ? shared : transpose(transpose(shared, features), rows)
  const matrix = { ...sorted, rows, features, names } as FeatureMatrix
  if (!ascending) checkEntries('The features', matrix)
  return matrix
}

/**
 * A feature matrix from a dense array, such as embeddings of covers or sound. It is kept sparse, without the zeros: 8 bytes
 * for each other value.
 *
 * @throws MatrixError when the length is not rows × features or a value is not finite.
 */
export function featuresFromDense({ names, data }: DenseFeatures): FeatureMatrix {
  const features = checkNames(names)
  const numbers = toNumbers(data)
  const rows = numbers.length / features
  if (!Number.isInteger(rows)) {
    throw new MatrixError(
      `The dense features have ${numbers.length} values, expected a multiple of the ${features} features: row by row.`,
    )
  }
  const indptr = sharedFloat64(rows + 1)
  for (let r = 0, e = 0; r < rows; r++) {
    let count = 0
    for (let f = 0; f < features; f++) if (numbers[e++] !== 0) count++
    indptr[r + 1] = indptr[r] + count
  }
  const indices = sharedUint32(indptr[rows])
  const values = sharedFloat32(indptr[rows])
  for (let at = 0, e = 0; e < numbers.length; e++) {
    if (numbers[e] === 0) continue
    indices[at] = e % features
    values[at++] = numbers[e]
  }
  return featuresFromCsr({ rows, names, indptr, indices, values })
}

/**
 * Checks a matrix from elsewhere before threads run into it.
 *
 * @param name what messages call it, as 'itemFeatures'
 * @param rows the rows that it must have, and what they are, as 'items'
 * @throws MatrixError naming the array, or the row and the feature.
 */
export function checkFeatures(name: string, matrix: FeatureMatrix, rows: number, of: string): void {
  if (matrix.rows !== rows) {
    throw new MatrixError(
      `${name} has ${matrix.rows} rows, expected ${rows}, the number of ${of}: one row for each, empty where nothing is known.`,
    )
  }
  if (matrix.names.length !== matrix.features || matrix.features < 1) {
    throw new MatrixError(
      `${name} has ${matrix.features} features and ${matrix.names.length} names, expected at least one feature and a name for each.`,
    )
  }
  for (const array of ['indptr', 'indices', 'values'] as const) {
    if (!(matrix[array].buffer instanceof SharedArrayBuffer)) {
      throw new MatrixError(
        `${name}.${array} is on an ArrayBuffer, expected a SharedArrayBuffer, which threads can read: build it with featuresFrom, featuresFromCsr or featuresFromDense.`,
      )
    }
  }
  checkOffsets(name, matrix)
  if (!checkEntries(name, matrix)) {
    throw new MatrixError(`${name} has rows whose features do not ascend: build it with featuresFromCsr.`)
  }
}

function checkNames(names: FeatureNames): number {
  const features = names.length
  if (!(Number.isInteger(features) && features >= 1 && features < 2 ** 32)) {
    throw new MatrixError(`There are ${features} features, expected at least one: each column has a name.`)
  }
  const seen = new Set<string>()
  for (let f = 0; f < features; f++) {
    const name = names.at(f)
    if (typeof name !== 'string' || name === '') {
      throw new MatrixError(`The name of feature ${f} is ${JSON.stringify(name)}, expected a string with a character.`)
    }
    if (seen.has(name)) throw new MatrixError(`Two features are named ${JSON.stringify(name)}, expected one of each.`)
    seen.add(name)
  }
  return features
}

type Arrays = Record<'indptr' | 'indices' | 'values', ArrayLike<number>> & { rows: number }

function checkOffsets(name: string, { rows, indptr, indices, values }: Arrays): void {
  if (!(Number.isInteger(rows) && rows >= 1 && indptr.length === rows + 1)) {
    throw new MatrixError(
      `${name}: ${rows} rows and ${indptr.length} offsets, expected at least one row and one offset more than rows.`,
    )
  }
  if (indices.length !== values.length || indptr[0] !== 0 || indptr[rows] !== indices.length) {
    throw new MatrixError(
      `${name}: offsets from ${indptr[0]} to ${indptr[rows]} for ${indices.length} indices and ${values.length} values, expected from 0 to the number of entries.`,
    )
  }
  for (let r = 0; r < rows; r++) {
    if (!(indptr[r + 1] >= indptr[r])) {
      throw new MatrixError(
        `${name}: offsets decrease from ${indptr[r]} to ${indptr[r + 1]} at row ${r}, expected ascending ones.`,
      )
    }
  }
}

/** Whether the features of every row ascend. @throws MatrixError naming the row and the feature. */
function checkEntries(
  name: string,
  { rows, names, indptr, indices, values }: Arrays & { names: FeatureNames },
): boolean {
  const features = names.length
  let ascending = true
  for (let r = 0; r < rows; r++) {
    const end = indptr[r + 1]
    let previous = -1
    for (let e = indptr[r]; e < end; e++) {
      const feature = indices[e]
      if (!(feature >= 0 && feature < features && Number.isInteger(feature))) {
        throw new MatrixError(
          `${name}: row ${r} has feature ${feature}, expected an integer from 0 to ${features - 1}, the last column.`,
        )
      }
      if (!Number.isFinite(values[e])) {
        throw new MatrixError(
          `${name}: row ${r}, feature ${feature} (${names.at(feature)}) is ${values[e]}, expected a finite float32. Leave out what is not known.`,
        )
      }
      if (feature === previous) {
        throw new MatrixError(
          `${name}: row ${r} has feature ${feature} (${names.at(feature)}) twice, expected one value.`,
        )
      }
      if (feature < previous) ascending = false
      previous = feature
    }
  }
  return ascending
}
