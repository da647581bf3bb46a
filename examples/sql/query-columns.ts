import type { DuckDBConnection } from '@duckdb/node-api'
import type { ArrowRows, RowFields } from '@seesaw/als-core'
import { ConfigurationError } from '../configuration/read-configuration.ts'

/**
 * The rows of a query as `interactionsFrom` takes them: a stream of chunks of some thousand rows, by column, so that no
 * more than one of them is in memory.
 *
 * @throws ConfigurationError when the query has no columns "user" and "item"
 */
export async function queryColumns(
  connection: DuckDBConnection,
  query: string,
): Promise<{ rows: AsyncIterable<ArrowRows>; fields: RowFields }> {
  const result = await connection.stream(query)
  const names = result.deduplicatedColumnNames()
  for (const name of ['user', 'item']) {
    if (names.includes(name)) continue
    throw new ConfigurationError([`the query has the columns ${names.join(', ')}, and no "${name}": add AS "${name}"`])
  }
  const optional = (name: 'value' | 'time') => (names.includes(name) ? { [name]: name } : {})
  async function* rows(): AsyncGenerator<ArrowRows> {
    for await (const chunk of result) {
      yield { numRows: chunk.rowCount, getChild: (name) => chunk.getColumnValues(names.indexOf(name)).map(toPlain) }
    }
  }
  return { rows: rows(), fields: { user: 'user', item: 'item', ...optional('value'), ...optional('time') } }
}

/** Decimals and moments as numbers; the rest is a number, a bigint or a string already. */
function toPlain(value: unknown): unknown {
  if (typeof value !== 'object' || value === null) return value
  if ('toDouble' in value) return (value as { toDouble(): number }).toDouble()
  if ('micros' in value) return Number((value as { micros: bigint }).micros) / 1000
  if ('days' in value) return (value as { days: number }).days * 86_400_000
  return String(value)
}
