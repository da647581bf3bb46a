/** The four sets of ../shared/data as what is known and what is to be found. */
import { existsSync, readFileSync } from 'node:fs'
import { fileURLToPath } from 'node:url'
import { gunzipSync } from 'node:zlib'
import { interactionsFrom, splitRandomly } from '@seesaw/als-core'
import { readDataSet, type TrainAndTest } from '../quality/data-sets.ts'

export const dataSets = ['ml-latest-small', 'lastfm-hetrec', 'gowalla', 'amazon-cds'] as const
export type DataSet = (typeof dataSets)[number]

/**
 * Gowalla and Amazon CDs in their published splits; of the others a fifth of the entries is to be found. Last.fm counts
 * as the logarithm of its plays, MovieLens as its ratings from 3 on. Nothing where the folder is absent.
 */
export async function readKnownAndTest(name: DataSet): Promise<TrainAndTest | undefined> {
  if (name === 'gowalla' || name === 'amazon-cds') return readDataSet(name)
  const folder = fileURLToPath(new URL(`../../../shared/data/${name}/`, import.meta.url))
  if (!existsSync(folder)) {
    console.error(`Skipped ${name}: ${folder} does not exist.`)
    return undefined
  }
  const lines = gunzipSync(readFileSync(`${folder}interactions.tsv.gz`))
    .toString()
    .trimEnd()
    .split('\n')
  const rows = lines.map((line) => line.split('\t').map(Number))
  const plays = name === 'lastfm-hetrec'
  const { matrix } = await interactionsFrom(
    rows
      .filter(([, , value]) => plays || value >= 3)
      .map(([user, item, value]) => ({ user, item, value: plays ? Math.log1p(value) : value })),
    { user: 'user', item: 'item', value: 'value' },
  )
  return splitRandomly(matrix, 0.2, { seed: 7 })
}
