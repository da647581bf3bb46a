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
import { untilAborted } from './until-aborted.ts'

export interface InteractionsOptions extends RowFields {
  /** Several rows of one user and item: their largest value (default), their sum, the latest (by `time`, else the last that comes), or an error. */
  duplicates?: DuplicatePolicy
  /** Rows whose user, item, value or time is null: an error (default), or dropped and counted. */
  nulls?: 'error' | 'drop'
  /**
   * Rows from this moment on (a Date, or a number in the unit of `time`) go to `test`, on the same ids, without the pairs
   * that are in `matrix`.
   */
  splitAt?: Date | number
  /** Gives `times`, for `splitByTime`: when the first row of each entry happened. Takes a `time`. Default false. */
  keepTimes?: boolean
  /** Ends the reading; a stream is told to close. */
  signal?: AbortSignal
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
  /** With `keepTimes`: when the first row of each entry happened, in the unit of `time` (a Date: milliseconds). */
  readonly times?: Float64Array
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
 * that are not finite or are 0, and for nulls unless they are dropped; the reason of the signal when it is aborted.
 */
export async function interactionsFrom(rows: Rows, options: InteractionsOptions): Promise<Interactions> {
  checkOptions(rows, options)
  const { duplicates = 'max', nulls = 'error', splitAt, keepTimes = false, signal } = options
  const { user: userField, item: itemField, value: valueField, time: timeField } = options
  const fields = { user: userField, item: itemField, value: valueField, time: timeField }
  const users = new IdIndex('user')
  const items = new IdIndex('item')
  const table = new RowTable(timeField !== undefined)
  let read = 0
  let dropped = 0
  signal?.throwIfAborted()
  await readRows(signal ? untilAborted(rows, signal) : rows, fields, (user, item, value, time) => {
    const row = read++
    // A generator that aborts its own signal is heard too.
    if (row % 4096 === 0) signal?.throwIfAborted()
    const isNull = (value == null && valueField !== undefined) || (time == null && timeField !== undefined)
    if (user == null || item == null || isNull) {
      if (nulls === 'error')
        refuseNull(row, {
          user,
          item,
          value: valueField === undefined ? '' : value,
          time: timeField === undefined ? '' : time,
        })
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
  if (earlier.rows.length === 0 || later?.rows.length === 0) refuseSplit(splitAt!, table, earlier.rows.length === 0)
  const matrix = matrixFromTriplets({ ...shape, ...earlier })
  const test = later && withoutPairsOf(matrix, matrixFromTriplets({ ...shape, ...later }))
  if (test?.entries === 0) {
    throw new MatrixError(
      `splitAt is ${show(splitAt)}: all pairs from then on are in the rows before too, and nothing is left to find. Choose an earlier moment.`,
    )
  }
  return {
    matrix,
    userIds,
    itemIds,
    interactionCounts: countInteractions(matrix),
    ...(test && { test }),
    ...(keepTimes && { times: table.firstTimes(matrix, userRows, itemRows) }),
    stats: { rows: read, dropped, merged: table.length - matrix.entries - (test?.entries ?? 0) },
  }
}

function refuseSplit(splitAt: Date | number, table: RowTable, isBefore: boolean): never {
  const { first, last } = table.timeRange()
  const isDate = splitAt instanceof Date
  const [from, to] = [first, last].map((time) => show(isDate ? new Date(time) : time))
  throw new MatrixError(
    `splitAt is ${show(splitAt)}: all rows are ${isBefore ? 'from then on' : 'before'}, from ${from} to ${to}. Choose a moment within the data` +
      `${isDate ? ', or, where the times are not in milliseconds, a number in their unit' : ''}.`,
  )
}

function refuseNull(row: number, cells: Record<string, unknown>): never {
  // The fields that were not named are ''.
  const [name, cell] = Object.entries(cells).find(([, cell]) => cell == null)!
  throw new MatrixError(`Row ${row}: ${name} is ${show(cell)}. Pass nulls: 'drop' to leave such rows out.`)
}

function toValue(value: unknown, row: number): number {
  const number = typeof value === 'bigint' ? Number(value) : value
  if (typeof number === 'number' && Number.isFinite(Math.fround(number)) && Math.fround(number) !== 0) return number
  const wanted = 'expected a finite number other than 0'
  const range = typeof number === 'number' && Number.isFinite(number) && number !== 0 ? ' in the range of float32' : ''
  throw new MatrixError(
    `Row ${row}: value is ${show(value)}, ${wanted}${range}. Leave out rows that say nothing; give dislikes a negative value.`,
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

const NAMES: readonly string[] = [
  ...['user', 'item', 'value', 'time', 'duplicates', 'nulls', 'splitAt', 'keepTimes', 'signal'],
]

function checkOptions(rows: Rows, options: InteractionsOptions): void {
  if (typeof rows !== 'object' || rows === null) {
    throw new RangeError(`rows is ${show(rows)}, expected an array, an iterable, Arrow data or an object of columns.`)
  }
  if (rows instanceof Promise) throw new RangeError('rows is a Promise, expected what it gives: await it.')
  if (typeof options !== 'object' || options === null) {
    throw new RangeError(
      `The options are ${show(options)}, expected { user, item }, the names of two fields, at least.`,
    )
  }
  const unknown = Object.keys(options).find((name) => !NAMES.includes(name))
  if (unknown)
    throw new RangeError(`${unknown} is no option of interactionsFrom, expected one of: ${NAMES.join(', ')}.`)
  const { user, item, duplicates = 'max', nulls = 'error', splitAt, keepTimes = false, time } = options
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
  if (keepTimes && time === undefined) throw new RangeError('keepTimes needs the name of the field `time`.')
  if (keepTimes && splitAt !== undefined) {
    throw new RangeError('splitAt divides the rows already: leave out one of the two, it or keepTimes.')
  }
}
