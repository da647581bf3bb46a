import type { DuckDBConnection } from '@duckdb/node-api'
import type { Case, FileCase, SourceCase } from './case.ts'
import { NULLS, readId } from './id-types.ts'
import { FIRST, SPAN, type ValueColumn } from './value-types.ts'
import { identifier } from './write-duckdb.ts'

/** What a load should give: entries by user, then item. */
export interface Answer {
  readonly userIds: readonly (number | string)[]
  readonly itemIds: readonly (number | string)[]
  readonly users: readonly (number | string)[]
  readonly items: readonly (number | string)[]
  readonly confidences: Float32Array
  /** Per source: all rows, and those that count as activity. */
  readonly rows: readonly (readonly [rows: number, counted: number])[]
}

/** The moment that ages are measured from, where a source has no end of its window. */
export const REFERENCE: Date = new Date(FIRST + SPAN)

/** The same question, answered by DuckDB from the same files. */
export async function askDuckDb(
  connection: DuckDBConnection,
  { users, items, sources, thresholds, merge }: Case,
  paths: readonly (readonly string[])[],
): Promise<Answer> {
  await connection.run(
    `CREATE OR REPLACE TEMP TABLE signals (s INTEGER, u ${sqlType(users)}, i ${sqlType(items)}, t HUGEINT, c FLOAT, counts BOOLEAN)`,
  )
  for (const [s, source] of sources.entries()) {
    for (const [f, file] of source.files.entries()) {
      // A refusal needs no answer, and casts of such ids may fail.
      if (file.rows === 0 || file.broken !== undefined) continue
      await connection.run(
        `INSERT INTO signals ${await signalsOf(connection, { users, items }, source, file, paths[s][f], s)}`,
      )
    }
  }
  const rows = await columnsOf(
    connection,
    `SELECT s, count(*)::DOUBLE, count(*) FILTER (counts)::DOUBLE FROM signals GROUP BY s ORDER BY s`,
  )
  await connection.run('DELETE FROM signals WHERE NOT counts')
  const active = (column: string, least: number) =>
    `SELECT ${column} AS id FROM signals GROUP BY ${column} HAVING count(*) >= ${least}`
  await connection.run(`CREATE OR REPLACE TEMP TABLE active_users AS ${active('u', thresholds.user)}`)
  await connection.run(`CREATE OR REPLACE TEMP TABLE active_items AS ${active('i', thresholds.item)}`)
  const merged = { max: 'max(c)', sum: 'sum(c::DOUBLE)::FLOAT', last: 'first(c ORDER BY t DESC, c DESC)' }[merge]
  await connection.run(`CREATE OR REPLACE TEMP TABLE entries AS SELECT u, i, ${merged} AS c FROM signals
    WHERE u IN (FROM active_users) AND i IN (FROM active_items) GROUP BY u, i`)
  if (thresholds.repeat) await cutCore(connection, thresholds)
  const plain = (column: string, kind: string) => (kind === 'integer' ? `${column}::DOUBLE` : column)
  const ids = async (column: 'u' | 'i', table: string, kind: string) => {
    const all = thresholds.repeat ? `SELECT DISTINCT ${column} AS id FROM entries` : `FROM ${table}`
    const [found] = await columnsOf(connection, `SELECT ${plain('id', kind)} FROM (${all}) ORDER BY id`)
    return (found ?? []) as (number | string)[]
  }
  const [u = [], i = [], c = []] = await columnsOf(
    connection,
    `SELECT ${plain('u', users.kind)}, ${plain('i', items.kind)}, c FROM entries ORDER BY u, i`,
  )
  const bySource = sources.map((_, s): [number, number] => {
    const at = rows[0]?.indexOf(s) ?? -1
    return at < 0 ? [0, 0] : [rows[1][at] as number, rows[2][at] as number]
  })
  return {
    userIds: await ids('u', 'active_users', users.kind),
    itemIds: await ids('i', 'active_items', items.kind),
    users: u as (number | string)[],
    items: i as (number | string)[],
    confidences: Float32Array.from(c as number[]),
    rows: bySource,
  }
}

/** Query for the rows of one file: source, ids, nanoseconds, confidence, and whether they count. */
async function signalsOf(
  connection: DuckDBConnection,
  { users, items }: Pick<Case, 'users' | 'items'>,
  source: SourceCase,
  file: FileCase,
  path: string,
  s: number,
): Promise<string> {
  const { user, item, confidence, time, partitions } = source
  const cased = (name: string) => identifier(file.writer.upperCase ? name.toUpperCase() : name)
  const idColumn = (name: string) => {
    const dot = name.indexOf('.')
    const isField = dot > 0 && file.writer.order % 2 === 0
    return isField ? `${cased(name.slice(0, dot))}.${cased(name.slice(dot + 1))}` : cased(name)
  }
  const from =
    partitions.length > 0
      ? `read_parquet('${path}/**/*.parquet', hive_partitioning = true, hive_types_autocast = false)`
      : `read_parquet('${path}', hive_partitioning = false)`
  const typeOf = async (column: string) =>
    (await columnsOf(connection, `SELECT typeof(${column}) FROM ${from} LIMIT 1`))[0][0] as string
  const id = async ({ kind }: Case['users'], type: FileCase['userType'], name: string) => {
    const column = idColumn(name)
    return readId(kind, type.name === 'UUID', await typeOf(column), column)
  }
  const value = async ({ name, type }: ValueColumn) => {
    const found = await typeOf(cased(name))
    const column =
      found === NULLS ? `NULL::${type}` : partitions.includes(name) ? `${cased(name)}::${type}` : cased(name)
    return [found === NULLS || partitions.includes(name) ? type : found, column] as const
  }
  const u = await id(users, file.userType, user)
  const i = await id(items, file.itemType, item)
  const t = time === undefined ? 'NULL::HUGEINT' : time.read(...(await value(time.column)))
  const c = confidence.read(confidence.column === undefined ? '' : (await value(confidence.column))[1])
  const conditions = ['c IS NOT NULL AND c > 0']
  for (const [column, { kind }] of [
    ['u', users],
    ['i', items],
  ] as const) {
    conditions.push(`${column} IS NOT NULL`)
    if (kind === 'integer') conditions.push(`${column} >= 0`)
  }
  let decayed = 'c'
  if (time !== undefined) {
    conditions.push('t IS NOT NULL')
    if (time.since) conditions.push(`t >= ${time.since.getTime()}::HUGEINT * 1000000`)
    if (time.until) conditions.push(`t < ${time.until.getTime()}::HUGEINT * 1000000`)
    if (time.halfLifeDays !== undefined) {
      const age = `greatest(0, ${(time.until ?? REFERENCE).getTime()}::DOUBLE - t::DOUBLE / 1e6)`
      decayed = `(c::DOUBLE * pow(2.0, -${age} / ${time.halfLifeDays * 86_400_000}))::FLOAT`
    }
  }
  return `SELECT s, u, i, t, d AS c, counts AND d > 0 AS counts FROM (
    SELECT *, ${decayed} AS d, coalesce(${conditions.join(' AND ')}, false) AS counts FROM (
      SELECT ${s} AS s, ${u} AS u, ${i} AS i, ${t} AS t, ${c} AS c FROM ${from}))`
}

function sqlType({ kind }: Case['users']): string {
  return kind === 'integer' ? 'HUGEINT' : 'VARCHAR'
}

/** Takes away users and items with too few entries until none is left that has. */
async function cutCore(connection: DuckDBConnection, { user, item }: Case['thresholds']): Promise<void> {
  for (;;) {
    const few = (column: string, least: number) =>
      `${column} IN (SELECT ${column} FROM entries GROUP BY ${column} HAVING count(*) < ${least})`
    const { rowsChanged } = await connection.run(`DELETE FROM entries WHERE ${few('u', user)} OR ${few('i', item)}`)
    if (rowsChanged === 0) return
  }
}

async function columnsOf(connection: DuckDBConnection, sql: string): Promise<unknown[][]> {
  return (await connection.runAndReadAll(sql)).getColumns()
}
