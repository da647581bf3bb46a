import type { AlsModel } from '@seesaw/als-core'
import { generations, publish } from '@seesaw/qdrant-sink'
import type { Configuration } from './configuration.ts'
import { bytes, grouped } from './format.ts'
import { releaseIndexes } from './payload.ts'
import type { Progress } from './progress.ts'
import type { ReleaseStore } from './release-store.ts'
import type { Stages } from './stages.ts'

/** Asks the server who serves now: a wrong URL or key is better known before hours of work than after. */
export async function findServing(configuration: Configuration, stages: Stages, signal: AbortSignal): Promise<void> {
  const { QDRANT_URL: url, QDRANT_API_KEY: apiKey, COLLECTION_ALIAS: alias } = configuration
  const look = async () => {
    try {
      return await generations({ url, apiKey, alias, retry: { retries: 2 }, signal })
    } catch (error) {
      throw new Error(`Qdrant at ${url} does not answer: check QDRANT_URL and QDRANT_API_KEY.`, { cause: error })
    }
  }
  await stages.run('qdrant', look, (found) => {
    const live = found.find(({ state }) => state === 'live')
    return live
      ? `${live.collection} serves, about ${grouped(live.points)} points`
      : `no generation of ${alias} serves yet`
  })
}

/** Publishes the items under COLLECTION_ALIAS: the alias moves when all is there and checked, or not at all. */
export async function publishModel(
  configuration: Configuration,
  model: AlsModel,
  releases: ReleaseStore,
  stages: Stages,
  progress: Progress,
  signal: AbortSignal,
): Promise<void> {
  const { QDRANT_URL: url, QDRANT_API_KEY: apiKey, COLLECTION_ALIAS: alias, MAX_WORKERS, BATCH_SIZE } = configuration
  await stages.run(
    'publish',
    () =>
      publish({
        url,
        apiKey,
        alias,
        vectors: { ids: model.itemIds ?? rowNumbers(model.items), data: model.itemFactors, dimension: model.factors },
        payloads: (row) => ({ ...releases.payload(row) }),
        indexes: releaseIndexes,
        concurrency: MAX_WORKERS,
        batchSize: BATCH_SIZE,
        signal,
        onProgress: ({ phase, points, totalPoints, indexed, bytes: sent, retries }) =>
          progress.update({
            phase,
            done: phase === 'ready' ? Math.round((indexed ?? 0) * totalPoints) : points,
            total: totalPoints,
            unit: 'points',
            note: `${bytes(sent)} sent${retries > 0 ? `, ${retries} retries` : ''}`,
          }),
      }),
    () => `${grouped(model.items)} points behind the alias ${alias}`,
  )
}

/** Ids of a model whose items have none. */
export function rowNumbers(items: number): Uint32Array {
  return Uint32Array.from({ length: items }, (_, row) => row)
}
