/** A record shop to train on, with tastes to learn and a part held out, written by DuckDB: 20 million rows in about 15 s. */
import { existsSync, mkdirSync, renameSync, rmSync } from 'node:fs'
import { fileURLToPath } from 'node:url'
import { type DuckDBConnection, DuckDBInstance } from '@duckdb/node-api'

/** Folders of Parquet files. */
export interface Shop {
  readonly haves: string
  readonly wants: string
  readonly ratings: string
  readonly releases: string
  /** Further haves of one user in twenty: what the models are asked for. */
  readonly heldOut: string
}

interface Shape {
  readonly rows: number
  readonly users: number
  readonly items: number
  /** Of each source. */
  readonly files: number
}

const SHAPES: Readonly<Record<string, Shape>> = {
  '200k': { rows: 2e5, users: 3e3, items: 1.5e3, files: 1 },
  '2M': { rows: 2e6, users: 30e3, items: 15e3, files: 2 },
  '20M': { rows: 20e6, users: 300e3, items: 150e3, files: 4 },
  '100M': { rows: 100e6, users: 1.2e6, items: 600e3, files: 8 },
  '1B': { rows: 1e9, users: 3e6, items: 2e6, files: 32 },
}
const SOURCES = { haves: 0.6, wants: 0.25, ratings: 0.15 } as const
const STYLES = 100

/**
 * Writes the files of a size once, to benchmarks/.cache. Rows come in random order; user activity follows 1/(rank + c).
 * Every release is of one of 100 styles, within which its popularity falls as that of u^2.5 of a uniform number u; a user
 * draws half of the rows from one style, 21 % from another, 14 % from a third and 15 % from all. Half of the ratings are
 * of pairs that the haves hold too, and 16 % of the ratings are below 3.
 */
export async function generateShop(size: string, seed = 1): Promise<Shop> {
  const shape = SHAPES[size]
  if (shape === undefined) throw new Error(`--size ${size}: expected one of ${Object.keys(SHAPES).join(', ')}.`)
  const folder = fileURLToPath(new URL(`../.cache/shop-${size}-${seed}/`, import.meta.url))
  const place = (name: string) => `${folder}${name}`
  const shop = {
    ...{ haves: place('haves'), wants: place('wants'), ratings: place('ratings') },
    ...{ releases: place('releases'), heldOut: place('held-out') },
  }
  if (existsSync(folder)) return shop
  const unfinished = `${folder.slice(0, -1)}.part/`
  rmSync(unfinished, { recursive: true, force: true })
  for (const path of Object.values(shop)) mkdirSync(path.replace(folder, unfinished), { recursive: true })
  const instance = await DuckDBInstance.create(':memory:', { threads: '2' })
  const connection = await instance.connect()
  for (const [source, share] of Object.entries(SOURCES)) {
    const rows = Math.round(shape.rows * share)
    for (let file = 0; file < shape.files; file++) {
      const [from, to] = [file, file + 1].map((part) => Math.round((rows * part) / shape.files))
      // Odd ratings are of their own pairs, even ones of the haves' at the same place.
      const ratings = `CASE WHEN i % 2 = 0 THEN ${seed} ELSE ${seed + 2000} END`
      const salt = { haves: `${seed}`, wants: `${seed + 1000}`, ratings }[source as keyof typeof SOURCES]
      const rating = source === 'ratings' ? `, (1 + floor(5 * sqrt(${uniform(6, salt)})))::INTEGER AS rating` : ''
      const rows_ = `SELECT user_id, release_id${rating} FROM (${pairs(shape, salt, from, to)})`
      await write(connection, rows_, `${unfinished}${source}/part-${String(file).padStart(3, '0')}.parquet`)
    }
  }
  const haves = Math.round(shape.rows * SOURCES.haves)
  const further = `SELECT DISTINCT user_id, release_id FROM (${pairs(shape, `${seed}`, haves, 1.2 * haves)}) WHERE user_id % 20 = 0`
  await write(connection, further, `${unfinished}held-out/part-000.parquet`)
  await write(connection, releases(shape, seed), `${unfinished}releases/part-000.parquet`)
  connection.closeSync()
  instance.closeSync()
  renameSync(unfinished, folder)
  return shop
}

/** A number in [0, 1) that row i, the purpose and the salt decide. */
function uniform(purpose: number, salt: string): string {
  return `((hash(i * 16 + ${purpose}, ${salt}) >> 11) / 9007199254740992.0)`
}

/** Rows [from, to) of who and what, and their number i. */
function pairs({ users, items }: Shape, salt: string, from: number, to: number): string {
  const inStyle = Math.ceil(items / STYLES)
  return `SELECT i, user_id, CASE
      WHEN turn >= 0.85 THEN 1 + floor(${items} * pow(popular, 2.5))::INTEGER
      ELSE 1 + least(${items - 1}, floor(${inStyle} * pow(popular, 2.5))::INTEGER * ${STYLES}
        + (hash(user_id * 4 + (turn >= 0.5)::INTEGER + (turn >= 0.71)::INTEGER) % ${STYLES})::INTEGER)
    END AS release_id
    FROM (SELECT i, 1 + floor(${users} * (exp(3 * ${uniform(1, salt)}) - 1) / (exp(3) - 1))::INTEGER AS user_id,
      ${uniform(2, salt)} AS popular, ${uniform(3, salt)} AS turn FROM range(${from}, ${to}) AS t(i))`
}

/** The catalogue: about 300 bytes a release as JSON. */
function releases({ items }: Shape, seed: number): string {
  const pick = (purpose: number, count: number) => `floor(${count} * pow(${uniform(purpose, `${seed}`)}, 2))::INTEGER`
  return `SELECT (i + 1)::INTEGER AS release_id, 'Release ' || (i + 1) || ' of a longer title' AS title,
    (2025 - ${pick(7, 75)})::INTEGER AS year, 'Country ' || ${pick(8, 60)} AS country,
    ['Artist ' || ${pick(9, 200_000)}, 'Artist ' || ${pick(10, 200_000)}] AS artists,
    ['Label ' || ${pick(11, 50_000)}] AS labels, ['Genre ' || (i % ${STYLES} % 15)] AS genres,
    ['Style ' || (i % ${STYLES})] AS styles
    FROM range(0, ${items}) AS t(i)`
}

async function write(connection: DuckDBConnection, rows: string, path: string): Promise<void> {
  await connection.run(`COPY (${rows}) TO '${path}' (FORMAT parquet, COMPRESSION snappy, ROW_GROUP_SIZE 491520)`)
}
