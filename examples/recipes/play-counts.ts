/**
 * Listening counts, which run from 1 to hundreds of thousands: weighted by their logarithm, halved with age where the file
 * says when.
 *
 *     node examples/recipes/play-counts.ts plays.csv
 *
 * Any file that DuckDB reads, with the columns user, item, plays and, for the decay, played_at.
 */
import { evaluate, interactionsFrom, mostPopular, splitRandomly, train } from '@seesaw/als-core'
import { duckdbRows, quoted } from './duckdb-rows.ts'

/** Days in which a play loses half of its weight. */
const halfLife = 180

const [file] = process.argv.slice(2)
if (file === undefined) {
  console.error('Name a file with the columns user, item and plays: node examples/recipes/play-counts.ts plays.csv')
  process.exit(2)
}
const table = /\.(parquet|pq)$/.test(file) ? quoted(file) : `read_csv(${quoted(file)})`
const columns = new Set<unknown>()
for await (const { column_name } of duckdbRows(`DESCRIBE SELECT * FROM ${table}`)) columns.add(column_name)
const age = `date_diff('day', played_at, max(played_at) OVER ())`
const decay = columns.has('played_at') ? `* pow(0.5, ${age} / ${halfLife}.0)` : ''

// Ten thousand plays are more than ten, but not a thousand times as much.
const plays = duckdbRows(`SELECT "user", item, ln(1 + plays) ${decay} AS weight FROM ${table} WHERE plays > 0`)
const { matrix } = await interactionsFrom(plays, { user: 'user', item: 'item', value: 'weight', duplicates: 'sum' })
console.log(
  `${matrix.entries} counts of ${matrix.users} users for ${matrix.items} items${decay && ', halved with age'}`,
)

// A fifth is kept aside, to see whether the model finds it.
const { train: known, test } = splitRandomly(matrix, 0.2, { seed: 1 })
const model = await train(known, {
  factors: 64,
  objective: 'ials',
  regularization: 0.01,
  regularizationScaling: { nu: 1 },
})
for (const [name, source] of [
  ['the model', model],
  ['most popular', mostPopular(known)],
] as const) {
  const { at } = await evaluate(source, { train: known, test, k: [20] })
  console.log(`Recall@20 of ${name}: ${at[20].recall.toFixed(4)}`)
}
