import { type AlsModel, Recommender, vectorFor } from '@seesaw/als-core'
import type { Configuration } from '../configuration/schema.ts'
import type { ItemStore } from './item-store.ts'
import { type Answerer, passes } from './questions.ts'
import { vectorNames, vectorToAsk } from './served-vectors.ts'
import type { WholeCatalogue } from './whole-catalogue.ts'

/**
 * Answers from the model in this process: exact, over all items of the model. A question may be about an item of the
 * catalogue that the model was not trained on.
 */
export function answerInProcess(
  configuration: Configuration,
  model: AlsModel,
  items: ItemStore,
  catalogue?: WholeCatalogue,
): Answerer {
  const recommender = new Recommender(model, { threads: configuration.threads })
  return {
    name: 'in process',
    async answer({ positive, negative, filter }, limit) {
      const [first] = positive
      if (catalogue && first?.evidence === 'new') {
        const vector = vectorFor(model, catalogue.values(catalogue.rowOf(first.item_id)!))
        const near = nearest(model, vector, limit, (row) => passes(items.payload(row), filter))
        return near.map(({ row, score }) => ({ item: items.payload(row), score }))
      }
      const rows = (list: typeof positive) => list.map((item) => recommender.itemRow(item.item_id))
      const filtered = Object.keys(filter).length > 0
      const found = await recommender.blend(
        { positive: rows(positive), negative: rows(negative) },
        {
          limit,
          metric: metricFor(configuration, positive.length),
          ...(filtered && { where: (row: number) => passes(items.payload(row), filter) }),
        },
      )
      return Array.from(found, ({ row, score }) => ({ item: items.payload(row), score }))
    },
    close: () => recommender.close(),
  }
}

/** The items of the model nearest to a vector by cosine: one pass over all of them. */
function nearest(
  { factors: k, items, itemFactors }: AlsModel,
  vector: Float32Array,
  limit: number,
  isAllowed: (row: number) => boolean,
): { row: number; score: number }[] {
  const length = Math.hypot(...vector)
  const scores = Float64Array.from({ length: items }, (_, row) => {
    let [product, squares] = [0, 0]
    for (let f = 0; f < k; f++) {
      const value = itemFactors[row * k + f]!
      product += value * vector[f]!
      squares += value * value
    }
    return squares > 0 ? product / (length * Math.sqrt(squares)) : 0
  })
  const order = Uint32Array.from(scores.keys()).sort((a, b) => scores[b]! - scores[a]! || a - b)
  const found: { row: number; score: number }[] = []
  for (const row of order) {
    if (found.length === limit) break
    if (isAllowed(row)) found.push({ row, score: scores[row]! })
  }
  return found
}

/** The metric that is exact for the vector that Qdrant would be asked. */
function metricFor(configuration: Configuration, examples: number): 'cosine' | 'taste' {
  return vectorToAsk(configuration, examples) === vectorNames.similar ? 'cosine' : 'taste'
}
