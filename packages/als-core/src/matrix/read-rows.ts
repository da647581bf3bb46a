import { MatrixError } from './compressed-rows.ts'

/** Names of the fields or columns of a row. */
export interface RowFields {
  /** Id of the user: strings, integers or bigints within 2^53. */
  user: string
  /** Id of the item, likewise. */
  item: string
  /** Strength of the interaction: above 0 liked, below 0 disliked. Default: 1 for every row. */
  value?: string
  /** When it happened: a Date, a number or a bigint. */
  time?: string
}

/** An Arrow table or record batch, of apache-arrow or alike. */
export interface ArrowRows {
  readonly numRows: number
  getChild(name: string): ArrowColumn | null
}

type ArrowColumn = Iterable<unknown> & { readonly length: number; readonly type?: { readonly scale?: number } }

/** One value per row: plain and typed arrays. */
export type ColumnRows = Readonly<Record<string, ArrayLike<unknown> | undefined>>

/** Objects, one per row, or pieces of Arrow data, in an array, a generator or a stream. */
export type RowStream = Iterable<object> | AsyncIterable<object>

export type Rows = RowStream | ArrowRows | ColumnRows

/** Takes one row; `value` and `time` are undefined where no field was named. */
export type TakeRow = (user: unknown, item: unknown, value: unknown, time: unknown) => void

/**
 * Reads rows of any form.
 *
 * @throws MatrixError when a named field is not there
 */
export async function readRows(rows: Rows, fields: RowFields, take: TakeRow): Promise<void> {
  if (isArrow(rows)) return readArrow(rows, fields, take)
  if (Symbol.asyncIterator in rows) {
    const first = new FirstRow(fields)
    for await (const row of rows) readElement(row, fields, take, first)
    return
  }
  if (Symbol.iterator in rows) {
    const first = new FirstRow(fields)
    for (const row of rows as Iterable<object>) readElement(row, fields, take, first)
    return
  }
  readColumns(rows as ColumnRows, fields, take)
}

function readElement(row: object, fields: RowFields, take: TakeRow, first: FirstRow): void {
  if (isArrow(row)) {
    readArrow(row, fields, take)
    return
  }
  first.check(row)
  const { user, item, value, time } = fields
  const cells = row as Record<string, unknown>
  take(
    cells[user],
    cells[item],
    value === undefined ? undefined : cells[value],
    time === undefined ? undefined : cells[time],
  )
}

/** Says in the first row that a field is misspelt, before a million rows are read as nulls. */
class FirstRow {
  readonly #fields: RowFields
  #checked = false

  constructor(fields: RowFields) {
    this.#fields = fields
  }

  check(row: object): void {
    if (this.#checked) return
    this.#checked = true
    if (typeof row !== 'object' || row === null) {
      throw new MatrixError(`Row 0 is ${String(row)}, expected an object with the fields ${listOf(this.#fields)}.`)
    }
    const { user, item, value, time } = this.#fields
    for (const name of [user, item, value, time]) {
      if (name === undefined || name in row) continue
      throw new MatrixError(
        `Row 0 has no field ${JSON.stringify(name)}: its fields are ${Object.keys(row).join(', ')}. Name the field in the options.`,
      )
    }
  }
}

function readArrow(rows: ArrowRows, fields: RowFields, take: TakeRow): void {
  const column = (name: string | undefined): Iterator<unknown> | undefined => {
    if (name === undefined) return undefined
    const found = rows.getChild(name)
    if (!found)
      throw new MatrixError(`The Arrow data have no column ${JSON.stringify(name)}. Name the column in the options.`)
    const { scale } = found.type ?? {}
    return typeof scale === 'number' ? decimals(found, scale) : found[Symbol.iterator]()
  }
  const [users, items, values, times] = [fields.user, fields.item, fields.value, fields.time].map(column)
  for (let row = 0; row < rows.numRows; row++) {
    take(users!.next().value, items!.next().value, values?.next().value, times?.next().value)
  }
}

/** Decimals, which apache-arrow gives as the 32-bit words of an integer in two's complement, as the nearest numbers. */
function* decimals(column: Iterable<unknown>, scale: number): Generator<unknown> {
  for (const cell of column) {
    if (!(cell instanceof Uint32Array)) yield cell
    else {
      let integer = BigInt.asIntN(32, BigInt(cell[cell.length - 1]))
      for (let word = cell.length - 2; word >= 0; word--) integer = (integer << 32n) | BigInt(cell[word])
      // 2.50 is 250 of scale 2.
      yield scale === 0 ? integer : Number(integer) / 10 ** scale
    }
  }
}

function readColumns(rows: ColumnRows, fields: RowFields, take: TakeRow): void {
  const column = (name: string | undefined): ArrayLike<unknown> | undefined => {
    if (name === undefined) return undefined
    const found = rows[name]
    if (found !== undefined && typeof found.length === 'number') return found
    throw new MatrixError(
      `The rows have no column ${JSON.stringify(name)}: they have ${Object.keys(rows).join(', ')}. Pass an array of objects, a stream, Arrow data, or an object of columns.`,
    )
  }
  const [users, items, values, times] = [fields.user, fields.item, fields.value, fields.time].map(column)
  for (const [name, each] of Object.entries({ item: items, value: values, time: times })) {
    if (each !== undefined && each.length !== users!.length) {
      throw new MatrixError(
        `Column ${name} has ${each.length} rows, and user ${users!.length}: expected one value per row.`,
      )
    }
  }
  for (let row = 0; row < users!.length; row++) take(users![row], items![row], values?.[row], times?.[row])
}

function isArrow(rows: object): rows is ArrowRows {
  return typeof rows === 'object' && rows !== null && 'getChild' in rows && 'numRows' in rows
}

function listOf({ user, item, value, time }: RowFields): string {
  return [user, item, value, time].filter((name) => name !== undefined).join(', ')
}
