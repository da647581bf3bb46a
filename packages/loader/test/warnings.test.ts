import { join } from 'node:path'
import { expect, test } from 'vitest'
import { type LoadOptions, loadInteractions } from '../src/index.ts'
import { int32, pairColumns, ratingColumns, temporaryFolder, writeParquet } from './parquet-files.ts'

const folder = temporaryFolder()
// 100 users of one row and 40 of five, 30 items of ten rows: 300 rows.
const rows = [
  ...Array.from({ length: 100 }, (_, user) => ({ user, item: user % 30 })),
  ...Array.from({ length: 200 }, (_, i) => ({ user: 100 + Math.floor(i / 5), item: i % 30 })),
]
const haves = writeParquet(join(folder, 'haves.parquet'), pairColumns(rows))
const ratings = writeParquet(
  join(folder, 'ratings.parquet'),
  ratingColumns(rows.map((row, i) => ({ ...row, rating: i % 3 === 0 ? 5 : 1 }))),
)
const clean = { name: 'haves', uri: haves }

async function warningsOf(options: Partial<LoadOptions>): Promise<readonly string[]> {
  return (await loadInteractions({ sources: [clean], threads: 1, ...options })).stats.warnings
}

test('without thresholds nothing is lost, and nothing is said', async () => {
  const loaded = await loadInteractions({ sources: [clean], threads: 1 })
  expect(loaded.stats).toMatchObject({ entries: 300, users: { seen: 140, active: 140 }, warnings: [] })
})

test('a threshold that removes more than half is named', async () => {
  expect(await warningsOf({ thresholds: { user: 2 } })).toEqual([
    '71 % of 140 users are left out: fewer than 2 rows (thresholds.user).',
  ])
  // 100 users of 140 go, with a third of the rows; each of the 30 items keeps 6 or 7.
  expect(await warningsOf({ thresholds: { user: 2, item: 5, repeat: true } })).toEqual([
    '71 % of 140 users are left out: fewer than 2 rows (thresholds.user, thresholds.repeat).',
  ])
  const few = Array.from({ length: 60 }, (_, i) => ({ user: i % 10, item: i < 20 ? 0 : i }))
  const uri = writeParquet(join(folder, 'few.parquet'), pairColumns(few))
  expect(await warningsOf({ sources: [{ name: 'few', uri }], thresholds: { item: 2 } })).toEqual([
    '97 % of 41 items are left out: fewer than 2 rows (thresholds.item).',
    '66 % of 60 rows that count are left out: their user has fewer than 1 or their item fewer than 2 (thresholds.user, ' +
      'thresholds.item).',
  ])
})

test('half is not more than half', async () => {
  const even = Array.from({ length: 40 }, (_, i) => ({ user: i < 20 ? i : 20 + Math.floor((i - 20) / 2), item: 1 }))
  // 20 users of one row and 10 of two: two thirds; with 10 of one row, half.
  const uri = writeParquet(join(folder, 'even.parquet'), pairColumns(even.slice(10)))
  expect(await warningsOf({ sources: [{ name: 'even', uri }], thresholds: { user: 2 } })).toEqual([])
})

test('rows without a weight, a valid id or a time inside the window are named with their option', async () => {
  const rated = { name: 'ratings', uri: ratings, confidence: { column: 'rating', values: { 5: 1 } } }
  expect(await warningsOf({ sources: [clean, rated] })).toEqual([
    '66 % of 300 rows of source "ratings" are left out: a value that `confidence` has no weight above 0 for.',
  ])
  const negative = writeParquet(join(folder, 'negative.parquet'), [
    int32('user_id', [-1, -2, 3]),
    int32('release_id', [1, 2, 3]),
  ])
  expect(await warningsOf({ sources: [{ name: 'negative', uri: negative }] })).toEqual([
    '66 % of 3 rows of source "negative" are left out: a negative id (invalidIds.negative).',
  ])
  const unit = 's' as const
  const time = { column: 'rating', unit, since: new Date(3000) }
  expect(await warningsOf({ sources: [{ ...clean, uri: ratings, time }] })).toEqual([
    '66 % of 300 rows of source "haves" are left out: no time, or one outside `time.since` and `time.until`.',
  ])
})
