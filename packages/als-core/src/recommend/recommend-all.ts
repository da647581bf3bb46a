import { rename, rm } from 'node:fs/promises'
import { fileWriter, ParquetWriter } from 'hyparquet-writer'
import { positiveInteger } from '../checks/values.ts'
import type { IdColumn } from '../matrix/interaction-matrix.ts'
import type { RecommendOptions } from './options.ts'
import type { RecommendationBatch } from './recommendations.ts'

export interface RecommendAllOptions extends RecommendOptions {
  /** Only these users (rows). Default: all. */
  users?: ArrayLike<number>
  /** Users whose lists are in memory at a time; a row group of the file. Default 16,384. */
  blockUsers?: number
  /** Called after each block. */
  onProgress?: (progress: { users: number; done: number; rows: number }) => void
}

/** What `recommendAll` has written. */
export interface RecommendAllResult {
  users: number
  /** Rows of the file: one per recommendation. */
  rows: number
}

/**
 * Writes the lists of all users to a Parquet file: user (original id), rank (from 1), item (original id), score. Ids are
 * int64 where they are numbers, strings where they are not; users without ids have their row numbers. Memory is that of a
 * block and of what the garbage collector has not yet taken of those before: with blocks of 4,096 users and lists of 50 it
 * grew by 250 MB for 200,000 users and by 260 for 400,000. The file appears under its name when it is complete.
 */
export async function recommendAll(
  recommend: (users: Uint32Array, options: RecommendOptions) => Promise<RecommendationBatch>,
  model: { users: number; userIds?: IdColumn; itemIds?: IdColumn },
  file: string,
  { users: some, blockUsers = 16_384, onProgress, ...options }: RecommendAllOptions,
): Promise<RecommendAllResult> {
  positiveInteger('blockUsers', blockUsers)
  const users = some ? Uint32Array.from(some) : Uint32Array.from({ length: model.users }, (_, user) => user)
  const userType = idType(model.userIds)
  const itemType = idType(model.itemIds)
  const partial = `${file}.partial`
  let rows = 0
  try {
    const parquet = new ParquetWriter({
      writer: fileWriter(partial),
      schema: [
        { name: 'root', num_children: 4 },
        column('user', userType),
        column('rank', 'INT32'),
        column('item', itemType),
        column('score', 'FLOAT'),
      ],
    })
    for (let from = 0; from < users.length; from += blockUsers) {
      const block = users.subarray(from, from + blockUsers)
      const lists = await recommend(block, options)
      const columns = toColumns(block, lists, model)
      const length = columns.score.length
      parquet.write({
        columnData: [
          { name: 'user', data: columns.user },
          { name: 'rank', data: columns.rank },
          { name: 'item', data: columns.item },
          { name: 'score', data: columns.score },
        ],
        rowGroupSize: Math.max(1, length),
      })
      rows += length
      onProgress?.({ users: users.length, done: from + block.length, rows })
    }
    parquet.finish()
    await rename(partial, file)
    return { users: users.length, rows }
  } catch (error) {
    await rm(partial, { force: true })
    throw error
  }
}

function toColumns(
  users: Uint32Array,
  lists: RecommendationBatch,
  { userIds, itemIds }: { userIds?: IdColumn; itemIds?: IdColumn },
) {
  const count = lists.counts.reduce((sum, each) => sum + each, 0)
  const user = new Array<bigint | string>(count)
  const item = new Array<bigint | string>(count)
  const rank = new Int32Array(count)
  const score = new Float32Array(count)
  let at = 0
  for (let query = 0; query < lists.length; query++) {
    const id = toId(userIds?.at(users[query]) ?? users[query])
    for (let n = 0; n < lists.counts[query]; n++, at++) {
      const row = lists.rows[query * lists.limit + n]
      user[at] = id
      item[at] = toId(itemIds?.at(row) ?? row)
      rank[at] = n + 1
      score[at] = lists.scores[query * lists.limit + n]
    }
  }
  return { user, rank, item, score }
}

function toId(id: number | string): bigint | string {
  return typeof id === 'number' ? BigInt(id) : id
}

function idType(ids: IdColumn | undefined): 'STRING' | 'INT64' {
  return typeof ids?.at(0) === 'string' ? 'STRING' : 'INT64'
}

function column(name: string, type: 'STRING' | 'INT64' | 'INT32' | 'FLOAT') {
  return type === 'STRING'
    ? { name, type: 'BYTE_ARRAY' as const, converted_type: 'UTF8' as const, repetition_type: 'REQUIRED' as const }
    : { name, type, repetition_type: 'REQUIRED' as const }
}
