import { mkdtemp, readdir, readFile, rm } from 'node:fs/promises'
import { tmpdir } from 'node:os'
import { join } from 'node:path'
import { asyncBufferFromFile, parquetReadObjects } from 'hyparquet'
import { afterEach, expect, test } from 'vitest'
import { Collectors } from '../catalogue/collectors.ts'
import { inventReleases } from '../catalogue/releases.ts'
import { writeCatalogue } from '../catalogue/write-catalogue.ts'

const folders: string[] = []
afterEach(async () => {
  for (const folder of folders.splice(0)) await rm(folder, { recursive: true })
})

async function folder(): Promise<string> {
  const made = await mkdtemp(join(tmpdir(), 'catalogue-'))
  folders.push(made)
  return made
}

test('the seed decides every byte', async () => {
  const [a, b, c] = [await folder(), await folder(), await folder()]
  await writeCatalogue({ directory: a, users: 300, releases: 500, seed: 7 })
  await writeCatalogue({ directory: b, users: 300, releases: 500, seed: 7 })
  await writeCatalogue({ directory: c, users: 300, releases: 500, seed: 8 })
  for (const source of ['haves', 'wants', 'ratings', 'releases']) {
    expect(await readdir(join(a, source))).toEqual(['part-0.parquet'])
    const bytes = await Promise.all([a, b, c].map((root) => readFile(join(root, source, 'part-0.parquet'))))
    expect(bytes[0].equals(bytes[1])).toBe(true)
    expect(bytes[0].equals(bytes[2])).toBe(false)
  }
})

test('writes the schema of production', async () => {
  const directory = await folder()
  const catalogue = await writeCatalogue({ directory, users: 50, releases: 400, seed: 1 })
  const read = async (source: string) =>
    parquetReadObjects({ file: await asyncBufferFromFile(join(directory, source, 'part-0.parquet')) })
  const haves = await read('haves')
  expect(haves.length).toBe(catalogue.haves)
  expect(haves[0]).toEqual({ user_id: 1_000_000, release_id: expect.any(Number) })
  const ratings = await read('ratings')
  expect([...new Set(ratings.map((row) => row.rating))].sort()).toEqual([1, 2, 3, 4, 5])
  const releases = await read('releases')
  expect(releases.length).toBe(400)
  const { title, artist, label, country, year, genres, styles, releaseId } = catalogue.releases[17]
  expect(releases[17]).toEqual({
    release_id: releaseId,
    title,
    year,
    country,
    artists: [artist],
    labels: [label],
    genres,
    styles,
  })
})

test('titles and release ids are unique', () => {
  const releases = inventReleases(10_000, 42)
  expect(new Set(releases.map((release) => release.title)).size).toBe(10_000)
  expect(new Set(releases.map((release) => release.releaseId)).size).toBe(10_000)
})

test('collectors follow their tastes, and the crowd is Zipf-like', () => {
  const releases = inventReleases(5000, 42)
  const collectors = new Collectors(releases, 42)
  const counts = new Float64Array(releases.length)
  let followed = 0
  let total = 0
  for (let index = 0; index < 2000; index++) {
    const taste = collectors.taste(index)
    for (const row of collectors.collection(index).haves) {
      counts[row]++
      total++
      if (releases[row].styles.some((style) => taste.styles.includes(style))) followed++
    }
  }
  expect(followed / total).toBeGreaterThan(0.75)
  counts.sort()
  const share = (fraction: number) => counts.slice(-fraction * counts.length).reduce((a, b) => a + b, 0) / total
  // A hundredth of the releases has six times its share, and still the lesser half has a tenth.
  expect(share(0.01)).toBeGreaterThan(0.05)
  expect(share(0.5)).toBeLessThan(0.9)
})

test('a collection holds nothing twice and wants nothing it has', () => {
  const releases = inventReleases(1000, 3)
  const collectors = new Collectors(releases, 3)
  for (let index = 0; index < 200; index++) {
    const { haves, wants, ratings } = collectors.collection(index)
    expect(new Set([...haves, ...wants]).size).toBe(haves.length + wants.length)
    expect(ratings.every(([row]) => haves.includes(row))).toBe(true)
  }
})
