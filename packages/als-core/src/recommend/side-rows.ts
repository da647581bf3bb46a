import { show } from '../checks/show.ts'
import type { IdColumn } from '../matrix/interaction-matrix.ts'
import { IdTable } from '../model/id-table.ts'
import { sharedUint32 } from '../pool/shared-arrays.ts'
import { RequestError } from './request-error.ts'

/**
 * One user or item: a number is a row of the model; a string is an original id, in a model with integer ids its decimal
 * digits, as they stand in a URL.
 */
export type RowOrId = number | string

/** Several users or items. */
export type RowsOrIds = ArrayLike<number> | readonly RowOrId[]

export function isOne(query: RowOrId | RowsOrIds): query is RowOrId {
  return typeof query === 'number' || typeof query === 'string'
}

/** The row numbers of a model's users or items, and their original ids. */
export class SideRows {
  readonly count: number
  readonly #name: 'user' | 'item'
  readonly #ids: IdColumn | undefined
  readonly #integers: boolean

  constructor(name: 'user' | 'item', count: number, ids: IdColumn | undefined) {
    this.#name = name
    this.count = count
    this.#ids = ids
    this.#integers = typeof ids?.at(0) !== 'string'
  }

  /** One row or several, on shared memory. @throws RequestError for a row or an id that is not there. */
  toList(rows: RowOrId | RowsOrIds): Uint32Array<SharedArrayBuffer> {
    const list = isOne(rows) ? [rows] : rows
    if (typeof list?.length !== 'number') {
      throw this.#unknown(
        `The ${this.#name}s are ${show(rows)}, expected a row number or an id as a string, or an array of them.`,
      )
    }
    const shared = sharedUint32(list.length)
    for (let n = 0; n < list.length; n++) shared[n] = this.toRow(list[n])
    return shared
  }

  /** @throws RequestError for a row or an id that is not there */
  toRow(row: RowOrId): number {
    if (typeof row === 'string') return this.#known(this.find(row), row)
    if (this.has(row)) return row
    throw this.#unknown(
      `There is no ${this.#name} row ${row}: the model has ${this.count}, from 0. ` +
        `For an original id see ${this.#name}Row(id).`,
    )
  }

  has(row: RowOrId): boolean {
    return typeof row === 'string'
      ? this.find(row) !== undefined
      : Number.isInteger(row) && row >= 0 && row < this.count
  }

  /** Row number of an original id. @throws RequestError for an unknown id. */
  rowOf(id: RowOrId): number {
    return this.#known(typeof id === 'number' ? this.#findNumber(id) : this.find(id), id)
  }

  /** Row number of an id as a string, where there is one. */
  find(id: string): number | undefined {
    if (!this.#integers) return IdTable.of(this.#ids!).rowOf(id)
    // Not '007' or '1e3': an id has one way to be written.
    const number = Number(id)
    return String(number) === id ? this.#findNumber(number) : undefined
  }

  #findNumber(id: number): number | undefined {
    if (!Number.isSafeInteger(id) || !this.#integers) return undefined
    if (this.#ids) return IdTable.of(this.#ids).rowOf(id)
    return id >= 0 && id < this.count ? id : undefined
  }

  #known(row: number | undefined, id: RowOrId): number {
    if (row !== undefined) return row
    throw this.#unknown(
      `There is no ${this.#name} with id ${JSON.stringify(id)} in this model: it was not in the data, or below a threshold.`,
    )
  }

  #unknown(message: string): RequestError {
    return new RequestError(this.#name === 'user' ? 'UNKNOWN_USER' : 'UNKNOWN_ITEM', message)
  }
}
