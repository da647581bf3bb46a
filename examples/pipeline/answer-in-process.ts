import { type AlsModel, Recommender } from '@seesaw/als-core'
import type { Configuration } from '../configuration/schema.ts'
import type { ItemStore } from './item-store.ts'
import { type Answerer, passes } from './questions.ts'
import { vectorFor, vectorNames } from './served-vectors.ts'

/** Answers from the model in this process: exact, over all items. */
export function answerInProcess(configuration: Configuration, model: AlsModel, items: ItemStore): Answerer {
  const recommender = new Recommender(model, { threads: configuration.threads })
  return {
    name: 'in process',
    async answer({ positive, negative, filter }, limit) {
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

/** The metric that is exact for the vector that Qdrant would be asked. */
function metricFor(configuration: Configuration, examples: number): 'cosine' | 'taste' {
  return vectorFor(configuration, examples) === vectorNames.similar ? 'cosine' : 'taste'
}
