import { join } from 'node:path'
import { describe, expect, test } from 'vitest'
import { type LoadOptions, loadInteractions, planLoad, type SourceOptions } from '../src/index.ts'
import {
  int32,
  pairColumns,
  ratingColumns,
  type Signal,
  signals,
  temporaryFolder,
  writeParquet,
} from './parquet-files.ts'
import { isTransposed, linesOf, referenceLoad } from './reference.ts'

const folder = temporaryFolder()
const rows = signals(20_000, 300, 200, 31)
const timed = (some: Signal[]) => [
  ...ratingColumns(some),
  { name: 'added_at', data: some.map((row) => new Date(row.time!)), type: 'TIMESTAMP' as const },
  {
    name: 'seconds',
    data: BigInt64Array.from(some, (row) => BigInt(Math.floor(row.time! / 1000))),
    type: 'INT64' as const,
  },
]
const uri = writeParquet(join(folder, 'timed.parquet'), timed(rows))
const thresholds = { user: 20, item: 40 }
const load = (source: Partial<SourceOptions>, more: Partial<LoadOptions> = {}) =>
  loadInteractions({ sources: [{ name: 'haves', uri, confidence: 3, ...source }], thresholds, threads: 2, ...more })
const day = 86400000

describe('confidences', () => {
  test('weigh a column linearly or by its logarithm', async () => {
    const linear = await load({ confidence: { column: 'rating', weight: 'linear', factor: 2, offset: 1 } })
    const log = await load({ confidence: { column: 'rating', weight: 'log1p', factor: 40 } })
    const expected = (of: (rating: number) => number) =>
      referenceLoad(
        rows.map((row) => ({ ...row, value: of(row.rating!) })),
        thresholds,
      )
    expect(linesOf(linear)).toEqual(expected((rating) => 1 + 2 * rating))
    expect(linesOf(log)).toEqual(expected((rating) => 40 * Math.log1p(rating)))
    // Five ratings, five weights: packed.
    expect([...linear.matrix.codebook!]).toEqual([3, 5, 7, 9, 11])
    expect(linear.matrix.csr.values).toBeInstanceOf(Uint8Array)
  })

  test('come from a table of strings too, and other values are left out and counted', async () => {
    const kinds = ['like', 'love', 'skip', null]
    const path = writeParquet(join(folder, 'kinds.parquet'), [
      ...pairColumns(rows),
      { name: 'kind', data: rows.map((row) => kinds[row.rating! % 4]), type: 'STRING' },
    ])
    const loaded = await load({ uri: path, confidence: { column: 'kind', values: { like: 1, love: 4 } } })
    const kept = rows.filter((row) => row.rating! % 4 < 2)
    expect(linesOf(loaded)).toEqual(
      referenceLoad(
        kept.map((row) => ({ ...row, value: row.rating! % 4 === 0 ? 1 : 4 })),
        thresholds,
      ),
    )
    expect(loaded.stats.sources[0].withoutConfidence).toBe(rows.length - kept.length)
  })
})

describe('time', () => {
  const since = new Date(1_600_000_000_000 + 3e10)
  const until = new Date(1_600_000_000_000 + 8e10)
  const inWindow = rows.filter((row) => row.time! >= since.getTime() && row.time! < until.getTime())

  test('a window keeps [since, until), from timestamps or from whole seconds', async () => {
    const expected = referenceLoad(
      inWindow.map((row) => ({ ...row, value: 3 })),
      thresholds,
    )
    const loaded = await load({ time: { column: 'added_at', since, until } })
    expect(linesOf(loaded)).toEqual(expected)
    expect(loaded.stats.sources[0].outsideWindow).toBe(rows.length - inWindow.length)
    const seconds = await load({ time: { column: 'seconds', unit: 's', since, until } })
    expect(linesOf(seconds)).toEqual(expected)
  })

  test('a half-life lets confidences fade', async () => {
    const loaded = await load({ time: { column: 'added_at', until, halfLifeDays: 100 } })
    const before = rows.filter((row) => row.time! < until.getTime())
    const faded = before.map((row) => ({
      ...row,
      value: Math.fround(3 * 2 ** ((row.time! - until.getTime()) / (100 * day))),
    }))
    expect(linesOf(loaded)).toEqual(referenceLoad(faded, thresholds))
    expect(loaded.matrix.codebook).toBeUndefined()
  })
})

describe('several signals for a pair', () => {
  const twice = [
    { name: 'haves', uri, confidence: 3, time: { column: 'added_at' } },
    {
      name: 'ratings',
      uri,
      confidence: { column: 'rating', values: { 5: 5, 4: 4, 3: 2 } },
      time: { column: 'added_at' },
    },
  ]
  const weights: Record<number, number> = { 5: 5, 4: 4, 3: 2 }
  const both = [
    ...rows.map((row) => ({ ...row, value: 3 })),
    ...rows.filter((row) => row.rating! >= 3).map((row) => ({ ...row, value: weights[row.rating!] })),
  ]

  test.each(['max', 'sum', 'last'] as const)(
    'merge by %s, the same on 1 and 3 threads, in memory and through files',
    async (merge) => {
      const options = { sources: twice, thresholds, merge, threads: 3 }
      const loaded = await loadInteractions(options)
      expect(linesOf(loaded)).toEqual(referenceLoad(both, thresholds, merge))
      expect(isTransposed(loaded.matrix)).toBe(true)
      expect(loaded.matrix.codebook).toBeDefined()
      const single = await loadInteractions({ ...options, threads: 1 })
      expect(single.matrix).toEqual(loaded.matrix)
      const spilled = await loadInteractions({ ...options, threads: 1, memoryBudget: 1.6e6 })
      expect(spilled.stats.spilledBytes).toBeGreaterThan(0)
      expect(spilled.matrix).toEqual(loaded.matrix)
    },
  )
})

describe('a sample', () => {
  test('of users is the same users in every source and run, all their rows', async () => {
    const first = await load({ sample: 0.3 }, { thresholds: { user: 1, item: 1 } })
    const other = await load({ sample: 0.3, confidence: 1 }, { thresholds: { user: 1, item: 1 } })
    const seeded = await load({ sample: 0.3 }, { thresholds: { user: 1, item: 1 }, seed: 7 })
    expect(other.userIds).toEqual(first.userIds)
    expect(seeded.userIds).not.toEqual(first.userIds)
    const users = new Set(first.userIds as Uint32Array)
    expect(users.size / 300).toBeGreaterThan(0.2)
    expect(users.size / 300).toBeLessThan(0.4)
    const kept = rows.filter((row) => users.has(row.user))
    expect(linesOf(first)).toEqual(
      referenceLoad(
        kept.map((row) => ({ ...row, value: 3 })),
        { user: 1, item: 1 },
      ),
    )
    expect(first.stats.sources[0].notSampled).toBe(rows.length - kept.length)
    // A larger sample holds the smaller one.
    const larger = await load({ sample: 0.6 }, { thresholds: { user: 1, item: 1 } })
    expect([...users].every((user) => (larger.userIds as Uint32Array).includes(user))).toBe(true)
  })

  test('of rows thins every user', async () => {
    const loaded = await load({ sample: 0.3 }, { thresholds: { user: 1, item: 1 }, sampleBy: 'row' })
    expect(loaded.matrix.users).toBeGreaterThan(280)
    expect(loaded.stats.sources[0].counted / rows.length).toBeCloseTo(0.3, 1)
  })
})

describe('thresholds', () => {
  test('repeated hold in the matrix, and it is the largest that does', async () => {
    const sparse = signals(9000, 400, 400, 41)
    const path = writeParquet(join(folder, 'sparse.parquet'), pairColumns(sparse))
    const loaded = await load({ uri: path }, { thresholds: { user: 12, item: 14, repeat: true } })
    let kept = sparse
    for (;;) {
      const pairs = [...new Map(kept.map((row) => [`${row.user} ${row.item}`, row])).values()]
      const active = (key: 'user' | 'item', least: number) => {
        const counts = new Map<number, number>()
        for (const row of pairs) counts.set(row[key], (counts.get(row[key]) ?? 0) + 1)
        return new Set([...counts].filter(([, count]) => count >= least).map(([id]) => id))
      }
      const users = active('user', 12)
      const items = active('item', 14)
      const next = pairs.filter((row) => users.has(row.user) && items.has(row.item))
      if (next.length === kept.length) break
      kept = next
    }
    expect(loaded.matrix.entries).toBeGreaterThan(1000)
    expect(linesOf(loaded)).toEqual(
      referenceLoad(
        kept.map((row) => ({ ...row, value: 3 })),
        { user: 1, item: 1 },
      ),
    )
    expect(isTransposed(loaded.matrix)).toBe(true)
    expect(loaded.stats.rounds).toBeGreaterThan(1)
    expect(loaded.stats.items.active).toBe(loaded.matrix.items)
  })

  test('that leave nothing are an error with the counts', async () => {
    await expect(load({}, { thresholds: { user: 1e6, item: 1 } })).rejects.toThrow(
      /Nothing is left of 20000 rows: no user with 1000000 rows or no item with 1\. 20000 rows counted/,
    )
  })
})

describe('files', () => {
  const parts = join(folder, 'hive')
  for (const [year, some] of [
    ['2023', rows.slice(0, 5000)],
    ['2024', rows.slice(5000, 12000)],
  ] as const) {
    writeParquet(join(parts, `year=${year}`, 'part-0.parquet'), pairColumns(some))
    writeParquet(join(parts, `year=${year}`, '_temporary', 'part-1.parquet'), pairColumns(some))
  }

  test('are found by folder, glob and hive partition; markers and temporary files are not data', async () => {
    const rowsOf = async (source: Partial<SourceOptions>) =>
      (await planLoad({ sources: [{ name: 'haves', uri: parts, ...source }] })).rows
    expect(await rowsOf({})).toBe(12000)
    expect(await rowsOf({ uri: `${parts}/year=2024/*.parquet` })).toBe(7000)
    expect(await rowsOf({ uri: `${parts}/**/part-0.parquet` })).toBe(12000)
    expect(await rowsOf({ partitions: { year: '2023' } })).toBe(5000)
    expect(await rowsOf({ partitions: { year: ['2023', '2024'] } })).toBe(12000)
    await expect(rowsOf({ partitions: { year: '1999' } })).rejects.toThrow(/none of 2 files lies in the partitions/)
    expect(await rowsOf({ uri: undefined, files: [`${parts}/year=2023`, `${parts}/year=2024/part-0.parquet`] })).toBe(
      12000,
    )
  })

  test('without rows are read, and leave nothing', async () => {
    const empty = writeParquet(join(folder, 'empty.parquet'), pairColumns([]))
    await expect(load({ uri: empty })).rejects.toThrow('Nothing is left of 0 rows')
    const both = await load({ uri: undefined, files: [empty, uri] })
    expect(both.stats.rows).toBe(rows.length)
  })

  test('that do not exist are an error', async () => {
    await expect(load({ uri: join(folder, 'nowhere') })).rejects.toThrow(/Source "haves": no Parquet file at .*nowhere/)
  })

  test('are planned before data is read: rows, bytes and memory', async () => {
    const plan = await planLoad({ sources: [{ name: 'haves', uri, item: 'release_id', sample: 0.5 }], threads: 2 })
    expect(plan).toMatchObject({ rows: 20000, sampledRows: 10000, files: 1, threads: 2, spill: false })
    expect(plan.sources[0]).toMatchObject({ name: 'haves', columns: ['user_id', 'release_id'] })
    expect(plan.sources[0].files[0]).toMatchObject({ uri, rows: 20000, rowGroups: 20 })
    // Two of five columns: the others are not fetched.
    expect(plan.bytes).toBeLessThan(0.4 * plan.sources[0].files[0].byteLength)
    const { runtime, ids, working, result, total } = plan.memory
    expect(total).toBe(runtime + ids + working + result)
    expect(result).toBe(10 * 10000)
    expect(structuredClone(plan)).toEqual(plan)
  })

  test('with the wrong columns are refused before data is read', async () => {
    const wrong = writeParquet(join(folder, 'wrong', 'b.parquet'), [
      { name: 'user_id', data: [true, false], type: 'BOOLEAN' },
      int32('release_id', [1, 2]),
    ])
    writeParquet(join(folder, 'wrong', 'a.parquet'), pairColumns(rows))
    await expect(load({ uri: join(folder, 'wrong') })).rejects.toThrow(
      `${wrong}: column "user_id" of source "haves": found boolean, expected an integer or a string for user ids.`,
    )
    await expect(load({ user: 'person' })).rejects.toThrow(
      `column "person" of source "haves": found no such column (it has: user_id, release_id, rating, added_at, seconds)`,
    )
    const two = writeParquet(join(folder, 'two-ids.parquet'), [
      ...pairColumns(rows),
      int32(
        'shop_id',
        rows.map(() => 1),
      ),
    ])
    await expect(load({ uri: two })).rejects.toThrow(
      'column "item_id" of source "haves": found no such column (it has: user_id, release_id, shop_id)',
    )
    expect((await load({ uri: two, item: 'release_id' })).matrix.items).toBeGreaterThan(0)
    await expect(load({ time: { column: 'seconds' } })).rejects.toThrow(
      'column "seconds" of source "haves": found int64, expected a timestamp or date, or an integer',
    )
    const text = writeParquet(join(folder, 'text.parquet'), [
      { name: 'user_id', data: ['a', 'b'], type: 'STRING' },
      int32('release_id', [1, 2]),
    ])
    await expect(
      loadInteractions({
        sources: [
          { name: 'haves', uri },
          { name: 'wants', uri: text },
        ],
      }),
    ).rejects.toThrow(`${text}: column "user_id" of source "wants": found a string, expected an integer as in`)
  })
})

test('wrong options are all named at once', async () => {
  const options = {
    sources: [
      { name: 'plays', uri, confidence: 0 },
      { name: 'haves', sample: 2 },
    ],
    thresholds: { user: 0 },
    treads: 2,
  }
  const error = await loadInteractions(options as LoadOptions).catch((error: Error) => error)
  expect(String(error)).toContain('sources.0.confidence: Too small: expected number to be >0')
  expect(String(error)).toContain('sources.1: give either `uri` or `files`')
  expect(String(error)).toMatch(/sources\.1\.sample: .*<=1/)
  expect(String(error)).toContain('thresholds.user: ')
  expect(String(error)).toContain('"treads"')
  const twice = {
    sources: [
      { name: 'haves', uri },
      { name: 'haves', uri },
    ],
  }
  await expect(loadInteractions(twice)).rejects.toThrow('sources: two sources have the same name')
  await expect(load({}, { merge: 'last' })).rejects.toThrow('merge: "last" needs a `time` column in every source')
  await expect(load({ time: { column: 'added_at', halfLifeDays: 3 } })).rejects.toThrow(
    'a half-life needs `reference` or `until` to measure ages from',
  )
})
