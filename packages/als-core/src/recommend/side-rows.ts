import type { IdColumn } from '../matrix/interaction-matrix.ts'
import { sharedUint32 } from '../pool/shared-arrays.ts'

/** The row numbers of a model's users or items, and their original ids. */
export class SideRows {
  readonly #name: 'user' | 'item'
  readonly #count: number
  readonly #ids: IdColumn | undefined
  #byId: Map<number | string, number> | undefined

  constructor(name: 'user' | 'item', count: number, ids: IdColumn | undefined) {
    this.#name = name
    this.#count = count
    this.#ids = ids
  }

  /** One row or several, on shared memory. @throws RangeError for a row that is not there. */
  toList(rows: number | ArrayLike<number>): Uint32Array<SharedArrayBuffer> {
    const list = typeof rows === 'number' ? [rows] : rows
    if (typeof list?.length !== 'number' || typeof list === 'string') {
      throw new RangeError(
        `The ${this.#name}s are ${JSON.stringify(rows)}, expected a row number or an array of them. For an original id see ${this.#name}Row(id).`,
      )
    }
    for (let i = 0; i < list.length; i++) {
      if (!(Number.isInteger(list[i]) && list[i] >= 0 && list[i] < this.#count)) {
        throw new RangeError(
          `There is no ${this.#name} row ${list[i]}: the model has ${this.#count}, from 0. ` +
            `For an original id see ${this.#name}Row(id).`,
        )
      }
    }
    const shared = sharedUint32(list.length)
    shared.set(list)
    return shared
  }

  /** Row number of an original id. @throws RangeError for an unknown id. */
  rowOf(id: number | string): number {
    this.#byId ??= new Map(Array.from({ length: this.#count }, (_, row) => [this.#ids?.at(row) ?? row, row]))
    const row = this.#byId.get(id)
    if (row === undefined) {
      throw new RangeError(
        `There is no ${this.#name} with id ${JSON.stringify(id)} in this model: it was not in the data, or below a threshold.`,
      )
    }
    return row
  }
}
