/**
 * From anything that DuckDB reads to a model that serves: CSV and JSON lines, packed or not, Parquet, SQLite, PostgreSQL and
 * MySQL (ATTACH). The query names its columns "user", "item" and, where there are some, "value" and "time".
 *
 *     node examples/train-from-sql.ts --out model --factors 64 \
 *       "SELECT user_id AS user, film_id AS item, rating - 2.5 AS value FROM 'ratings.csv.gz' WHERE rating > 2.5"
 */
import { parseArgs } from 'node:util'
import { DuckDBInstance } from '@duckdb/node-api'
import { interactionsFrom, saveModel, train } from '@seesaw/als-core'
import { ConfigurationError } from './configuration/read-configuration.ts'
import { interruptible } from './pipeline/interruption.ts'
import { queryColumns } from './sql/query-columns.ts'

await interruptible(async (signal) => {
  const { values, positionals } = parseArgs({
    allowPositionals: true,
    options: {
      out: { type: 'string', default: './model' },
      factors: { type: 'string', default: '64' },
      database: { type: 'string', default: ':memory:' },
    },
  })
  const [query] = positionals
  if (query === undefined) throw new ConfigurationError(['no query: give one as the last argument, in quotes'])

  const instance = await DuckDBInstance.create(values.database)
  const connection = await instance.connect()
  const { rows, fields } = await queryColumns(connection, query)
  const { matrix, userIds, itemIds, interactionCounts, stats } = await interactionsFrom(rows, fields)
  connection.closeSync()
  console.log(`${stats.rows} rows: ${matrix.users} users × ${matrix.items} items, ${matrix.entries} entries`)

  const factors = Number(values.factors)
  const model = await train(matrix, { factors, userIds, itemIds, interactionCounts, signal })
  await saveModel(model, values.out, { interactions: matrix })
  console.log(`The model is in ${values.out}. OUTPUT_DIR=${values.out} npm run serve`)
})
