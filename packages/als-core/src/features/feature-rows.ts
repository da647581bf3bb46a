import { positiveInteger } from '../checks/values.ts'
import { MatrixError } from '../matrix/compressed-rows.ts'
import { sharedFloat32, sharedFloat64, sharedUint32 } from '../pool/shared-arrays.ts'
import type { FeatureMatrix } from './feature-matrix.ts'
import type { FeatureRecord } from './feature-names.ts'
import type { FeatureVocabulary } from './feature-vocabulary.ts'

/**
 * A feature matrix row by row, in the order in which a stream gives them: 8 bytes per entry and 16 per row, twice the
 * entries while arrays grow and at the end. Rows that are not set are empty.
 */
export class FeatureRows {
  readonly #vocabulary: FeatureVocabulary
  readonly #starts: Float64Array
  readonly #lengths: Uint32Array
  readonly #isSet: Uint8Array
  #indices = new Uint32Array(1024)
  #values = new Float32Array(1024)
  #entries = 0

  constructor(vocabulary: FeatureVocabulary, rows: number) {
    positiveInteger('rows', rows)
    this.#vocabulary = vocabulary
    this.#starts = new Float64Array(rows)
    this.#lengths = new Uint32Array(rows)
    this.#isSet = new Uint8Array(rows)
  }

  /** @throws MatrixError when there is no such row, it was set before, or a value is neither string nor number */
  set(row: number, record: FeatureRecord): void {
    if (!(row >= 0 && row < this.#isSet.length)) {
      throw new MatrixError(`There is no row ${row}, expected one from 0 to ${this.#isSet.length - 1}.`)
    }
    if (this.#isSet[row] === 1) throw new MatrixError(`Row ${row} has two records, expected one.`)
    this.#isSet[row] = 1
    const { indices, values } = this.#vocabulary.rowOf(record, `Row ${row}`)
    while (this.#entries + indices.length > this.#indices.length) this.#grow()
    this.#indices.set(indices, this.#entries)
    this.#values.set(values, this.#entries)
    this.#starts[row] = this.#entries
    this.#lengths[row] = indices.length
    this.#entries += indices.length
  }

  /** The matrix, which carries its vocabulary. */
  finish(): FeatureMatrix {
    const rows = this.#isSet.length
    const indptr = sharedFloat64(rows + 1)
    const indices = sharedUint32(this.#entries)
    const values = sharedFloat32(this.#entries)
    for (let row = 0; row < rows; row++) {
      const [from, length] = [this.#starts[row], this.#lengths[row]]
      indices.set(this.#indices.subarray(from, from + length), indptr[row])
      values.set(this.#values.subarray(from, from + length), indptr[row])
      indptr[row + 1] = indptr[row] + length
    }
    const vocabulary = this.#vocabulary
    return { rows, features: vocabulary.length, names: vocabulary.names, indptr, indices, values, vocabulary }
  }

  #grow(): void {
    const [indices, values] = [this.#indices, this.#values]
    this.#indices = new Uint32Array(2 * indices.length)
    this.#values = new Float32Array(2 * indices.length)
    this.#indices.set(indices)
    this.#values.set(values)
  }
}
