import {
  type AlsModel,
  type ColdItemsSplit,
  contentNeighbours,
  evaluateItemGroups,
  type FeatureMatrix,
  foldInItems,
  type InteractionMatrix,
  type ItemGroupFigures,
  mostPopular,
  type RecommendationSource,
  recommendedOptions,
  splitColdItems,
  train,
} from '@seesaw/als-core'
import type { Configuration } from '../configuration/schema.ts'
import { grouped } from '../text/format.ts'
import type { Progress } from './progress.ts'
import type { Stages } from './stages.ts'
import { type Row, renderTable } from './tables.ts'

/** Of the two trainings to compare, which are to take seconds: more change little in how they compare. */
const [FACTORS, ITERATIONS] = [32, 6]
/** Users to measure with, evenly among all: enough to tell a hundredth apart. */
const USERS = 1000

/** How well one way to recommend finds warm, rare, new and all items. */
export interface NewItemsFigures {
  readonly name: string
  readonly groups: readonly ItemGroupFigures[]
}

/**
 * What features are worth: trains with and without them on a part of the matrix, in which a tenth of the items look as if nobody
 * had them yet, and another tenth as if five users did. By the settings that `recommendedOptions` finds for the data: with a small
 * regularization, features say little beside five interactions.
 */
export async function measureNewItems(
  configuration: Configuration,
  matrix: InteractionMatrix,
  features: FeatureMatrix,
  stages: Stages,
  progress: Progress,
  signal: AbortSignal,
): Promise<NewItemsFigures[]> {
  const { seed, threads } = configuration
  const split = splitColdItems(matrix, 0.1, { rare: 0.1, among: described(features), seed })
  const { options } = recommendedOptions(split.train, { factors: Math.min(FACTORS, configuration.training.factors) })
  const learn = async (name: string, itemFeatures?: FeatureMatrix): Promise<AlsModel> => {
    const model = await train(split.train, {
      ...options,
      iterations: ITERATIONS,
      itemFeatures,
      seed,
      threads,
      signal,
      onProgress: ({ iteration, iterations, fraction }) =>
        progress.update({ phase: name, done: iteration - 1 + fraction, total: iterations, unit: 'iterations' }),
    })
    return withColdItems(model, split, itemFeatures, { threads, signal })
  }
  const measure = async (name: string, source: AlsModel | RecommendationSource): Promise<NewItemsFigures> => {
    const { known: train, test, groups } = split
    const step = Math.max(1, Math.floor(matrix.users / USERS))
    const users = Array.from({ length: Math.floor(matrix.users / step) }, (_, n) => n * step)
    return { name, groups: await evaluateItemGroups(source, { train, test, groups, users, threads, signal }) }
  }
  return stages.run(
    'new items',
    async () => [
      await measure('with features', await learn('with features', features)),
      await measure('without', await learn('without features')),
      await measure('content kNN', contentNeighbours(split.known, features)),
      await measure('most popular', mostPopular(split.known)),
    ],
    () => {
      const [, rare, fresh] = split.groups
      return `${grouped(fresh.items.length)} items held out whole, ${grouped(rare.items.length)} but for a few entries`
    },
  )
}

/** The model with the rare items folded in and the new ones predicted, where it can. */
async function withColdItems(
  model: AlsModel,
  { rare, groups }: ColdItemsSplit,
  features: FeatureMatrix | undefined,
  options: { threads: number; signal: AbortSignal },
): Promise<AlsModel> {
  const k = model.factors
  const folded = await foldInItems(model, rare, { ...options, features })
  const itemFactors = new Float32Array(new SharedArrayBuffer(model.itemFactors.byteLength))
  itemFactors.set(model.itemFactors)
  for (const { items } of groups.slice(1)) {
    for (let i = 0; i < items.length; i++) {
      const item = items[i]!
      itemFactors.set(folded.subarray(item * k, (item + 1) * k), item * k)
    }
  }
  return { ...model, itemFactors }
}

/** Items of which something is known. */
function described({ rows, indptr }: FeatureMatrix): number[] {
  return Array.from({ length: rows }, (_, row) => row).filter((row) => indptr[row + 1]! > indptr[row]!)
}

/** One line for each way to recommend. */
export function renderNewItems(figures: readonly NewItemsFigures[]): string {
  const rows = figures.map(({ name, groups }): Row => {
    const all = groups.at(-1)!.amongAll
    const cells = groups
      .slice(0, -1)
      .map((group) => [`Recall@20: ${group.name}`, group.amongThemselves.recall.toFixed(4)])
    return {
      'recommended by': name,
      ...Object.fromEntries(cells),
      'all items': all.recall.toFixed(4),
      'catalogue shown': `${(100 * all.coverage).toFixed(1)} %`,
    }
  })
  return [
    'Items that many, five or no users had in the training (warm, rare, new), each among its like, and all together:',
    renderTable(rows, Object.keys(rows[0] ?? {}).slice(1)),
  ].join('\n')
}
