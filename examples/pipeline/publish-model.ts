import { type AlsModel, tasteSpace } from '@seesaw/als-core'
import { publish } from '@seesaw/qdrant-sink'
import type { Configuration } from '../configuration/schema.ts'
import { bytes, grouped } from './format.ts'
import type { ItemStore } from './item-store.ts'
import type { Progress } from './progress.ts'
import type { Stages } from './stages.ts'

/** What a vector is in the index: in the taste space, by inner product. */
export function vectorShape(factors: number) {
  return { dimension: factors, distance: 'Dot' as const }
}

/** Publishes the items under COLLECTION_ALIAS: the alias moves when all is there and checked, or not at all. */
export async function publishModel(
  configuration: Configuration,
  model: AlsModel,
  items: ItemStore,
  stages: Stages,
  progress: Progress,
  signal: AbortSignal,
): Promise<void> {
  const { url, apiKey, alias, allowNewShape, concurrency, batchSize } = configuration.qdrant
  const whole = typeof model.itemIds?.at(0) !== 'string'
  await stages.run(
    'publish',
    async () => {
      const { threads } = configuration
      // In the taste space the average of a few items is nearly the user who has them, as in process.
      const space = await tasteSpace(model, { threads, signal })
      const data = await space.itemVectors(model.itemFactors, { threads, signal })
      return publish({
        url,
        apiKey,
        alias,
        vectors: { ids: model.itemIds ?? rowNumbers(model.items), data, ...vectorShape(model.factors) },
        payloads: (row) => ({ ...items.payload(row) }),
        indexes: {
          item_id: whole ? { type: 'integer', lookup: true, range: false } : 'keyword',
          interaction_count: { type: 'integer', lookup: false, range: true },
          ...configuration.items.indexes,
        },
        allowNewShape,
        concurrency,
        batchSize,
        signal,
        onProgress: ({ phase, points, totalPoints, indexed, bytes: sent, retries }) =>
          progress.update({
            phase,
            done: phase === 'ready' ? Math.round((indexed ?? 0) * totalPoints) : points,
            total: totalPoints,
            unit: 'points',
            note: `${bytes(sent)} sent${retries > 0 ? `, ${retries} retries` : ''}`,
          }),
      })
    },
    ({ points }) => `${grouped(points)} points behind the alias ${alias}`,
  )
}

/** Ids of a model whose items have none. */
export function rowNumbers(items: number): Uint32Array {
  return Uint32Array.from({ length: items }, (_, row) => row)
}
