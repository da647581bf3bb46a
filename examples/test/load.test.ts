import { mkdtemp, rm } from 'node:fs/promises'
import { tmpdir } from 'node:os'
import { join } from 'node:path'
import { parquetWriteFile } from 'hyparquet-writer'
import { afterAll, beforeAll, expect, test } from 'vitest'
import { writeReleases } from '../catalogue/write-catalogue.ts'
import { readConfiguration } from '../configuration/read-configuration.ts'
import { collectItems, load } from '../pipeline/load.ts'
import type { Progress } from '../pipeline/progress.ts'
import { Stages } from '../pipeline/stages.ts'
import recordShop from '../seesaw.config.ts'

// Child processes on a busy machine take their time; no time is asserted here.
let folder: string
beforeAll(async () => {
  folder = await mkdtemp(join(tmpdir(), 'load-'))
})
afterAll(() => rm(folder, { recursive: true }))

const silent: Progress = { begin() {}, update() {}, end() {}, stop() {} }

function write(name: string, columns: Record<string, number[] | string[] | string[][]>): string {
  const filename = join(folder, `${name}.parquet`)
  parquetWriteFile({ filename, columnData: Object.entries(columns).map(([name, data]) => ({ name, data })) })
  return filename
}

test('a have counts 3.0, a want 1.5, ratings 5.0, 4.0, 2.0 and nothing; the largest of several counts', async () => {
  const releases = [40, 30, 20, 10].map((releaseId, row) => ({
    releaseId,
    title: `Title ${releaseId}`,
    artist: 'Ü',
    label: 'L',
    country: 'Italy',
    year: 1970 + releaseId,
    genres: ['Jazz', 'Rock'],
    styles: ['Modal'],
    popularity: row,
  }))
  writeReleases(join(folder, 'releases.parquet'), releases)
  const configuration = readConfiguration(recordShop, {
    HAVES: write('haves', { user_id: [1, 1, 1], release_id: [10, 20, 30] }),
    WANTS: write('wants', { user_id: [1, 2], release_id: [10, 20] }),
    RATINGS: write('ratings', {
      user_id: [1, 1, 2, 2, 2, 2],
      release_id: [20, 30, 10, 30, 40, 50],
      rating: [5, 3, 4, 3, 2, 1],
    }),
    RELEASES: join(folder, 'releases.parquet'),
    SAMPLE_FRAC_HAVES: '1',
    SAMPLE_FRAC_WANTS: '1',
    SAMPLE_FRAC_RATINGS: '1',
    MIN_USER_INTERACTIONS: '1',
    MIN_ITEM_INTERACTIONS: '1',
    THREADS: '2',
  })
  const { signal } = new AbortController()
  const stages = new Stages(silent, signal)
  const loaded = await load(configuration, {}, stages, silent, signal)
  const { csr, codebook } = loaded.matrix
  const strengths = Array.from(csr.values, (value) => codebook?.[value] ?? value)
  expect(Array.from({ length: 3 }, (_, row) => loaded.itemIds.at(row))).toEqual([10, 20, 30])
  expect(Array.from(csr.indptr)).toEqual([0, 3, 6])
  expect(strengths).toEqual([3, 5, 3, 4, 1.5, 2])

  const store = await collectItems(configuration, folder, loaded, stages, silent, signal)
  expect(store.payload(1)).toEqual({
    item_id: 20,
    title: 'Title 20',
    year: 1990,
    country: 'Italy',
    artists: ['Ü'],
    labels: ['L'],
    genres: ['Jazz', 'Rock'],
    styles: ['Modal'],
    interaction_count: 2,
  })
  store.close()
  expect(stages.costs.map(({ stage }) => stage)).toEqual(['load', 'releases'])
  expect(stages.costs.every(({ peakMemory, seconds }) => peakMemory > 1e7 && seconds > 0)).toBe(true)
})
