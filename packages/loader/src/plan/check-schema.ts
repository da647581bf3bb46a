import { LoadError } from '../errors.ts'
import type { IdKind } from '../ids/keys.ts'
import type { ResolvedSource } from '../options.ts'
import type { ColumnType, Footer } from '../parquet/footer.ts'

/** The columns of a source that are read, and what each must be. */
export function neededColumns(source: ResolvedSource): string[] {
  const { user, item, confidence, time } = source
  const columns = [user, item, typeof confidence === 'number' ? undefined : confidence.column, time?.column]
  return [...new Set(columns.filter((column) => column !== undefined))]
}

/** Checks one file; returns the kinds of its ids. */
export function checkSchema(source: ResolvedSource, uri: string, footer: Footer): { user: IdKind; item: IdKind } {
  const { user, item, confidence, time } = source
  const find = (column: string, role: string, kinds: readonly ColumnType['kind'][], expected: string) => {
    const type = footer.columns.get(column)
    if (type !== undefined && kinds.includes(type.kind)) return type
    const found = type === undefined ? `no such column (it has: ${[...footer.columns.keys()].join(', ')})` : type.name
    throw new LoadError(
      'schema',
      `${uri}: column "${column}" of source "${source.name}": found ${found}, expected ${expected} for ${role}.`,
      { file: uri, column },
    )
  }
  const ids = ['integer', 'string'] as const
  const userType = find(user, 'user ids', ids, 'a whole number or a string')
  const itemType = find(item, 'item ids', ids, 'a whole number or a string')
  if (typeof confidence !== 'number') {
    if ('values' in confidence) {
      const strings = [...keysOf(confidence.values)].some((key) => typeof key === 'string' && Number.isNaN(Number(key)))
      const kinds = strings ? (['string'] as const) : (['integer', 'float', 'string', 'other'] as const)
      const expected = strings ? 'strings like the values given' : 'a number or a string'
      const type = find(confidence.column, 'confidences', kinds, expected)
      if (type.kind === 'other' && type.name !== 'boolean') find(confidence.column, 'confidences', [], expected)
    } else find(confidence.column, 'weighted confidences', ['integer', 'float'], 'a number')
  }
  if (time !== undefined) {
    const kinds = time.unit === undefined ? (['time'] as const) : (['time', 'integer'] as const)
    const type = find(time.column, 'times', kinds, 'a timestamp or date, or a whole number and the option time.unit')
    if (type.name === 'int96 timestamp') find(time.column, 'times', [], 'a timestamp of 64 bits (int96 is deprecated)')
  }
  return { user: userType.kind as IdKind, item: itemType.kind as IdKind }
}

function keysOf(values: object): Iterable<unknown> {
  return values instanceof Map ? values.keys() : Object.keys(values)
}
