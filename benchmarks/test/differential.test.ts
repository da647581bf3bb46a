import { DuckDBInstance } from '@duckdb/node-api'
import { afterAll, expect, test } from 'vitest'
import { runSeed, waysOf } from '../differential/run-seed.ts'

const instance = await DuckDBInstance.create(':memory:', { threads: '1' })
afterAll(() => instance.closeSync())

// Random schemas, types, codecs, row groups, ids, nulls, duplicates, partitions, windows and thresholds. A seed that fails
// here fails alone with `npm run bench -- differential --seeds 1 --from SEED --every-way`; CI goes on to 200 with the benchmark.
const BLOCK = 10
test.each(Array.from({ length: 2 }, (_, block) => 1 + BLOCK * block))(
  'loads give what SQL gives: 10 seeds from %i on',
  async (first) => {
    const differences: string[] = []
    let next = first
    const lane = async () => {
      const connection = await instance.connect()
      while (next < first + BLOCK) {
        const seed = next++
        const { difference } = await runSeed(connection, seed, ['duckdb'], waysOf(seed, false).slice(0, 1))
        if (difference !== undefined) differences.push(`seed ${seed}: ${difference}`)
      }
      connection.closeSync()
    }
    await Promise.all([lane(), lane()])
    expect(differences).toEqual([])
  },
  600_000,
)
