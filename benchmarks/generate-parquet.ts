/** Seeded haves, wants and ratings as Parquet, written by DuckDB: 20 million rows in about 5 s. */
import { existsSync, mkdirSync, renameSync, rmSync } from 'node:fs'
import { fileURLToPath } from 'node:url'
import { DuckDBInstance } from '@duckdb/node-api'

export interface ParquetFiles {
  readonly rows: number
  readonly haves: string
  readonly wants: string
  readonly ratings: string
}

const SIZES: Readonly<Record<string, { rows: number; users: number; items: number; files: number }>> = {
  '1M': { rows: 1e6, users: 15e3, items: 8e3, files: 2 },
  '20M': { rows: 20e6, users: 300e3, items: 150e3, files: 4 },
  '100M': { rows: 100e6, users: 1.2e6, items: 600e3, files: 8 },
  '1B': { rows: 1e9, users: 3e6, items: 2e6, files: 32 },
}

/**
 * Writes the files of a size once, to benchmarks/.cache. Rows come in random order, the worst case for counting and
 * scattering; user activity follows 1/(rank + c), items by u^2.5 of a uniform number u, half of the ratings
 * are of pairs that the haves hold too, and 16 % of the ratings are below 3.
 */
export async function generateParquet(size: string, seed = 1): Promise<ParquetFiles> {
  const shape = SIZES[size]
  if (shape === undefined) throw new Error(`--size ${size}: expected one of ${Object.keys(SIZES).join(', ')}.`)
  const folder = fileURLToPath(new URL(`./.cache/parquet-${size}-${seed}/`, import.meta.url))
  const files = { rows: shape.rows, haves: `${folder}haves`, wants: `${folder}wants`, ratings: `${folder}ratings` }
  if (existsSync(folder)) return files
  const unfinished = `${folder.slice(0, -1)}.part/`
  rmSync(unfinished, { recursive: true, force: true })
  const instance = await DuckDBInstance.create(':memory:', { threads: '2' })
  const connection = await instance.connect()
  const shares = { haves: 0.6, wants: 0.25, ratings: 0.15 }
  for (const [source, share] of Object.entries(shares)) {
    mkdirSync(unfinished + source, { recursive: true })
    const rows = Math.round(shape.rows * share)
    for (let file = 0; file < shape.files; file++) {
      const from = Math.round((rows * file) / shape.files)
      const to = Math.round((rows * (file + 1)) / shape.files)
      const salt = source === 'wants' ? seed + 1000 : seed
      // Odd ratings are of their own pairs, even ones of the haves' at the same place.
      const own = source === 'ratings' ? `CASE WHEN i % 2 = 0 THEN ${salt} ELSE ${salt + 2000} END` : `${salt}`
      const uniform = (purpose: number) => `((hash(i * 16 + ${purpose}, ${own}) >> 11) / 9007199254740992.0)`
      const rating = source === 'ratings' ? `, (1 + floor(5 * sqrt(${uniform(3)})))::INTEGER AS rating` : ''
      await connection.run(
        `COPY (SELECT 1 + floor(${shape.users} * (exp(3 * ${uniform(1)}) - 1) / (exp(3) - 1))::INTEGER AS user_id,
           1 + floor(${shape.items} * pow(${uniform(2)}, 2.5))::INTEGER AS release_id${rating}
         FROM range(${from}, ${to}) AS t(i))
         TO '${unfinished}${source}/part-${String(file).padStart(3, '0')}.parquet'
         (FORMAT parquet, COMPRESSION snappy, ROW_GROUP_SIZE 491520)`,
      )
    }
  }
  connection.closeSync()
  instance.closeSync()
  renameSync(unfinished, folder)
  return files
}
