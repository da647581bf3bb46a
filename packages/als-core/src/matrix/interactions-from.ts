import { show } from '../checks/show.ts'
import { MatrixError } from './compressed-rows.ts'
import { countInteractions } from './entries.ts'
import type { DuplicatePolicy } from './from-csr.ts'
import { matrixFromTriplets } from './from-triplets.ts'
import { IdIndex } from './id-index.ts'
import type { IdColumn, InteractionMatrix } from './interaction-matrix.ts'
import { type RowFields, type Rows, readRows } from './read-rows.ts'
import { RowTable } from './row-table.ts'
import { withoutPairsOf } from './select-entries.ts'

export interface InteractionsOptions extends RowFields {
  /** Several rows of one user and item: their largest value (default), their sum, the latest (by `time`, else the last that comes), or an error. */
  duplicates?: DuplicatePolicy
  /** Rows whose user, item or value is null: an error (default), or dropped and counted. */
  nulls?: 'error' | 'drop'
  /**
   * Rows from this moment on (a Date, or a number in the unit of `time`) go to `test`, on the same ids, without the pairs
   * that are in `matrix`.
   */
  splitAt?: Date | number
}

/** What `train` takes, with the ids that belong to it. */
export interface Interactions {
  readonly matrix: InteractionMatrix
  /** Original ids by row, in ascending order: the same rows for the same data, in whatever order they come. */
  readonly userIds: IdColumn
  readonly itemIds: IdColumn
  /** Entries per item. */
  readonly interactionCounts: Uint32Array
  /** What happened from `splitAt` on. */
  readonly test?: InteractionMatrix
  readonly stats: {
    /** Rows read. */
    readonly rows: number
    /** Rows dropped for a null. */
    readonly dropped: number
    /** Rows that another one of the same user and item stands for. */
    readonly merged: number
  }
}

/**
 * Interactions from rows of any kind: an array or a (async) iterable of objects, such as a database cursor or a CSV stream;
 * Arrow tables and record batches, alone or in a stream; an object of columns.
 *
 * Memory: 12 bytes per row (20 with a time) while they are read, the ids and a hash table of them, then the matrix.
 *
 * @throws MatrixError naming the row for ids that are no strings or integers within 2^53, or not of one kind, for values
 * that are not finite or are 0, and for nulls unless they are dropped.
 */
export async function interactionsFrom(rows: Rows, options: InteractionsOptions): Promise<Interactions> {
  checkOptions(rows, options)
  const { duplicates = 'max', nulls = 'error', splitAt } = options
  const { user: userField, item: itemField, value: valueField, time: timeField } = options
  const fields = { user: userField, item: itemField, value: valueField, time: timeField }
  const users = new IdIndex('user')
  const items = new IdIndex('item')
  const table = new RowTable(timeField !== undefined)
  let read = 0
  let dropped = 0
  await readRows(rows, fields, (user, item, value, time) => {
    const row = read++
    if (user == null || item == null || (value == null && valueField !== undefined)) {
      if (nulls === 'error') refuseNull(row, { user, item, value })
      dropped++
      return
    }
    const strength = valueField === undefined ? 1 : toValue(value, row)
    const moment = timeField === undefined ? 0 : toTime(time, row)
    users.add(user, row)
    items.add(item, row)
    table.add(strength, moment)
  })
  if (table.length === 0) {
    throw new MatrixError(`There are no rows to learn from: ${read} read, ${dropped} dropped for a null.`)
  }
  const { ids: userIds, rows: userRows } = users.finish()
  const { ids: itemIds, rows: itemRows } = items.finish()
  const shape = { users: userIds.length, items: itemIds.length, duplicates }
  const moment = splitAt === undefined ? undefined : toTime(splitAt, 'splitAt')
  const { earlier, later } = table.finish(userRows, itemRows, moment, duplicates === 'last')
  if (earlier.rows.length === 0 || later?.rows.length === 0) {
    throw new MatrixError(
      `splitAt is ${show(splitAt)}: all rows are ${earlier.rows.length === 0 ? 'from then on' : 'before'}. Choose a moment within the data.`,
    )
  }
  const matrix = matrixFromTriplets({ ...shape, ...earlier })
  const test = later && withoutPairsOf(matrix, matrixFromTriplets({ ...shape, ...later }))
  return {
    matrix,
    userIds,
    itemIds,
    interactionCounts: countInteractions(matrix),
    ...(test && { test }),
    stats: { rows: read, dropped, merged: table.length - matrix.entries - (test?.entries ?? 0) },
  }
}

function refuseNull(row: number, cells: Record<string, unknown>): never {
  const [name, cell] = Object.entries(cells).find(([, cell]) => cell == null)!
  throw new MatrixError(`Row ${row}: ${name} is ${show(cell)}. Pass nulls: 'drop' to leave such rows out.`)
}

function toValue(value: unknown, row: number): number {
  const number = typeof value === 'bigint' ? Number(value) : value
  if (typeof number === 'number' && Number.isFinite(Math.fround(number)) && Math.fround(number) !== 0) return number
  throw new MatrixError(
    `Row ${row}: value is ${show(value)}, expected a finite number other than 0. Leave out rows that say nothing; give dislikes a negative value.`,
  )
}

function toTime(time: unknown, row: number | 'splitAt'): number {
  const number =
    time instanceof Date || typeof time === 'bigint' || typeof time === 'number' ? Number(time) : Number.NaN
  if (Number.isFinite(number)) return number
  const place = row === 'splitAt' ? row : `Row ${row}: time`
  throw new MatrixError(
    `${place} is ${show(time)}, expected a Date, a number or a bigint. Parse texts with new Date(text).`,
  )
}

const NAMES: readonly string[] = ['user', 'item', 'value', 'time', 'duplicates', 'nulls', 'splitAt']

function checkOptions(rows: Rows, options: InteractionsOptions): void {
  if (typeof rows !== 'object' || rows === null) {
    throw new RangeError(`rows is ${show(rows)}, expected an array, an iterable, Arrow data or an object of columns.`)
  }
  const unknown = Object.keys(options).find((name) => !NAMES.includes(name))
  if (unknown)
    throw new RangeError(`${unknown} is no option of interactionsFrom, expected one of: ${NAMES.join(', ')}.`)
  const { user, item, duplicates = 'max', nulls = 'error', splitAt, time } = options
  for (const [name, field] of Object.entries({ user, item })) {
    if (typeof field !== 'string') throw new RangeError(`${name} is ${show(field)}, expected the name of a field.`)
  }
  if (!['max', 'sum', 'last', 'error'].includes(duplicates)) {
    throw new RangeError(`duplicates is ${show(duplicates)}, expected 'max', 'sum', 'last' or 'error'.`)
  }
  if (nulls !== 'error' && nulls !== 'drop')
    throw new RangeError(`nulls is ${show(nulls)}, expected 'error' or 'drop'.`)
  if (splitAt !== undefined && time === undefined) {
    throw new RangeError('splitAt needs the name of the field `time`.')
  }
}
