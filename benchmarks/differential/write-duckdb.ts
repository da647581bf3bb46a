import { mkdirSync } from 'node:fs'
import type { DuckDBConnection } from '@duckdb/node-api'
import type { Case, FileCase, SourceCase } from './case.ts'
import { Random } from './random.ts'

/** A column of a file to be: its name in the file, and SQL of its value. */
export interface FileColumn {
  readonly name: string
  readonly sql: string
}

/** Uniform numbers in [0, 1) by row and purpose. */
const uniform = (purpose: number, salt: number) => `((hash(row * 16 + ${purpose}, ${salt}) >> 11) / 9007199254740992.0)`

/** A query for the rows of a file, its columns in the order and under the names that it shall have. */
export function rowsOf({ users, items }: Case, source: SourceCase, file: FileCase): string {
  const { rows, everyId, userType, itemType, nulls, negatives, writer, broken, salt } = file
  const number = (purpose: number, count: number, power: number) =>
    everyId ? `((row * 7919 + ${purpose}) % ${count})` : `floor(${count} * pow(${uniform(purpose, salt)}, ${power}))`
  const id = (type: typeof userType, value: string, purpose: number) =>
    `CASE WHEN ${uniform(purpose, salt)} < ${nulls} THEN NULL ` +
    `${type.signed ? `WHEN ${uniform(purpose + 1, salt)} < ${negatives} THEN ${type.write('-1 - k % 100')} ` : ''}` +
    `ELSE ${type.write(value)} END`
  const columns: FileColumn[] = []
  for (const [name, type, ids, purpose, power] of [
    [source.user, userType, users, 0, 1.5],
    [source.item, itemType, items, 4, 2],
  ] as const) {
    const k = `(${number(purpose, ids.count, power)})::BIGINT`
    const valid = id(type, ids.value, purpose + 1).replaceAll(/\bk\b/g, k)
    const isBroken = broken !== undefined && name === source.user
    const value = isBroken ? `CASE WHEN row = ${rows - 1} THEN ${broken}::${type.name} ELSE ${valid} END` : valid
    // A path: sometimes a struct around the id, with a field nobody asks for, and null as a whole now and then.
    const dot = name.indexOf('.')
    if (dot > 0 && writer.order % 2 === 0) {
      const field = writer.upperCase ? name.slice(dot + 1).toUpperCase() : name.slice(dot + 1)
      const struct = `{'${field}': ${value}, 'more': row}`
      columns.push({
        name: name.slice(0, dot),
        sql:
          writer.order % 3 === 0 && broken === undefined
            ? `CASE WHEN ${uniform(purpose + 3, salt)} < 0.05 THEN NULL ELSE ${struct} END`
            : struct,
      })
    } else columns.push({ name, sql: value })
  }
  const { confidence, time } = source
  const valueNulls = nulls < 0.3 ? nulls : 0.05
  for (const [column, purpose] of [
    [confidence.column, 9],
    [time?.column, 11],
  ] as const) {
    if (column === undefined) continue
    const value = column.write(uniform(purpose, salt))
    columns.push({
      name: column.name,
      sql: `CASE WHEN ${uniform(purpose + 1, salt)} < ${valueNulls} THEN NULL ELSE ${value} END`,
    })
  }
  const cased = columns.map((column) => ({
    ...column,
    name: writer.upperCase ? column.name.toUpperCase() : column.name,
  }))
  const taken = new Set(cased.map(({ name }) => name.toLowerCase()))
  const others = writer.others
    .map((other): FileColumn => OTHERS[other])
    .filter(({ name }) => !taken.has(name.toLowerCase()))
  const all = new Random(writer.order).shuffle([...cased, ...others])
  return `SELECT ${all.map(({ name, sql }) => `${sql} AS ${identifier(name)}`).join(', ')} FROM range(${rows}) AS t(row)`
}

const OTHERS: Record<string, FileColumn> = {
  list: { name: 'genres', sql: `['a', NULL, row::VARCHAR]` },
  struct: { name: 'жанр', sql: `{'name': 'x', 'größe': row}` },
  map: { name: 'tags', sql: `MAP {'k': row}` },
  null: { name: 'nothing', sql: `NULL::INTEGER` },
  text: { name: 'text', sql: `'text ' || row` },
  // Begins with the name of another.
  prefix: { name: 'user', sql: `row` },
}

/** Writes one file, or a folder of hive partitions, with DuckDB. */
export async function writeWithDuckDb(
  connection: DuckDBConnection,
  path: string,
  query: string,
  { partitions }: SourceCase,
  { writer, rows }: FileCase,
): Promise<void> {
  const options = [
    'FORMAT parquet',
    `COMPRESSION ${writer.codec}`,
    `ROW_GROUP_SIZE ${writer.rowGroup}`,
    `PARQUET_VERSION ${writer.version}`,
    ...(writer.dictionary ? [] : ['DICTIONARY_SIZE_LIMIT 1']),
  ]
  if (partitions.length > 0 && rows > 0) {
    mkdirSync(path, { recursive: true })
    options.push(`PARTITION_BY (${partitions.map(identifier).join(', ')})`, 'OVERWRITE_OR_IGNORE true')
  }
  await connection.run(`COPY (${query}) TO '${path}' (${options.join(', ')})`)
}

export function identifier(name: string): string {
  return `"${name.replaceAll('"', '""')}"`
}
