import { DuckDBInstance } from '@duckdb/node-api'

/** Streams the rows of a query: CSV, JSON lines, Parquet, Postgres, whatever DuckDB reads. */
export async function* duckdbRows(sql: string): AsyncGenerator<Record<string, unknown>> {
  const instance = await DuckDBInstance.create(':memory:')
  const connection = await instance.connect()
  try {
    const result = await connection.stream(sql)
    for await (const rows of result.yieldRowObjectJs()) yield* rows
  } finally {
    connection.closeSync()
    instance.closeSync()
  }
}

/** A text in SQL. */
export const quoted = (text: string): string => `'${text.replaceAll("'", "''")}'`
