import { type AlsModel, Recommender } from '@seesaw/als-core'
import type { ItemStore } from './item-store.ts'
import { type Answerer, passes } from './questions.ts'

/** Answers from the model in this process: exact, over all items. */
export function answerInProcess(model: AlsModel, items: ItemStore, threads: number): Answerer {
  const recommender = new Recommender(model, { threads })
  return {
    name: 'in process',
    async answer({ positive, negative, filter }, limit) {
      const rows = (list: typeof positive) => list.map((item) => recommender.itemRow(item.item_id))
      const filtered = Object.keys(filter).length > 0
      const found = await recommender.blend(
        { positive: rows(positive), negative: rows(negative) },
        { limit, ...(filtered && { where: (row: number) => passes(items.payload(row), filter) }) },
      )
      return Array.from(found, ({ row, score }) => ({ item: items.payload(row), score }))
    },
    close: () => recommender.close(),
  }
}
