import { mkdtempSync, rmSync, writeFileSync } from 'node:fs'
import { tmpdir } from 'node:os'
import { join } from 'node:path'
import { gzipSync } from 'node:zlib'
import { DuckDBInstance } from '@duckdb/node-api'
import { interactionsFrom, Recommender } from '@seesaw/als-core'
import { afterAll, expect, test } from 'vitest'
import { queryColumns } from '../sql/query-columns.ts'
import { Program } from './program.ts'

// Child processes on a busy machine take their time; no time is asserted here.
const folder = mkdtempSync(join(tmpdir(), 'from-sql-'))
afterAll(() => rmSync(folder, { recursive: true }))

// More than one chunk of 2,048 rows.
const ratings = Array.from({ length: 5000 }, (_, n) => ({
  customer: `c${(n * 37) % 211}`,
  film: (n * n + 3 * n) % 97,
  stars: 1 + (n % 5) / 2,
  at: new Date(1_700_000_000_000 + n * 1000).toISOString(),
}))
const csv = join(folder, 'ratings.csv.gz')
writeFileSync(csv, gzipSync(['customer,film,stars,at', ...ratings.map((row) => Object.values(row).join())].join('\n')))
const lines = join(folder, 'ratings.jsonl')
writeFileSync(lines, ratings.map((row) => JSON.stringify(row)).join('\n'))
const database = join(folder, 'shop.db')

test('CSV, JSON lines and a database give what the rows themselves give', async () => {
  const instance = await DuckDBInstance.create(database)
  const connection = await instance.connect()
  await connection.run(`CREATE TABLE ratings AS SELECT * FROM '${csv}'`)
  const expected = await interactionsFrom(
    ratings.map((row) => ({ ...row, at: new Date(row.at) })),
    { user: 'customer', item: 'film', value: 'stars', time: 'at', duplicates: 'last' },
  )
  for (const from of [`'${csv}'`, `'${lines}'`, 'ratings']) {
    const { rows, fields } = await queryColumns(
      connection,
      `SELECT customer AS "user", film AS item, stars::DECIMAL(4, 1) AS value, "at"::TIMESTAMP AS time FROM ${from}`,
    )
    const found = await interactionsFrom(rows, { ...fields, duplicates: 'last' })
    expect(found, from).toEqual(expected)
  }
  const without = await queryColumns(connection, 'SELECT customer AS "user", film AS item FROM ratings')
  expect(without.fields).toEqual({ user: 'user', item: 'item' })
  connection.closeSync()
  instance.closeSync()
})

test('node examples/train-from-sql.ts: from a file to an answer', async () => {
  const out = join(folder, 'model')
  const query = `SELECT customer AS user, film AS item, max(stars) AS value FROM '${lines}' GROUP BY ALL`
  const program = new Program('train-from-sql.ts', {}, ['--out', out, '--factors', '8', query])
  expect(await program.end(), program.stderr).toEqual({ code: 0, signal: null })
  expect(program.stdout).toMatch(/: 211 users × \d+ items/)
  await using recommender = await Recommender.open(out, { threads: 1 })
  const had = new Set(ratings.filter(({ customer }) => customer === 'c5').map(({ film }) => film))
  const { ids } = await recommender.recommend('c5', { limit: 5 })
  expect(ids).toHaveLength(5)
  for (const id of ids) expect(had.has(id as number)).toBe(false)
})

test('what is missing is named', async () => {
  const nothing = new Program('train-from-sql.ts', {})
  expect([(await nothing.end()).code, nothing.stderr]).toEqual([2, expect.stringContaining('no query: give one')])
  const columns = new Program('train-from-sql.ts', {}, [`SELECT customer AS user, film FROM '${csv}'`])
  expect((await columns.end()).code).toBe(2)
  expect(columns.stderr).toContain('the query has the columns user, film, and no "item": add AS "item"')
})
