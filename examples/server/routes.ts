import {
  type BlendOptions,
  OptionError,
  type RankOptions,
  type Recommendations,
  type Recommender,
  type RecommendOptions,
} from '@seesaw/als-core'
import type { FastifyInstance } from 'fastify'
import { blend, explanation, type Filter, history, type Ids, similarItems, userRecommendations } from './schemas.ts'

interface Listed extends Filter {
  readonly limit: number
}

/** The questions that a recommender answers, by the ids of the shop. */
export function addRoutes(app: FastifyInstance, recommender: Recommender): void {
  app.get<{
    Params: { user: string }
    Querystring: Listed & Pick<RecommendOptions, 'fallback'>
  }>('/users/:user/recommendations', { schema: userRecommendations }, async ({ params, query }) => {
    const options = { ...rankOptions(query, query.limit), ...pick(query, 'fallback') }
    // Of a user who is not in the model as little is known as of one without items.
    const isUnknown = query.fallback === 'mostPopular' && !recommender.hasUser(params.user)
    return toBody(
      isUnknown
        ? await recommender.recommendForHistory({ items: [] }, options)
        : await recommender.recommend(params.user, options),
    )
  })

  app.get<{ Params: { user: string; item: string } }>(
    '/users/:user/explanations/:item',
    { schema: explanation },
    async ({ params }) => {
      const { score, contributions } = await recommender.explain(params.user, params.item)
      return { score, because: contributions.map(({ id, contribution }) => ({ id, adds: contribution })) }
    },
  )

  app.get<{ Params: { item: string }; Querystring: Listed & Pick<BlendOptions, 'metric'> }>(
    '/items/:item/similar',
    { schema: similarItems },
    async ({ params, query }) =>
      toBody(
        await recommender.similarItems(params.item, { ...rankOptions(query, query.limit), ...pick(query, 'metric') }),
      ),
  )

  app.post<{
    Body: { positive: Ids; negative?: Ids; confidence?: number[]; limit: number; filter?: Filter } & Pick<
      BlendOptions,
      'metric'
    >
  }>('/blends', { schema: blend }, async ({ body }) => {
    const { positive, negative, confidence, limit, filter } = body
    const options = { ...rankOptions(filter, limit), ...pick(body, 'metric') }
    const examples = { positive: toStrings(positive), negative: toStrings(negative ?? []), confidence }
    return toBody(await recommender.blend(examples, options))
  })

  app.post<{
    Body: { items: Ids; values?: number[]; skipUnknown: boolean; limit: number; filter?: Filter } & Pick<
      RecommendOptions,
      'fallback'
    >
  }>('/recommendations', { schema: history }, async ({ body }) => {
    const { values, skipUnknown, limit, filter } = body
    const items = toStrings(body.items)
    const options = { ...rankOptions(filter, limit), ...pick(body, 'fallback') }
    if (!skipUnknown) return toBody(await recommender.recommendForHistory({ items, values }, options))
    if (values && values.length !== items.length) {
      throw new OptionError(`There are ${items.length} items and ${values.length} values, expected one for each.`)
    }
    const isKnown = items.map((item) => recommender.hasItem(item))
    const known = <T>(list: readonly T[]): T[] => list.filter((_, place) => isKnown[place])
    const history = { items: known(items), values: values && known(values) }
    const list = toBody(await recommender.recommendForHistory(history, options))
    return { ...list, unknown: items.filter((_, place) => !isKnown[place]) }
  })
}

function rankOptions(filter: Filter = {}, limit: number): RankOptions {
  const { allow, deny, minInteractions: min, maxInteractions: max } = filter
  return {
    limit,
    ...(allow && { allow: toStrings(allow) }),
    ...(deny && { deny: toStrings(deny) }),
    ...((min !== undefined || max !== undefined) && { interactionCount: { min, max } }),
  }
}

/** A number would be a row of the model. */
function toStrings(ids: Ids): string[] {
  return ids.map(String)
}

/** A property where it is there: an option that is undefined is none. */
function pick<T extends object, K extends keyof T>(from: T, name: K): Partial<Pick<T, K>> {
  return from[name] === undefined ? {} : ({ [name]: from[name] } as Pick<T, K>)
}

function toBody({ ids, scores }: Recommendations): { items: { id: number | string; score: number }[] } {
  return { items: ids.map((id, place) => ({ id, score: scores[place]! })) }
}
