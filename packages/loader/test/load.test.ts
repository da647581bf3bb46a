import { readdirSync } from 'node:fs'
import { join } from 'node:path'
import { describe, expect, test } from 'vitest'
import { loadInteractions } from '../src/index.ts'
import { pairColumns, ratingColumns, signals, temporaryFolder, writeParquet } from './parquet-files.ts'
import { isTransposed, linesOf, referenceLoad, type WeightedSignal } from './reference.ts'

const folder = temporaryFolder()
const haves = signals(40_000, 800, 600, 1)
const wants = signals(20_000, 800, 600, 2)
const ratings = signals(20_000, 800, 600, 3)
const uris = { haves: join(folder, 'haves'), wants: join(folder, 'wants'), ratings: join(folder, 'ratings.parquet') }
for (let part = 0; part < 4; part++) {
  writeParquet(join(uris.haves, `part-${part}.parquet`), pairColumns(haves.slice(part * 10_000, (part + 1) * 10_000)))
}
writeParquet(join(uris.wants, 'all.parquet'), pairColumns(wants), { rowGroupSize: 7000 })
writeParquet(uris.ratings, ratingColumns(ratings))

const sources = [
  { name: 'haves', uri: uris.haves, confidence: 3 },
  { name: 'wants', uri: uris.wants, confidence: 1.5 },
  { name: 'ratings', uri: uris.ratings, confidence: { column: 'rating', values: { 5: 5, 4: 4, 3: 2 } } },
]
const weights: Record<number, number> = { 5: 5, 4: 4, 3: 2 }
const weighted: WeightedSignal[] = [
  ...haves.map((row) => ({ ...row, value: 3 })),
  ...wants.map((row) => ({ ...row, value: 1.5 })),
  ...ratings.filter((row) => row.rating! >= 3).map((row) => ({ ...row, value: weights[row.rating!] })),
]

describe('three sources with a confidence each', () => {
  test('become the matrix that plain code makes of them', async () => {
    const loaded = await loadInteractions({ sources, thresholds: { user: 80, item: 100 }, threads: 2 })
    const expected = referenceLoad(weighted, { user: 80, item: 100 })
    expect(linesOf(loaded)).toEqual(expected)
    expect(isTransposed(loaded.matrix)).toBe(true)
    expect([...loaded.matrix.codebook!]).toEqual([1.5, 2, 3, 4, 5])
    expect(loaded.interactionCounts.reduce((sum, n) => sum + n, 0)).toBe(loaded.matrix.entries)
    const [, , rated] = loaded.stats.sources
    expect(rated.withoutConfidence).toBe(ratings.filter((row) => row.rating! < 3).length)
    expect(rated.counted).toBe(rated.inactiveUser + rated.inactiveItem + rated.used)
  })

  test('give the same arrays on any number of threads', async () => {
    const options = { sources, thresholds: { user: 80, item: 100 } }
    const one = await loadInteractions({ ...options, threads: 1 })
    const three = await loadInteractions({ ...options, threads: 3 })
    expect(three.matrix.csr).toEqual(one.matrix.csr)
    expect(three.matrix.csc).toEqual(one.matrix.csc)
  })
})

describe('a memory budget a tenth of the need', () => {
  const many = signals(400_000, 3000, 2000, 11)
  const uri = writeParquet(join(folder, 'many.parquet'), pairColumns(many), { rowGroupSize: 50_000 })
  const options = { sources: [{ name: 'haves', uri }], thresholds: { user: 20, item: 50 }, threads: 2 }

  test('sends the rows through temporary files and gives the same matrix', async () => {
    const free = await loadInteractions(options)
    const { ids, working } = free.plan.memory
    const temporaryDirectory = temporaryFolder()
    const bound = await loadInteractions({ ...options, memoryBudget: (ids + working) / 10, temporaryDirectory })
    expect(bound.plan.spill).toBe(true)
    expect(bound.stats.spilledBytes).toBeGreaterThan(7 * bound.matrix.entries)
    expect(bound.matrix.csr).toEqual(free.matrix.csr)
    expect(bound.matrix.csc).toEqual(free.matrix.csc)
    expect(readdirSync(temporaryDirectory)).toEqual([])
  })

  test('is refused when not even the ids fit, with the least that would do', async () => {
    await expect(loadInteractions({ ...options, memoryBudget: 100_000 })).rejects.toThrow(
      /memoryBudget: 0.1 MB is too little.*at least \d+ MB/,
    )
  })
})
