import type { AlsModel } from '@seesaw/als-core'
import { type LoadedInteractions, readItems } from '@seesaw/loader'
import type { Configuration } from '../configuration/schema.ts'
import { grouped } from '../text/format.ts'
import { itemsSource } from './load.ts'
import type { Progress } from './progress.ts'
import type { Stages } from './stages.ts'
import { WholeCatalogue } from './whole-catalogue.ts'

/** Reads the whole catalogue, as CATALOGUE=all publishes it: its records wait in a temporary file. */
export async function collectCatalogue(
  configuration: Configuration,
  directory: string,
  { itemFeatures, itemIds }: AlsModel,
  loaded: LoadedInteractions,
  stages: Stages,
  progress: Progress,
  signal: AbortSignal,
): Promise<WholeCatalogue> {
  const { name, payload } = configuration.items
  const catalogue = new WholeCatalogue({ vocabulary: itemFeatures!.vocabulary!, payload, directory })
  const read = async () => {
    const idKind = typeof itemIds!.at(0) === 'string' ? 'string' : 'integer'
    const rows = readItems({ ...itemsSource(configuration), idKind, threads: configuration.threads, signal })
    for await (const { id, values } of rows) {
      catalogue.add(id, values)
      if (catalogue.read % 1024 === 0)
        progress.update({ phase: 'catalogue', done: catalogue.read, total: 0, unit: name })
    }
    catalogue.finish(loaded)
    return describe(catalogue)
  }
  try {
    await stages.run('catalogue', read, (text) => text)
    return catalogue
  } catch (error) {
    catalogue.close()
    throw error
  }
}

/** What there is to publish, by evidence, and what is left out. */
function describe(catalogue: WholeCatalogue): string {
  const counts = { trained: 0, rare: 0, new: 0 }
  for (let row = 0; row < catalogue.length; row++) counts[catalogue.evidence(row)]++
  return [
    `${grouped(counts.trained)} trained`,
    `${grouped(counts.rare)} with a few interactions`,
    `${grouped(counts.new)} by their features alone`,
    catalogue.unplaced > 0 && `${grouped(catalogue.unplaced)} left out: nobody has them and no feature is known`,
    catalogue.repeated > 0 && `${grouped(catalogue.repeated)} left out: their ids came before`,
  ]
    .filter(Boolean)
    .join(', ')
}
