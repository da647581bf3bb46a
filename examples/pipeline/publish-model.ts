import { publish, type VectorInput } from '@seesaw/qdrant-sink'
import type { Configuration } from '../configuration/schema.ts'
import { bytes, grouped } from '../text/format.ts'
import type { ItemStore } from './item-store.ts'
import type { Progress } from './progress.ts'
import type { Stages } from './stages.ts'

/** What is published, in memory or as streams. */
export interface ServedVectors {
  readonly items: VectorInput
  readonly users?: VectorInput
  /** Ends what makes a stream. */
  close?(): Promise<void>
}

/**
 * Publishes items under COLLECTION_ALIAS: the alias moves when all is there and checked, or not at all.
 *
 * @param items what is published: the items of the model or a whole catalogue
 */
export async function publishModel(
  configuration: Configuration,
  makeVectors: () => Promise<ServedVectors>,
  items: Pick<ItemStore, 'payload'>,
  stages: Stages,
  progress: Progress,
  signal: AbortSignal,
): Promise<void> {
  const { url, apiKey, alias, allowNewShape, concurrency, batchSize } = configuration.qdrant
  const integers = typeof items.payload(0).item_id !== 'string'
  await stages.run(
    'publish',
    async () => {
      const vectors = await makeVectors()
      const close = vectors.close ?? (async () => {})
      await using _ = { [Symbol.asyncDispose]: close }
      return await publish({
        url,
        apiKey,
        alias,
        vectors: vectors.items,
        ...(vectors.users && { users: { vectors: vectors.users } }),
        payloads: (row) => ({ ...items.payload(row) }),
        indexes: {
          item_id: integers ? { type: 'integer', lookup: true, range: false } : 'keyword',
          interaction_count: { type: 'integer', lookup: false, range: true },
          ...(configuration.items.catalogue === 'all' && { evidence: 'keyword' as const }),
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
