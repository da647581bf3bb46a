import {
  evaluate,
  type InteractionMatrix,
  itemNeighbours,
  mostPopular,
  type RankingMetrics,
  type RecommendationSource,
  Recommender,
} from '@seesaw/als-core'
import type { Configuration } from '../configuration/schema.ts'
import type { QualityRecord } from '../report/run-record.ts'
import { compact, grouped } from '../text/format.ts'
import type { Learned } from './learn.ts'
import type { Progress } from './progress.ts'
import { recordPopularity } from './record-data.ts'
import type { Recorder } from './recorder.ts'
import { sampleUsers } from './sample-users.ts'
import type { Stages } from './stages.ts'
import { Tally } from './tally.ts'

/** How well a source of recommendations finds the entries held out. */
export interface Quality {
  readonly name: string
  readonly metrics: RankingMetrics
  /** Measured on some of the users: what is shown of the catalogue cannot be compared. */
  readonly sampled?: boolean
}

type MeasureOne = (name: string, source: RecommendationSource, some?: Uint32Array) => Promise<Quality>

/** Pairs of items that item kNN may count: 50 ns each on one thread, during which nothing else happens. */
const MOST_PAIRS = 1.5e8
/** Users to measure item kNN with, 0.3 ms each, and to make lists for where nothing was held out. */
const SAMPLE = 2000

/**
 * Measures the model, and what it has to be better than, on the entries held out. Without them it looks at what is
 * recommended to some users, for the report alone, and returns nothing.
 */
export async function measure(
  { threads, seed }: Configuration,
  { model, matrix, heldOut }: Learned,
  recorder: Recorder,
  stages: Stages,
  progress: Progress,
  signal: AbortSignal,
): Promise<Quality[]> {
  await recorder.attempt('popularity', () => {
    recorder.record.popularity = recordPopularity(matrix)
  })
  const recommender = new Recommender(model, { threads })
  try {
    if (!heldOut) {
      await recorder.attempt('what is recommended', async () => {
        const tally = new Tally(recommender, matrix)
        const users = sampleUsers([matrix], SAMPLE, seed)
        await tally.recommend(users, { limit: 20, exclude: matrix, signal })
        recorder.record.listed = { users: users.length, recommended: tally.recommended, coverage: tally.coverage }
      })
      return []
    }
    const measureOne: MeasureOne = async (name, source, some) => {
      const tally = new Tally(source, matrix, heldOut)
      const onProgress = ({ done, users }: { done: number; users: number }) =>
        progress.update({ phase: name, done, total: users, unit: 'users' })
      const { at, buckets } = await evaluate(tally, {
        train: matrix,
        test: heldOut,
        users: some,
        k: [20],
        threads,
        signal,
        onProgress,
      })
      const metrics = at[20]!
      await recorder.attempt(`the quality of ${name}`, () => {
        recorder.record.quality = [
          ...(recorder.record.quality ?? []),
          {
            name,
            ...figuresOf(metrics, some !== undefined),
            buckets: buckets.map(({ name, items, at }) => ({ name, items, recall: at[20]!.recall })),
            recommended: tally.recommended,
            ...tally.groups,
          },
        ]
      })
      return { name, metrics, sampled: some !== undefined }
    }
    return await stages.run(
      'evaluate',
      async () => [
        await measureOne('this model', recommender),
        ...(await measureNeighbours({ train: matrix, test: heldOut, seed }, recorder, measureOne)),
        await measureOne('most popular', mostPopular(matrix)),
      ],
      ([ours]) =>
        `${grouped(heldOut.entries)} held-out entries of ${grouped(ours!.metrics.users)} users ranked among all items`,
    )
  } finally {
    await recommender.close()
  }
}

/** Item kNN, where it does not take too long: its time grows with the square of what users have. */
async function measureNeighbours(
  { train, test, seed }: { train: InteractionMatrix; test: InteractionMatrix; seed: number },
  recorder: Recorder,
  measureOne: MeasureOne,
): Promise<Quality[]> {
  const pairs = countPairs(train)
  if (pairs > MOST_PAIRS) {
    recorder.leaveOut('Item kNN', `it would count ${compact(pairs)} pairs of items, more than ${compact(MOST_PAIRS)}`)
    return []
  }
  const users = sampleUsers([train, test], SAMPLE + 1, seed)
  const some = users.length > SAMPLE ? sampleUsers([train, test], SAMPLE, seed) : undefined
  return [await measureOne('item kNN', itemNeighbours(train), some)]
}

/** Σ over users of (entries)². */
function countPairs({ csr, users }: InteractionMatrix): number {
  let pairs = 0
  for (let user = 0; user < users; user++) pairs += (csr.indptr[user + 1]! - csr.indptr[user]!) ** 2
  return pairs
}

function figuresOf(metrics: RankingMetrics, sampled: boolean): Figures {
  const { users, recall, ndcg, map, mrr, hitRate, coverage, meanPopularity, gini } = metrics
  return { users, recall, ndcg, map, mrr, hitRate, meanPopularity, ...(!sampled && { coverage, gini }) }
}

type Figures = Omit<QualityRecord, 'name' | 'buckets' | 'recommended' | 'byUser' | 'byItem'>

/** Metrics side by side; shares in per cent where that reads better. */
export function describeQuality(quality: readonly Quality[]): Record<string, string>[] {
  return quality.map(({ name, metrics, sampled }) => ({
    'recommended by': name,
    'Recall@20': metrics.recall.toFixed(4),
    'NDCG@20': metrics.ndcg.toFixed(4),
    'users with a hit': `${(100 * metrics.hitRate).toFixed(1)} %`,
    'catalogue shown': sampled ? '' : `${(100 * metrics.coverage).toFixed(1)} %`,
  }))
}
