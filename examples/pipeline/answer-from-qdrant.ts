import { blend, type Condition, Index, match, range } from '@seesaw/qdrant-sink'
import type { Configuration } from './configuration.ts'
import type { ReleasePayload } from './payload.ts'
import type { Answerer, QuestionFilter } from './questions.ts'

/** Answers from what COLLECTION_ALIAS points to. */
export function answerFromQdrant(configuration: Configuration): Answerer {
  const { QDRANT_URL: url, QDRANT_API_KEY: apiKey, COLLECTION_ALIAS: alias } = configuration
  const index = new Index<ReleasePayload>({ url, apiKey, alias })
  return {
    name: `from Qdrant at ${url}`,
    async answer({ positive, negative, filter }, limit) {
      const examples = (releases: typeof positive) => releases.map((release) => release.item_id)
      const must = conditions(filter)
      const found = await index.query(
        blend({
          positive: examples(positive),
          negative: examples(negative),
          limit,
          ...(must.length > 0 && { filter: { must } }),
        }),
      )
      return found.map(({ payload, score }) => ({ release: payload, score }))
    },
    close: () => index.close(),
  }
}

function conditions({ genre, years, interactions }: QuestionFilter): Condition[] {
  return [
    ...(genre === undefined ? [] : [match('genres', genre)]),
    ...(years === undefined ? [] : [range('year', { gte: years[0], lte: years[1] })]),
    ...(interactions === undefined ? [] : [range('interaction_count', { gte: interactions[0], lte: interactions[1] })]),
  ]
}
