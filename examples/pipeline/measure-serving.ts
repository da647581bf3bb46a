import {
  type EvaluateServingOptions,
  evaluateServing,
  type ServingFigures,
  type ServingIndex,
  tasteSpace,
} from '@seesaw/als-core'
import { blend, hasId, Index, match, similar } from '@seesaw/qdrant-sink'
import type { Configuration } from '../configuration/schema.ts'
import type { ItemStore } from './item-store.ts'
import type { Learned } from './learn.ts'
import type { ItemPayload } from './payload.ts'
import { vectorNames, weighsItems } from './served-vectors.ts'
import { type Row, renderTable } from './tables.ts'

/** Users to ask for: enough to tell 0.02 of recall apart, a few seconds of questions. */
const USERS = 200

/** How good the answers are that users get, and how good exact ones would be where theirs are not. */
export interface Served {
  readonly figures: readonly ServingFigures[]
  readonly exact?: readonly ServingFigures[]
}

/**
 * Asks what users ask, of Qdrant after publishing and otherwise in process, and measures the answers on what was held out.
 */
export async function measureServing(
  configuration: Configuration,
  { model, matrix: train, heldOut: test }: Pick<Learned, 'model' | 'matrix' | 'heldOut'>,
  items: ItemStore,
  signal: AbortSignal,
): Promise<Served> {
  if (!test) return { figures: [] }
  const { qdrant, threads, seed } = configuration
  const metrics = { both: ['taste', 'cosine'], taste: ['taste'], similar: ['cosine'] }[qdrant.vectors]
  const options = { train, test, users: USERS, metrics, threads, seed, signal } as EvaluateServingOptions
  const exact = await evaluateServing(model, options)
  if (!qdrant.url) return { figures: exact }
  const { url, apiKey, alias } = qdrant
  const published = new Index<ItemPayload>({ url, apiKey, alias })
  try {
    const index = await qdrantIndex(configuration, published, { model, items, signal })
    return { figures: await evaluateServing(model, { ...options, index }), exact }
  } finally {
    await published.close()
  }
}

/** The published items as an index: a question becomes the query that a shop would send. */
async function qdrantIndex(
  configuration: Configuration,
  index: Index<ItemPayload>,
  { model, items, signal }: Pick<Learned, 'model'> & { items: ItemStore; signal: AbortSignal },
): Promise<ServingIndex> {
  const { qdrant, threads, items: published } = configuration
  const { factors, userFactors } = model
  const space = qdrant.vectors === 'similar' ? undefined : await tasteSpace(model, { threads, signal })
  const users = await space?.userVectors(userFactors, { threads, signal })
  const rows = new Map(Array.from({ length: items.length }, (_, row) => [items.payload(row).item_id, row]))
  const ids = (list: ArrayLike<number>) => Array.from(list, (row) => items.payload(row).item_id)
  const weighted = weighsItems(configuration)
  return {
    async answer({ metric, user, positive, exclude, limit }, signal) {
      const using = metric === 'taste' ? vectorNames.taste : vectorNames.similar
      const filter = {
        must_not: [hasId(ids(exclude))],
        // What was held out can be found among the items of the model alone, and so do the exact answers look.
        ...(published.catalogue === 'all' && { must: [match('evidence', 'trained')] }),
      }
      const query =
        positive.length === 0
          ? similar(users!.subarray(user * factors, (user + 1) * factors), { using, limit, filter })
          : blend({
              positive: ids(positive),
              using,
              limit,
              filter,
              ...(weighted &&
                metric === 'taste' && { examplesFrom: { alias: qdrant.alias, vector: vectorNames.example } }),
            })
      const found = await index.query(query, { signal })
      return found.map(({ payload }) => rows.get(payload.item_id)!)
    },
  }
}

const asked = { user: 'their own vector', blend: 'all their items', recent: 'five of them', seed: 'one of them' }

/** What users get, by what they ask by. */
export function renderServing(figures: readonly ServingFigures[]): string {
  const rows = figures.map(
    ({ kind, metric, recall, ndcg, agreement, meanPopularity, coverage, p50 }): Row => ({
      'users ask by': asked[kind],
      vectors: metric === 'taste' ? vectorNames.taste : vectorNames.similar,
      'Recall@20': recall.toFixed(4),
      'NDCG@20': ndcg.toFixed(4),
      'as exact': `${(100 * agreement).toFixed(1)} %`,
      interactions: meanPopularity.toFixed(0),
      'catalogue shown': `${(100 * coverage).toFixed(1)} %`,
      'median time': `${p50.toFixed(1)} ms`,
    }),
  )
  return renderTable(rows, Object.keys(rows[0] ?? {}).slice(2))
}
