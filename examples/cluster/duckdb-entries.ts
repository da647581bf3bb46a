import { mkdir, rm } from 'node:fs/promises'
import { DuckDBInstance } from '@duckdb/node-api'

/** Where the record shop's rows are; what is absent has none. */
export interface ShopSources {
  readonly haves?: string
  readonly wants?: string
  readonly ratings?: string
}

/** Rows of a source as (user, item, value); `files` is a quoted glob. */
const rowsOf: Readonly<Record<keyof ShopSources, (files: string) => string>> = {
  haves: (files) => `SELECT user_id AS "user", release_id AS item, 3.0 AS value FROM read_parquet(${files})`,
  wants: (files) => `SELECT user_id, release_id, 1.5 FROM read_parquet(${files})`,
  ratings: (files) =>
    `SELECT user_id, release_id, CASE rating WHEN 5 THEN 5.0 WHEN 4 THEN 4.0 WHEN 3 THEN 2.0 END FROM read_parquet(${files})`,
}

/**
 * The loader's passes as one statement: rows that count, users and items with enough of them, the largest confidence of
 * each pair, as Parquet with the columns user, item, value.
 */
export function entriesStatement(
  sources: ShopSources,
  thresholds: { readonly user: number; readonly item: number },
  directory: string,
): string {
  const rows = Object.entries(sources).flatMap(([name, folder]) =>
    folder === undefined
      ? []
      : [rowsOf[name as keyof ShopSources](quoted(`${folder.replace(/\/$/, '')}/**/*.parquet`))],
  )
  return `
    COPY (
      WITH counted AS (
        SELECT * FROM (${rows.join('\n          UNION ALL ')})
        WHERE "user" >= 0 AND item >= 0 AND value IS NOT NULL
      ),
      users AS (SELECT "user" FROM counted GROUP BY "user" HAVING count(*) >= ${thresholds.user}),
      items AS (SELECT item FROM counted GROUP BY item HAVING count(*) >= ${thresholds.item})
      SELECT "user", item, max(value)::FLOAT AS value
      FROM counted SEMI JOIN users USING ("user") SEMI JOIN items USING (item)
      GROUP BY "user", item
    ) TO ${quoted(directory)} (FORMAT parquet, PER_THREAD_OUTPUT true, OVERWRITE true)`
}

/** Runs it. */
export async function mergeWithDuckdb(
  sources: ShopSources,
  thresholds: { readonly user: number; readonly item: number },
  directory: string,
  threads: number,
): Promise<void> {
  await rm(directory, { recursive: true, force: true })
  await mkdir(directory, { recursive: true })
  const instance = await DuckDBInstance.create(':memory:', { threads: String(threads) })
  const connection = await instance.connect()
  try {
    await connection.run(entriesStatement(sources, thresholds, directory))
  } finally {
    connection.closeSync()
    instance.closeSync()
  }
}

function quoted(text: string): string {
  return `'${text.replaceAll("'", "''")}'`
}
