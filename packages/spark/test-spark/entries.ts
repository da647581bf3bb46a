import { readdirSync } from 'node:fs'
import { join } from 'node:path'
import type { LoadedInteractions } from '@seesaw/loader'
import { asyncBufferFromFile, parquetReadObjects } from 'hyparquet'

/** All rows of a folder of Parquet, read by a reader that is neither Spark's nor the loader's. */
export async function readParquet<T>(folder: string): Promise<T[]> {
  const rows: T[] = []
  for (const name of readdirSync(folder).sort()) {
    if (!name.endsWith('.parquet')) continue
    const file = await asyncBufferFromFile(join(folder, name))
    for (const row of await parquetReadObjects({ file })) rows.push(row as T)
  }
  return rows
}

interface MergedEntry {
  user: bigint | string
  item: bigint | string
  user_row: number
  item_row: number
  value: number
}

/** Spark's merged entries as lines "user item row row value", by row. */
export async function linesOfSpark(directory: string): Promise<string[]> {
  const entries = await readParquet<MergedEntry>(join(directory, 'entries'))
  entries.sort((a, b) => a.user_row - b.user_row || a.item_row - b.item_row)
  return entries.map(({ user, item, user_row, item_row, value }) => `${user} ${item} ${user_row} ${item_row} ${value}`)
}

/** The loader's, the same way. */
export function linesOfLoader({ matrix, userIds, itemIds }: LoadedInteractions): string[] {
  const { csr, codebook } = matrix
  const lines: string[] = []
  for (let user = 0; user < matrix.users; user++) {
    for (let e = csr.indptr[user]; e < csr.indptr[user + 1]; e++) {
      const item = csr.indices[e]
      const value = codebook ? codebook[csr.values[e]] : csr.values[e]
      lines.push(`${userIds.at(user)} ${itemIds.at(item)} ${user} ${item} ${value}`)
    }
  }
  return lines
}
