import { mkdirSync, mkdtempSync, rmSync, writeFileSync } from 'node:fs'
import { tmpdir } from 'node:os'
import { dirname, join } from 'node:path'
import type { ColumnSource } from 'hyparquet-writer'
import { parquetWriteBuffer } from 'hyparquet-writer'
import { afterAll } from 'vitest'

/** A folder that is gone after the tests of the file. */
export function temporaryFolder(): string {
  const folder = mkdtempSync(join(tmpdir(), 'loader-test-'))
  afterAll(() => rmSync(folder, { recursive: true, force: true }))
  return folder
}

export interface WriteOptions {
  rowGroupSize?: number
  codec?: 'SNAPPY' | 'UNCOMPRESSED'
  statistics?: boolean
}

export function parquetBytes(
  columns: ColumnSource[],
  { rowGroupSize = 1000, codec, statistics }: WriteOptions = {},
): Buffer {
  return Buffer.from(parquetWriteBuffer({ columnData: columns, rowGroupSize, codec, statistics }))
}

export function writeParquet(path: string, columns: ColumnSource[], options?: WriteOptions): string {
  mkdirSync(dirname(path), { recursive: true })
  writeFileSync(path, parquetBytes(columns, options))
  return path
}

export interface Signal {
  user: number
  item: number
  rating?: number
  time?: number
}

/** Seeded signals in which low ids are more active, with some pairs more than once. */
export function signals(count: number, users: number, items: number, seed: number): Signal[] {
  let state = seed
  const random = () => {
    state = (Math.imul(state, 1664525) + 1013904223) >>> 0
    return state / 2 ** 32
  }
  return Array.from({ length: count }, () => ({
    user: Math.floor(users * random() ** 1.5),
    item: Math.floor(items * random() ** 2),
    rating: 1 + Math.floor(5 * random()),
    time: 1_600_000_000_000 + Math.floor(random() * 1e11),
  }))
}

export function int32(name: string, values: number[]): ColumnSource {
  return { name, data: Int32Array.from(values), type: 'INT32' }
}

export function pairColumns(rows: Signal[]): ColumnSource[] {
  return [
    int32(
      'user_id',
      rows.map((row) => row.user),
    ),
    int32(
      'release_id',
      rows.map((row) => row.item),
    ),
  ]
}

export function ratingColumns(rows: Signal[]): ColumnSource[] {
  return [
    ...pairColumns(rows),
    int32(
      'rating',
      rows.map((row) => row.rating ?? 0),
    ),
  ]
}
