/**
 * Child process: the same job in SQL, in one process with two threads. The result stays a table inside DuckDB, sorted as
 * a CSR is; there is no transpose and nothing is copied out, both in its favour. Prints one line of JSON.
 */
import { DuckDBInstance } from '@duckdb/node-api'
import { cpuSeconds, peakRssMb } from '../process-cost.ts'

const { haves, wants, ratings } = JSON.parse(process.argv[2]) as Record<'haves' | 'wants' | 'ratings', string>
const begun = performance.now()
const instance = await DuckDBInstance.create(':memory:', { threads: '2', preserve_insertion_order: 'false' })
const connection = await instance.connect()
const signals = `(
  SELECT user_id, release_id, 3.0::FLOAT AS confidence FROM '${haves}/*.parquet' UNION ALL
  SELECT user_id, release_id, 1.5::FLOAT FROM '${wants}/*.parquet' UNION ALL
  SELECT user_id, release_id, CASE rating WHEN 5 THEN 5.0 WHEN 4 THEN 4.0 ELSE 2.0 END::FLOAT
  FROM '${ratings}/*.parquet' WHERE rating >= 3)`
const active = (column: string, least: number) =>
  `SELECT ${column} AS id, (row_number() OVER (ORDER BY ${column}) - 1)::INTEGER AS row
   FROM ${signals} GROUP BY ${column} HAVING count(*) >= ${least}`
await connection.run(`CREATE TEMP TABLE users AS ${active('user_id', 20)}`)
await connection.run(`CREATE TEMP TABLE items AS ${active('release_id', 50)}`)
await connection.run(`CREATE TEMP TABLE matrix AS
  SELECT users.row AS user, items.row AS item, max(confidence) AS confidence
  FROM ${signals} AS signals JOIN users ON signals.user_id = users.id JOIN items ON signals.release_id = items.id
  GROUP BY ALL ORDER BY users.row, items.row`)
const seconds = (performance.now() - begun) / 1000
const cpu = cpuSeconds()

const checked = await connection.runAndReadAll(`SELECT (SELECT count(*) FROM users) AS users,
  (SELECT count(*) FROM items) AS items, count(*) AS entries, sum(confidence::DOUBLE) AS confidence FROM matrix`)
const [users, items, entries, confidence] = checked.getRows()[0].map(Number)
console.log(JSON.stringify({ seconds, cpuSeconds: cpu, users, items, entries, confidence, peakRssMb: peakRssMb() }))
