import { existsSync, mkdtempSync, readdirSync, rmSync } from 'node:fs'
import { tmpdir } from 'node:os'
import { join } from 'node:path'
import { asyncBufferFromFile, parquetMetadataAsync, parquetReadObjects } from 'hyparquet'
import { afterAll, describe, expect, it } from 'vitest'
import { Recommender } from '../src/index.ts'
import { makeInteractions, makeModel } from './recommend-model.ts'

const folder = mkdtempSync(join(tmpdir(), 'recommend-all-'))
const model = makeModel(100, 300, 8)
const recommender = new Recommender(model, { interactions: makeInteractions(100, 300, 20), threads: 2 })
afterAll(async () => {
  await recommender.close()
  rmSync(folder, { recursive: true })
})

describe('recommendAll', () => {
  it('writes every list in order, by blocks, with original ids', async () => {
    const file = join(folder, 'lists.parquet')
    const progress: number[] = []
    const result = await recommender.recommendAll(file, {
      limit: 7,
      blockUsers: 30,
      onProgress: ({ done }) => progress.push(done),
    })
    expect(result).toEqual({ users: 100, rows: 700 })
    expect(progress).toEqual([30, 60, 90, 100])
    const buffer = await asyncBufferFromFile(file)
    expect((await parquetMetadataAsync(buffer)).row_groups.map(({ num_rows }) => Number(num_rows))).toEqual([
      210, 210, 210, 70,
    ])
    const lists = await recommender.recommend(
      Uint32Array.from({ length: 100 }, (_, user) => user),
      { limit: 7 },
    )
    const expected = Array.from({ length: 100 }, (_, user) =>
      Array.from(lists.at(user), ({ id, score }, n) => ({ user: `u${user}`, rank: n + 1, item: BigInt(id), score })),
    ).flat()
    expect(await parquetReadObjects({ file: buffer })).toEqual(expected)
  })

  it('writes row numbers where there are no ids, and only the users asked for', async () => {
    const file = join(folder, 'rows.parquet')
    await using bare = new Recommender({ ...model, userIds: undefined, itemIds: undefined }, { threads: 1 })
    await bare.recommendAll(file, { users: [5, 3], limit: 2, allow: [9] })
    const rows = await parquetReadObjects({ file: await asyncBufferFromFile(file) })
    expect(rows.map(({ user, rank, item }) => [user, rank, item])).toEqual([
      [5n, 1, 9n],
      [3n, 1, 9n],
    ])
  })

  it('leaves nothing behind when it is aborted', async () => {
    const file = join(folder, 'aborted.parquet')
    const stop = new AbortController()
    const writing = recommender.recommendAll(file, {
      blockUsers: 10,
      signal: stop.signal,
      onProgress: () => stop.abort(),
    })
    await expect(writing).rejects.toThrow('aborted')
    expect(existsSync(file)).toBe(false)
    expect(readdirSync(folder).filter((name) => name.includes('partial'))).toEqual([])
    await expect(recommender.recommendAll(file, { blockUsers: 0 })).rejects.toThrow('blockUsers is 0')
  })
})
