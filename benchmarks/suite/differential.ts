/**
 * `npm run bench -- differential [--seeds 200] [--from 1]`: random files loaded by the loader, on one thread and on three, in
 * memory and through temporary files, beside the same question to DuckDB in SQL: users, items, entries and confidences.
 */
import { parseArgs } from 'node:util'
import { DuckDBInstance } from '@duckdb/node-api'
import { runSeed, WAYS } from '../differential/run-seed.ts'

export async function main(args: string[]): Promise<Record<string, unknown>> {
  const { values } = parseArgs({
    args,
    options: { seeds: { type: 'string', default: '200' }, from: { type: 'string', default: '1' } },
  })
  const seeds = Number(values.seeds)
  const from = Number(values.from)
  const instance = await DuckDBInstance.create(':memory:', { threads: '1' })
  const connection = await instance.connect()
  let different = 0
  for (let seed = from; seed < from + seeds; seed++) {
    let difference: string | undefined
    try {
      difference = await runSeed(connection, seed, ['duckdb'], WAYS)
    } catch (error) {
      difference = `the files could not be written or read: ${error}`
    }
    if (difference === undefined) continue
    different++
    console.error(`seed ${seed}: ${difference}`)
  }
  return { seeds, different }
}
