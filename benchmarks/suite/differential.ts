/**
 * `npm run bench -- differential [--seeds 200] [--from 1] [--every-way] [--lanes 2] [--peers]`: random files, loaded by the loader and
 * asked the same question in SQL: users, items, entries and confidences are compared. Each seed is loaded in one of four
 * ways (one thread or three, in memory or through temporary files), every eighth in all four, with `--every-way` each. With
 * `--peers` two files in three are written by pyarrow or polars instead of DuckDB.
 */
import { parseArgs } from 'node:util'
import { DuckDBInstance } from '@duckdb/node-api'
import { startWriter } from '../differential/peer-writer.ts'
import { runSeed, type SeedResult, waysOf } from '../differential/run-seed.ts'

export async function main(args: string[]): Promise<Record<string, unknown>> {
  const { values } = parseArgs({
    args,
    options: {
      seeds: { type: 'string', default: '200' },
      from: { type: 'string', default: '1' },
      'every-way': { type: 'boolean', default: false },
      peers: { type: 'boolean', default: false },
      lanes: { type: 'string', default: '2' },
    },
  })
  const seeds = Number(values.seeds)
  const from = Number(values.from)
  const instance = await DuckDBInstance.create(':memory:', { threads: '1' })
  const programs = values.peers ? (['duckdb', 'pyarrow', 'polars'] as const) : (['duckdb'] as const)
  let different = 0
  let refused = 0
  let loads = 0
  let next = from
  const lane = async () => {
    const connection = await instance.connect()
    const peer = values.peers ? await startWriter() : undefined
    while (next < from + seeds) {
      const seed = next++
      const ways = waysOf(seed, values['every-way'])
      loads += ways.length
      const { difference, refused: due } = await runSeed(connection, seed, programs, ways, peer?.write).catch(
        (error): SeedResult => ({ difference: `not asked: ${error}`, refused: false }),
      )
      if (due) refused++
      if (difference !== undefined) {
        different++
        console.error(`seed ${seed}: ${difference}`)
      }
      if ((seed - from + 1) % 100 === 0) console.error(`${seed - from + 1} seeds, ${different} different`)
    }
    connection.closeSync()
    await peer?.close()
  }
  await Promise.all(Array.from({ length: Number(values.lanes) }, lane))
  if (different > 0) process.exitCode = 1
  return { seeds, different, refused, loads }
}
