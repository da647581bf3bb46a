/** Interactions with features of the items: two public data sets of ../shared/data, and the quickstart's invented record shop. */
import { existsSync, readFileSync } from 'node:fs'
import { fileURLToPath } from 'node:url'
import { gunzipSync } from 'node:zlib'
import {
  type FeatureMatrix,
  type FeatureRecord,
  type FeatureSpec,
  featuresFrom,
  type InteractionMatrix,
  matrixFromTriplets,
} from '@seesaw/als-core'
import { Collectors } from '../../examples/catalogue/collectors.ts'
import { inventReleases } from '../../examples/catalogue/releases.ts'

export const dataSets = ['lastfm-hetrec', 'ml-latest-small', 'quickstart'] as const
export type DataSetName = (typeof dataSets)[number]

export interface DataSet {
  /** 1 for each pair that there is. */
  readonly matrix: InteractionMatrix
  readonly features: FeatureMatrix
}

/** The data set, or nothing where its folder is absent. */
export function readDataSet(name: DataSetName): DataSet | undefined {
  if (name === 'quickstart') return recordShop(20_000, 10_000)
  const folder = fileURLToPath(new URL(`../../../shared/data/${name}/`, import.meta.url))
  if (!existsSync(folder)) {
    console.error(`Skipped ${name}: ${folder} does not exist.`)
    return undefined
  }
  const read = (file: string) =>
    gunzipSync(readFileSync(`${folder}${file}`))
      .toString()
      .trimEnd()
      .split('\n')
  const records = new Map<string, FeatureRecord>()
  for (const line of read('items.tsv.gz')) {
    const [item, , third, fourth] = line.split('\t')
    records.set(
      item,
      name === 'lastfm-hetrec'
        ? { tags: third ? third.split('|') : [] }
        : { genres: fourth ? fourth.split('|') : [], year: /^\d+$/.test(third) ? Number(third) : 0 },
    )
  }
  const spec: FeatureSpec =
    name === 'lastfm-hetrec' ? { fields: { tags: 'values' } } : { fields: { genres: 'values', year: { bucket: 5 } } }
  return toDataSet(
    read('interactions.tsv.gz').map((line) => line.split('\t', 2) as [string, string]),
    records,
    spec,
  )
}

/** What collectors have and want, and what the releases say of themselves. */
function recordShop(users: number, count: number): DataSet {
  const releases = inventReleases(count, 42)
  const collectors = new Collectors(releases, 42)
  const pairs: [string, string][] = []
  for (let user = 0; user < users; user++) {
    const { haves, wants } = collectors.collection(user)
    for (const row of [...haves, ...wants]) pairs.push([String(user), String(row)])
  }
  const records = new Map(
    releases.map(({ artist, label, genres, styles, country, year }, row) => [
      String(row),
      { artists: artist, labels: label, genres, styles, country, year },
    ]),
  )
  const fields = { artists: 'values', labels: 'values', genres: 'values', styles: 'values', country: 'values' } as const
  return toDataSet(pairs, records, { fields: { ...fields, year: { bucket: 5 } } })
}

/** Rows of users by id, items in the order of the records and then as they come. */
function toDataSet(
  pairs: readonly (readonly [user: string, item: string])[],
  records: ReadonlyMap<string, FeatureRecord>,
  spec: FeatureSpec,
): DataSet {
  const users = new Map([...new Set(pairs.map(([user]) => user))].sort().map((user, row) => [user, row]))
  const items = new Map([...records.keys()].map((item, row) => [item, row]))
  for (const [, item] of pairs) if (!items.has(item)) items.set(item, items.size)
  const matrix = matrixFromTriplets({
    users: users.size,
    items: items.size,
    rows: pairs.map(([user]) => users.get(user)!),
    columns: pairs.map(([, item]) => items.get(item)!),
    duplicates: 'max',
  })
  const features = featuresFrom(
    [...items.keys()].map((item) => records.get(item)),
    spec,
  )
  return { matrix, features }
}
