import { type FeatureMatrix, type FeatureRecord, type FeatureSpec, featuresFrom } from '@seesaw/als-core'
import type { Configuration } from '../configuration/schema.ts'
import { grouped } from '../text/format.ts'
import type { ItemStore } from './item-store.ts'
import type { Stages } from './stages.ts'

/** FEATURES as als-core takes them: a column with buckets by its intervals, others by their values. */
export function featureSpec({ items }: Pick<Configuration, 'items'>): FeatureSpec {
  return { fields: Object.fromEntries(items.features.map((name) => [name, items.buckets[name] ?? 'values'])) }
}

/** What the catalogue says of each row of the model; an item that it does not have has an empty row. */
export async function makeFeatures(
  configuration: Configuration,
  store: ItemStore,
  stages: Stages,
): Promise<FeatureMatrix | undefined> {
  if (configuration.items.features.length === 0) return undefined
  return stages.run(
    'features',
    async () => featuresFrom(recordsOf(store), featureSpec(configuration)),
    ({ features, indices, rows, names }) =>
      `${grouped(features)} of ${fieldsOf(names)}, ${(indices.length / rows).toFixed(1)} per item`,
  )
}

/** The store's values by row, as often as they are asked for. */
function recordsOf(store: ItemStore): Iterable<FeatureRecord | undefined> {
  return {
    *[Symbol.iterator]() {
      for (let row = 0; row < store.length; row++) yield store.values(row)
    },
  }
}

/** The columns that features come from, as 'artists, styles'. */
function fieldsOf(names: FeatureMatrix['names']): string {
  const fields = new Set<string>()
  for (let feature = 0; feature < names.length; feature++) fields.add(names.at(feature)!.split('=')[0]!)
  return [...fields].join(', ')
}
