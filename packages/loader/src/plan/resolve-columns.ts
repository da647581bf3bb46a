import { LoadError } from '../errors.ts'
import type { IdKind } from '../ids/keys.ts'
import type { ResolvedSource } from '../options.ts'
import { type ColumnType, scaleOf } from '../parquet/column-type.ts'
import { type FoundColumn, findColumns, findItemColumns } from '../parquet/find-column.ts'
import type { Footer } from '../parquet/footer.ts'
import { tableOf } from './compile-sources.ts'
import { hivePartitions } from './find-files.ts'

/** What a source reads of one file. */
export interface SourceColumns {
  readonly user: FoundColumn
  readonly item: FoundColumn
  /** All columns to read. */
  readonly columns: readonly FoundColumn[]
  /** Kinds of ids; undefined for a column of nulls, which goes with either. */
  readonly kinds: { readonly user?: IdKind; readonly item?: IdKind }
  /** Text of the partition that stands for a column that the file does not have; null where it is that of the nulls. */
  readonly partitions: ReadonlyMap<string, string | null>
}

/** The columns that a source asks for, by name. */
export function neededColumns(source: ResolvedSource): string[] {
  const { user, item, confidence, time } = source
  const columns = [user, item, typeof confidence === 'number' ? undefined : confidence.column, time?.column]
  return [...new Set(columns.filter((column) => column !== undefined))]
}

/** Finds the columns of a source in one file and checks their types. */
export function resolveColumns(source: ResolvedSource, uri: string, footer: Footer): SourceColumns {
  const { confidence, time } = source
  const found = new Map<string, FoundColumn>()
  const partitions = new Map<string, string | null>()
  const refuse = (column: string, role: string, what: string, expected: string) =>
    new LoadError(
      'schema',
      `${uri}: column "${column}" of source "${source.name}": found ${what}, expected ${expected} for ${role}.`,
      { file: uri, column },
    )
  const find = (
    column: string,
    role: string,
    accepts: Acceptance,
    expected: string,
    fits: readonly FoundColumn[] = findColumns(footer, column),
  ) => {
    if (fits.length > 1) throw refuse(column, role, severalOf(fits), 'one')
    if (fits.length === 0) throw refuse(column, role, `no such column (it has: ${columnNames(footer)})`, expected)
    const { type } = fits[0]
    if (type.kind !== 'null' && !accepts(type, fits[0])) throw refuse(fits[0].actual, role, type.name, expected)
    found.set(column, fits[0])
    return fits[0]
  }
  const findOrPartition = (column: string, role: string, accepts: Acceptance, expected: string) => {
    const values = hivePartitions(uri)
    if (values.has(column) && findColumns(footer, column).length === 0) {
      const value = values.get(column)!
      partitions.set(column, value === NULL_PARTITION ? null : value)
    } else find(column, role, accepts, expected)
  }
  const user = find(source.user, 'user ids', isId, 'an integer or a string')
  const ofItems = findItemColumns(footer, source.item, source.user)
  const item = find(source.item, 'item ids', isId, 'an integer or a string', ofItems)
  if (typeof confidence !== 'number') {
    if ('values' in confidence) {
      const keys = tableOf(confidence.values).map(([key]) => key)
      const words = keys.filter((key) => typeof key === 'string' && Number.isNaN(Number(key)))
      const booleans = words.every((word) => word === 'true' || word === 'false')
      const accepts: Acceptance = ({ kind }) =>
        kind === 'string' ||
        (kind === 'boolean' && booleans) ||
        (words.length === 0 && (kind === 'integer' || kind === 'float' || kind === 'decimal'))
      const expected = words.length > 0 ? 'strings like the values given' : 'a number, a boolean or a string'
      findOrPartition(confidence.column, 'confidences', accepts, expected)
    } else findOrPartition(confidence.column, 'weighted confidences', isNumber, 'a number')
  }
  if (time !== undefined) {
    const accepts: Acceptance = (type) => type.kind === 'time' || (time.unit !== undefined && isNumber(type))
    findOrPartition(time.column, 'times', accepts, 'a timestamp or date, or an integer and the option time.unit')
  }
  return {
    user,
    item,
    columns: [...found.values()],
    kinds: { user: idKind(user.type), item: idKind(item.type) },
    partitions,
  }
}

type Acceptance = (type: ColumnType, column: FoundColumn) => boolean

/** What Hive and Spark name the partition of the rows without a value. */
const NULL_PARTITION = '__HIVE_DEFAULT_PARTITION__'

export const isNumber = ({ kind }: ColumnType): boolean =>
  kind === 'integer' || kind === 'float' || kind === 'decimal' || kind === 'boolean'

/** Whether a column can hold ids: doubles can, because pandas makes them of integers with gaps. */
export function isId({ kind, name }: ColumnType, { nodes }: FoundColumn): boolean {
  if (kind === 'decimal') return scaleOf(nodes[nodes.length - 1].element) === 0
  return kind === 'integer' || kind === 'string' || kind === 'uuid' || name === 'double'
}

/** The kind of ids in a column of this type; undefined where it holds nothing but nulls. */
export function idKind({ kind }: ColumnType): IdKind | undefined {
  if (kind === 'null') return undefined
  return kind === 'string' || kind === 'uuid' ? 'string' : 'integer'
}

export function severalOf(columns: readonly FoundColumn[]): string {
  return `${columns.length} columns of this name (${columns.map(({ actual, type }) => `"${actual}", ${type.name}`).join('; ')})`
}

export function columnNames({ columns }: Footer): string {
  return columns.map(({ element }) => element.name).join(', ')
}
