import { join } from 'node:path'
import { DuckDBInstance } from '@duckdb/node-api'
import { expect, test } from 'vitest'
import { loadInteractions } from '../src/index.ts'
import { int32, temporaryFolder, writeParquet } from './parquet-files.ts'

const folder = temporaryFolder()

/** Ids that are counted in an array over their range, and in hash tables of numbers and of strings. */
const kinds = {
  'numbers close together': (ids: number[]) => int32('user_id', ids),
  'numbers far apart': (ids: number[]) => ({
    name: 'user_id',
    data: ids.map((id) => BigInt(id) * 104_729_000_003n),
    type: 'INT64' as const,
  }),
  strings: (ids: number[]) => ({ name: 'user_id', data: ids.map((id) => `user-${id}`), type: 'STRING' as const }),
}

test.each(Object.keys(kinds) as (keyof typeof kinds)[])('ids by their rows are those of DuckDB: %s', async (kind) => {
  // Skewed: a few users have most rows, many have one.
  const users = Array.from({ length: 40_000 }, (_, n) => Math.floor(3000 * (((n * 7919) % 9973) / 9973) ** 3))
  const items = users.map((_, n) => (n * 48_271) % 613)
  const uri = writeParquet(
    join(folder, `${kind.replaceAll(' ', '-')}.parquet`),
    [kinds[kind](users), int32('item_id', items)],
    { rowGroupSize: 7000 },
  )
  const connection = await (await DuckDBInstance.create()).connect()
  const octaves = async (column: string) => {
    const reader = await connection.runAndReadAll(
      `SELECT length(bin(n)) - 1 AS octave, count(*)::INTEGER AS ids
       FROM (SELECT count(*) AS n FROM '${uri}' GROUP BY ${column}) GROUP BY octave ORDER BY octave`,
    )
    const counts: number[] = []
    for (const [octave, ids] of reader.getRows()) counts[Number(octave)] = Number(ids)
    return Array.from(counts, (count) => count ?? 0)
  }
  for (const thresholds of [
    { user: 1, item: 1 },
    { user: 9, item: 66 },
  ]) {
    const { stats } = await loadInteractions({ sources: [{ name: 'haves', uri }], thresholds, threads: 2 })
    const { activity } = stats.users
    expect(activity).toEqual(await octaves('user_id'))
    expect(stats.items.activity).toEqual(await octaves('item_id'))
    expect(activity.length).toBeGreaterThan(3)
    expect(activity.reduce((sum, ids) => sum + ids, 0)).toBe(stats.users.seen)
  }
  connection.closeSync()
})
