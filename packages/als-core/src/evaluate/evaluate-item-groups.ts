import type { AlsModel } from '../model/als-model.ts'
import type { RecommendationSource } from '../recommend/recommendations.ts'
import { type EvaluateOptions, evaluate, type ItemGroup } from './evaluate.ts'
import type { RankingMetrics } from './ranking-metrics.ts'

export interface ItemGroupOptions extends Omit<EvaluateOptions, 'items' | 'groups' | 'auc' | 'k'> {
  /** Length of list. Default 20. */
  k?: number
  /** Such as those of `splitColdItems`; groups without items are left out. */
  groups: readonly ItemGroup[]
}

/** A line of the table of warm, rare, new and all items. */
export interface ItemGroupFigures {
  readonly name: string
  /** Number of items. */
  readonly items: number
  /** Lists of the group's items alone: how well they are ordered among themselves. Averages over users with some to find. */
  readonly amongThemselves: RankingMetrics
  /**
   * Lists over all items: how many of the group's are found there, and in `coverage` how many of them anybody is shown.
   */
  readonly amongAll: RankingMetrics
}

/**
 * One line for each group of items and one for all of them, by name 'all', whose coverage is that of the whole catalogue.
 * A group of which nothing is to be found has metrics of 0 users.
 *
 * @throws as `evaluate`
 */
export async function evaluateItemGroups(
  source: AlsModel | RecommendationSource,
  { groups, k = 20, ...options }: ItemGroupOptions,
): Promise<ItemGroupFigures[]> {
  const filled = groups.filter(({ items }) => items.length > 0)
  const whole = await evaluate(source, { ...options, k, groups: filled })
  const figures: ItemGroupFigures[] = []
  for (const [n, { name, items }] of filled.entries()) {
    const alone = await evaluate(source, { ...options, k, items, groups: [] })
    figures.push({
      name,
      items: items.length,
      amongThemselves: alone.at[k],
      amongAll: whole.buckets[n].at[k],
    })
  }
  const all = whole.at[k]
  figures.push({ name: 'all', items: options.train.items, amongThemselves: all, amongAll: all })
  return figures
}
