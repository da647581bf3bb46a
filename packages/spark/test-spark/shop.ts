import { mkdirSync, writeFileSync } from 'node:fs'
import { dirname, join } from 'node:path'
import { type ColumnSource, parquetWriteBuffer } from 'hyparquet-writer'
import type { SparkSource } from '../src/index.ts'

type Id = number | bigint | string | null
type Row = { user: Id; item: Id; rating: number; plays: number }

export interface Shop {
  /** Ids of the n-th user and item. */
  readonly user: (n: number) => number | bigint | string
  readonly item: (n: number) => number | bigint | string
}

/** Haves, wants and ratings as both are told of them. */
export function shopSources(place: (name: string) => string): SparkSource[] {
  return [
    { name: 'haves', confidence: 3 },
    { name: 'wants', confidence: 1.5 },
    { name: 'ratings', confidence: { column: 'rating', values: { 5: 5, 4: 4, 3: 2 } } },
  ].map((source) => ({ ...source, uri: place(source.name), item: 'release_id' }))
}

/**
 * Haves in two files, one of them in a folder below, wants, ratings and plays: seeded, low numbers more active, pairs more
 * than once, some ids null and, of integers, negative.
 */
export function writeShop(folder: string, { user, item }: Shop, seed: number): void {
  const random = randomNumbers(seed)
  const rows = (count: number): Row[] =>
    Array.from({ length: count }, () => ({
      user: user(Math.floor(400 * random() ** 1.5)),
      item: item(Math.floor(150 * random() ** 2)),
      rating: 1 + Math.floor(5 * random()),
      plays: random() < 0.1 ? 0 : Math.round(40 * random()) / 4,
    }))
  const haves = rows(6000)
  const negative = typeof user(0) === 'string' ? null : typeof user(0) === 'bigint' ? -7n : -7
  for (let i = 0; i < 60; i++) haves[i * 90][i % 2 ? 'user' : 'item'] = i % 3 ? null : negative
  write(join(folder, 'haves', 'part-0.parquet'), haves.slice(0, 2500))
  write(join(folder, 'haves', 'later [1]', 'part-1.PARQ'), haves.slice(2500))
  // Neither is data: the second would not even be read.
  write(join(folder, 'haves', '_old', 'part-2.parquet'), rows(500))
  writeFileSync(join(folder, 'haves', 'README.txt'), 'Haves by day.')
  write(join(folder, 'wants', 'part-0.parquet'), rows(2500))
  write(join(folder, 'ratings', 'part-0.parquet'), rows(2000), 'rating')
  write(join(folder, 'plays', 'part-0.parquet'), rows(1500), 'plays')
}

/** What Spark counts of the ids of one side: not how many have how many rows, which the loader adds. */
export const counted = ({ seen, active }: { seen: number; active: number }): { seen: number; active: number } => ({
  seen,
  active,
})

/** Numbers from 0 to 1 out of a seed. */
export function randomNumbers(seed: number): () => number {
  let state = seed
  return () => {
    state = (Math.imul(state, 1664525) + 1013904223) >>> 0
    return state / 2 ** 32
  }
}

function write(path: string, rows: Row[], value?: 'rating' | 'plays'): void {
  const users = rows.map(({ user }) => user)
  const items = rows.map(({ item }) => item)
  const columns: ColumnSource[] = [idColumn('user_id', users), idColumn('release_id', items)]
  if (value === 'rating') columns.push({ name: 'rating', data: rows.map(({ rating }) => rating), type: 'INT32' })
  if (value === 'plays') columns.push({ name: 'plays', data: rows.map(({ plays }) => plays), type: 'DOUBLE' })
  mkdirSync(dirname(path), { recursive: true })
  writeFileSync(path, Buffer.from(parquetWriteBuffer({ columnData: columns, rowGroupSize: 1000 })))
}

function idColumn(name: string, data: Id[]): ColumnSource {
  const sample = data.find((id) => id !== null)
  const type = typeof sample === 'string' ? 'STRING' : typeof sample === 'bigint' ? 'INT64' : 'INT32'
  return { name, data, type, nullable: true }
}
