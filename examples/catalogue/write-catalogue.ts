import { mkdir } from 'node:fs/promises'
import { join } from 'node:path'
import type { SchemaElement } from 'hyparquet'
import { parquetWriteFile } from 'hyparquet-writer'
import { Collectors } from './collectors.ts'
import { inventReleases, type Release } from './releases.ts'

export interface CatalogueOptions {
  /** Folder to write to; it gets `haves/`, `wants/`, `ratings/` and `releases/`. */
  readonly directory: string
  readonly users: number
  readonly releases: number
  /** Releases of the catalogue that nobody has, beside those. Default 0. */
  readonly unknown?: number
  readonly seed: number
  /** Called after each part with the number of collectors written so far. */
  readonly onProgress?: (users: number) => void
  readonly signal?: AbortSignal
}

export interface Catalogue {
  readonly releases: readonly Release[]
  readonly haves: number
  readonly wants: number
  readonly ratings: number
}

/** Collectors written before the next file is begun: 10,000 hold about 0.6 M haves, so memory stays flat as users grow. */
const collectorsPerFile = 10_000

/** Writes an invented catalogue and its collectors as Parquet, in the schema of production. The seed decides every byte. */
export async function writeCatalogue(options: CatalogueOptions): Promise<Catalogue> {
  const { directory, users, seed, onProgress, signal } = options
  for (const folder of ['haves', 'wants', 'ratings', 'releases'])
    await mkdir(join(directory, folder), { recursive: true })
  const invented = inventReleases(options.releases, seed, options.unknown)
  writeReleases(join(directory, 'releases', 'part-0.parquet'), invented)
  const releases = invented.slice(0, options.releases)
  const collectors = new Collectors(releases, seed)
  const written = { haves: 0, wants: 0, ratings: 0 }
  for (let first = 0, part = 0; first < users; first += collectorsPerFile, part++) {
    signal?.throwIfAborted()
    const last = Math.min(users, first + collectorsPerFile)
    const haves = new Signals()
    const wants = new Signals()
    const ratings = new Signals()
    for (let user = first; user < last; user++) {
      const { haves: owned, wants: wanted, ratings: rated } = collectors.collection(user)
      // Ids with gaps, as in a real database.
      const id = 1_000_000 + user * 13
      for (const row of owned) haves.add(id, releases[row]!.releaseId)
      for (const row of wanted) wants.add(id, releases[row]!.releaseId)
      for (const [row, stars] of rated) ratings.add(id, releases[row]!.releaseId, stars)
    }
    const name = `part-${part}.parquet`
    written.haves += haves.write(join(directory, 'haves', name))
    written.wants += wants.write(join(directory, 'wants', name))
    written.ratings += ratings.write(join(directory, 'ratings', name))
    onProgress?.(last)
    // Lets signals and progress bars through between two files.
    await new Promise((resolve) => setImmediate(resolve))
  }
  return { releases, ...written }
}

/** Columns user_id, release_id and, for ratings, rating: required int32. */
class Signals {
  readonly #users: number[] = []
  readonly #releases: number[] = []
  readonly #ratings: number[] = []

  add(user: number, release: number, rating?: number): void {
    this.#users.push(user)
    this.#releases.push(release)
    if (rating !== undefined) this.#ratings.push(rating)
  }

  write(filename: string): number {
    const columns: [string, number[]][] = [
      ['user_id', this.#users],
      ['release_id', this.#releases],
    ]
    if (this.#ratings.length > 0) columns.push(['rating', this.#ratings])
    parquetWriteFile({
      filename,
      columnData: columns.map(([name, values]) => ({ name, data: Int32Array.from(values) })),
      schema: [
        { name: 'root', num_children: columns.length },
        ...columns.map(([name]): SchemaElement => ({ name, type: 'INT32', repetition_type: 'REQUIRED' })),
      ],
      rowGroupSize: 250_000,
    })
    return this.#users.length
  }
}

/** Writes the metadata of releases as one file. */
export function writeReleases(filename: string, releases: readonly Release[]): void {
  parquetWriteFile({
    filename,
    columnData: [
      { name: 'release_id', data: Int32Array.from(releases, (release) => release.releaseId) },
      { name: 'title', data: releases.map((release) => release.title) },
      { name: 'year', data: Int32Array.from(releases, (release) => release.year) },
      { name: 'country', data: releases.map((release) => release.country) },
      { name: 'artists', data: releases.map((release) => [release.artist]) },
      { name: 'labels', data: releases.map((release) => [release.label]) },
      { name: 'genres', data: releases.map((release) => [...release.genres]) },
      { name: 'styles', data: releases.map((release) => [...release.styles]) },
    ],
    schema: [
      { name: 'root', num_children: 8 },
      { name: 'release_id', type: 'INT32', repetition_type: 'REQUIRED' },
      { name: 'title', type: 'BYTE_ARRAY', converted_type: 'UTF8', repetition_type: 'REQUIRED' },
      { name: 'year', type: 'INT32', repetition_type: 'REQUIRED' },
      { name: 'country', type: 'BYTE_ARRAY', converted_type: 'UTF8', repetition_type: 'REQUIRED' },
      ...['artists', 'labels', 'genres', 'styles'].flatMap(listOfStrings),
    ],
  })
}

function listOfStrings(name: string): SchemaElement[] {
  return [
    { name, repetition_type: 'OPTIONAL', converted_type: 'LIST', num_children: 1 },
    { name: 'list', repetition_type: 'REPEATED', num_children: 1 },
    { name: 'element', type: 'BYTE_ARRAY', converted_type: 'UTF8', repetition_type: 'OPTIONAL' },
  ]
}
