/** The data that serving is measured on: the published splits, and the catalogue that the quickstart invents. */
import { mkdtempSync, rmSync } from 'node:fs'
import { tmpdir } from 'node:os'
import { join } from 'node:path'
import { splitRandomly } from '@seesaw/als-core'
import { loadInteractions } from '@seesaw/loader'
import { writeCatalogue } from '../../examples/catalogue/write-catalogue.ts'
import { dataSets, readDataSet, type TrainAndTest } from '../quality/data-sets.ts'

export const servingData = [...dataSets, 'quickstart'] as const
export type ServingData = (typeof servingData)[number]

/** Known and held-out interactions, or nothing where the data are absent. */
export async function readServingData(name: ServingData): Promise<TrainAndTest | undefined> {
  if (name !== 'quickstart') return readDataSet(name)
  const directory = mkdtempSync(join(tmpdir(), 'seesaw-catalogue-'))
  try {
    await writeCatalogue({ directory, users: 20_000, releases: 10_000, seed: 42 })
    const { matrix } = await loadInteractions({
      sources: [
        { name: 'haves', uri: join(directory, 'haves'), user: 'user_id', item: 'release_id', confidence: 3 },
        { name: 'wants', uri: join(directory, 'wants'), user: 'user_id', item: 'release_id', confidence: 1.5 },
      ],
      thresholds: { user: 20, item: 50 },
    })
    return splitRandomly(matrix, 0.2, { seed: 42 })
  } finally {
    rmSync(directory, { recursive: true })
  }
}
