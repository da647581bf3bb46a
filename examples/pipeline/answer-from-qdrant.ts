import { blend, type Condition, Index, match, range } from '@seesaw/qdrant-sink'
import type { Configuration } from '../configuration/schema.ts'
import type { ItemPayload } from './payload.ts'
import type { Answerer, QuestionFilter } from './questions.ts'
import { vectorNames, vectorToAsk, weighsItems } from './served-vectors.ts'

/** Answers from what COLLECTION_ALIAS points to. */
export function answerFromQdrant(configuration: Configuration): Answerer {
  const { url, apiKey, alias } = configuration.qdrant
  const index = new Index<ItemPayload>({ url, apiKey, alias })
  return {
    name: `from Qdrant at ${url}`,
    async answer({ positive, negative, filter }, limit) {
      const examples = (items: typeof positive) => items.map((item) => item.item_id)
      const must = conditions(filter)
      const using = vectorToAsk(configuration, positive.length)
      const weighted = using === vectorNames.taste && weighsItems(configuration)
      const found = await index.query(
        blend({
          positive: examples(positive),
          negative: examples(negative),
          limit,
          using,
          ...(weighted && { examplesFrom: { alias, vector: vectorNames.example } }),
          ...(must.length > 0 && { filter: { must } }),
        }),
      )
      return found.map(({ payload, score }) => ({ item: payload, score }))
    },
    close: () => index.close(),
  }
}

function conditions({ has = {}, between = {} }: QuestionFilter): Condition[] {
  return [
    ...Object.entries(has).map(([column, value]) => match(column, value)),
    ...Object.entries(between).map(([column, [gte, lte]]) => range(column, { gte, lte })),
  ]
}
