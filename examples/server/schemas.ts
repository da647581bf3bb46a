/** What requests and answers look like, in JSON Schema: fastify checks the first and writes the second by them. */

const id = { type: 'string', minLength: 1, maxLength: 512 } as const
const count = { type: 'integer', minimum: 0 } as const
const limit = { type: 'integer', minimum: 1, maximum: 1000, default: 10 } as const
const metric = { type: 'string', enum: ['cosine', 'taste', 'dot'] } as const

/** An id may be sent as an integer: it is taken by its digits. Above 2^53 JSON has lost some of them. */
const safe = { minimum: Number.MIN_SAFE_INTEGER, maximum: Number.MAX_SAFE_INTEGER } as const
const ids = { type: 'array', items: { ...id, ...safe, type: ['string', 'integer'] }, maxItems: 10_000 } as const

const filter = {
  type: 'object',
  additionalProperties: false,
  properties: { allow: ids, deny: ids, minInteractions: count, maxInteractions: count },
} as const

const counts = { minInteractions: count, maxInteractions: count } as const

const list = {
  type: 'object',
  properties: {
    items: {
      type: 'array',
      items: { type: 'object', properties: { id: { type: ['string', 'integer'] }, score: { type: 'number' } } },
    },
  },
} as const

const idsOfAnswer = { type: 'array', items: { type: 'string' } } as const

const fault = { type: 'object', properties: { code: { type: 'string' }, message: { type: 'string' } } } as const

const lists = { 200: list, '4xx': fault, '5xx': fault } as const

const parameters = (...names: string[]) => ({
  type: 'object',
  properties: Object.fromEntries(names.map((name) => [name, id])),
})

export const userRecommendations = {
  params: parameters('user'),
  querystring: {
    type: 'object',
    additionalProperties: false,
    properties: { limit, ...counts, fallback: { type: 'string', enum: ['none', 'mostPopular'] } },
  },
  response: lists,
} as const

export const similarItems = {
  params: parameters('item'),
  querystring: { type: 'object', additionalProperties: false, properties: { limit, metric, ...counts } },
  response: lists,
} as const

export const explanation = {
  params: parameters('user', 'item'),
  response: {
    200: {
      type: 'object',
      properties: {
        score: { type: 'number' },
        because: {
          type: 'array',
          items: { type: 'object', properties: { id: { type: ['string', 'integer'] }, adds: { type: 'number' } } },
        },
      },
    },
    '4xx': fault,
    '5xx': fault,
  },
} as const

export const blend = {
  body: {
    type: 'object',
    additionalProperties: false,
    required: ['positive'],
    properties: {
      positive: { ...ids, minItems: 1 },
      negative: ids,
      confidence: { type: 'array', items: { type: 'number', exclusiveMinimum: 0 }, maxItems: 10_000 },
      metric,
      limit,
      filter,
    },
  },
  response: lists,
} as const

export const history = {
  body: {
    type: 'object',
    additionalProperties: false,
    required: ['items'],
    properties: {
      items: ids,
      values: { type: 'array', items: { type: 'number' }, maxItems: 10_000 },
      fallback: { type: 'string', enum: ['none', 'mostPopular'] },
      skipUnknown: { type: 'boolean', default: false },
      limit,
      filter,
    },
  },
  response: { ...lists, 200: { ...list, properties: { ...list.properties, unknown: idsOfAnswer } } },
} as const

/** As they are posted. */
export type Ids = readonly (string | number)[]

export interface Filter {
  readonly allow?: Ids
  readonly deny?: Ids
  readonly minInteractions?: number
  readonly maxInteractions?: number
}
