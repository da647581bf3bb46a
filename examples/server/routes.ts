import type { BlendOptions, RankOptions, Recommendations, Recommender, RecommendOptions } from '@seesaw/als-core'
import type { FastifyInstance } from 'fastify'
import { blend, explanation, type Filter, history, similarItems, userRecommendations } from './schemas.ts'

interface Listed extends Filter {
  readonly limit: number
}

/** The questions that a recommender answers, by the ids of the shop. */
export function addRoutes(app: FastifyInstance, recommender: Recommender): void {
  app.get<{
    Params: { user: string }
    Querystring: Listed & Pick<RecommendOptions, 'fallback'>
  }>('/users/:user/recommendations', { schema: userRecommendations }, async ({ params, query }) =>
    toBody(
      await recommender.recommend(params.user, { ...rankOptions(query, query.limit), ...pick(query, 'fallback') }),
    ),
  )

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
    Body: { positive: string[]; negative?: string[]; confidence?: number[]; limit: number; filter?: Filter } & Pick<
      BlendOptions,
      'metric'
    >
  }>('/blends', { schema: blend }, async ({ body }) => {
    const { positive, negative, confidence, limit, filter } = body
    const options = { ...rankOptions(filter, limit), ...pick(body, 'metric') }
    return toBody(await recommender.blend({ positive, negative, confidence }, options))
  })

  app.post<{
    Body: { items: string[]; values?: number[]; limit: number; filter?: Filter } & Pick<RecommendOptions, 'fallback'>
  }>('/recommendations', { schema: history }, async ({ body }) => {
    const { items, values, limit, filter } = body
    const options = { ...rankOptions(filter, limit), ...pick(body, 'fallback') }
    return toBody(await recommender.recommendForHistory({ items, values }, options))
  })
}

function rankOptions(filter: Filter = {}, limit: number): RankOptions {
  const { allow, deny, minInteractions: min, maxInteractions: max } = filter
  return {
    limit,
    ...(allow && { allow }),
    ...(deny && { deny }),
    ...((min !== undefined || max !== undefined) && { interactionCount: { min, max } }),
  }
}

/** A property where it is there: an option that is undefined is none. */
function pick<T extends object, K extends keyof T>(from: T, name: K): Partial<Pick<T, K>> {
  return from[name] === undefined ? {} : ({ [name]: from[name] } as Pick<T, K>)
}

function toBody({ ids, scores }: Recommendations): { items: { id: number | string; score: number }[] } {
  return { items: ids.map((id, place) => ({ id, score: scores[place]! })) }
}
