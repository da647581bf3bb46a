import { join } from 'node:path'
import { describe, expect, test } from 'vitest'
import { type LoadedInteractions, type LoadOptions, loadInteractions, planLoad } from '../src/index.ts'
import { int32, pairColumns, type Signal, signals, temporaryFolder, writeParquet } from './parquet-files.ts'
import { isTransposed, linesOf, referenceLoad } from './reference.ts'

const folder = temporaryFolder()
const rows = signals(6000, 300, 500, 11)
const few = signals(4000, 300, 500, 12)

/** Whole and as strings; confidences of a codebook and others. */
const kinds: {
  name: string
  ids: (row: Signal) => { user: number | string; item: number | string }
  coded: boolean
}[] = [
  { name: 'integer ids, codes', ids: ({ user, item }) => ({ user, item }), coded: true },
  { name: 'string ids, float values', ids: ({ user, item }) => ({ user: `u${user}`, item: `é${item}` }), coded: false },
]

/** The rare part as a load of its own. */
const rareOf = (loaded: LoadedInteractions): LoadedInteractions => ({ ...loaded, ...loaded.rare! })

describe.each(kinds)('$name', ({ ids, coded, name }) => {
  const value = (row: Signal, n: number) => (coded ? row.rating! : row.rating! + (n % 512) / 64)
  const weighted = [...rows, ...few].map((row, n) => ({ ...ids(row), value: value(row, n) }))
  const uri = writeParquet(join(folder, `${name}.parquet`), [
    ...(['user', 'item'] as const).map((side) => ({
      name: `${side}_id`,
      data: weighted.map((row) => row[side]),
      type: coded ? ('INT32' as const) : ('STRING' as const),
    })),
    { name: 'weight', data: Float32Array.from(weighted, (row) => row.value), type: 'FLOAT' as const },
  ])
  const values = Object.fromEntries([1, 2, 3, 4, 5].map((rating) => [rating, rating]))
  const confidence = coded ? { column: 'weight', values } : { column: 'weight', weight: 'linear' as const }
  const load = (options: Partial<LoadOptions>) =>
    loadInteractions({
      sources: [{ name: 'haves', uri, confidence }],
      thresholds: { user: 20, item: 30 },
      threads: 2,
      ...options,
    })

  test.each([
    ['in memory', {}],
    ['through files', { memoryBudget: 9e5 }],
    ['one thread, sums', { threads: 1, merge: 'sum' as const }],
  ])('hands out the items below the threshold beside the same matrix, %s', async (_, options) => {
    const plain = await load(options)
    const both = await load({ ...options, rareItems: true })
    expect(both.plan.spill).toBe('memoryBudget' in options)
    expect(both.matrix.csr).toEqual(plain.matrix.csr)
    expect(both.matrix.csc).toEqual(plain.matrix.csc)
    expect(both.matrix.codebook).toEqual(plain.matrix.codebook)
    expect([...Array(both.matrix.items).keys()].map((row) => both.itemIds.at(row))).toEqual(
      [...Array(plain.matrix.items).keys()].map((row) => plain.itemIds.at(row)),
    )
    expect(both.interactionCounts).toEqual(plain.interactionCounts)

    const merge = 'merge' in options ? options.merge : 'max'
    const all = referenceLoad(weighted, { user: 20, item: 1 }, merge)
    const trained = new Set(linesOf(both))
    const rare = rareOf(both)
    expect(linesOf(rare).join('\n') === all.filter((line) => !trained.has(line)).join('\n')).toBe(true)
    expect(linesOf(rare).length).toBeGreaterThan(100)
    expect(isTransposed(rare.matrix)).toBe(true)
    expect(rare.matrix.users).toBe(both.matrix.users)
    const entries = rare.interactionCounts.reduce((sum, count) => sum + count, 0)
    expect(both.stats.rare).toEqual({ items: rare.matrix.items, entries })
    expect(rare.matrix.entries).toBe(entries)
  })
})

const uri = writeParquet(join(folder, 'pairs.parquet'), pairColumns(rows))
const sources = [{ name: 'haves', uri, item: 'release_id' }]

test('there are none where the threshold is 1', async () => {
  const { rare, stats } = await loadInteractions({ sources, rareItems: true, threads: 1 })
  expect(rare).toBeUndefined()
  expect(stats.rare).toBeUndefined()
})

test('an item that only inactive users have is there, without entries', async () => {
  const lonely = writeParquet(join(folder, 'lonely.parquet'), [
    int32('user_id', [1, 1, 2, 9]),
    int32('item_id', [5, 6, 5, 7]),
  ])
  const { rare } = await loadInteractions({
    sources: [{ name: 'haves', uri: lonely }],
    thresholds: { user: 2, item: 2 },
    rareItems: true,
    threads: 1,
  })
  expect([rare!.itemIds.at(0), rare!.itemIds.at(1)]).toEqual([6, 7])
  expect([...rare!.interactionCounts]).toEqual([1, 0])
})

test('the plan counts the copy', async () => {
  const [plain, rare] = await Promise.all(
    [false, true].map((rareItems) => planLoad({ sources, rareItems, threads: 1 })),
  )
  expect(rare.memory.working - plain.memory.working).toBe(3 * plain.sampledRows)
})

test('nothing to train on, and a core, are errors', async () => {
  const thresholds = { user: 1, item: 1e6 }
  await expect(loadInteractions({ sources, thresholds, rareItems: true, threads: 1 })).rejects.toThrow(
    /Nothing is left of 6000 rows: no user with 1 rows or no item with 1000000/,
  )
  await expect(
    loadInteractions({ sources, thresholds: { user: 2, item: 2, repeat: true }, rareItems: true }),
  ).rejects.toThrow(/rareItems.*not together with thresholds.repeat/)
})
