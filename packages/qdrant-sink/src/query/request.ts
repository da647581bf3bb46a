import type { Schemas } from '@qdrant/js-client-rest'
import { z } from 'zod'
import { checkOptions, type OptionKinds, only } from '../checks/check-options.ts'
import {
  anything,
  boolean,
  list,
  name,
  names,
  nonNegativeInteger,
  number,
  object,
  oneOf,
  positiveInteger,
  text,
} from '../checks/kinds.ts'
import { type Id, itemPoint } from '../points/point-id.ts'
import { type Filter, type FilterSpecification, hasId, toFilter } from './filter.ts'

/** A point of the collection by its id, as it was published, or a vector of one's own. */
export type Example = Id | number[] | Float32Array

export type QueryRequest = Schemas['QueryRequest']

export interface RequestOptions {
  /** Points to return. Default 10. */
  limit?: number
  /** Points to skip first. */
  offset?: number
  filter?: Filter | FilterSpecification
  /** Name of the vector to compare, in a collection with named ones. */
  using?: string
  /** True (default) for the whole payload, or the fields to return. */
  payload?: boolean | string[]
  /** Return the vectors too. Default false. */
  vector?: boolean
  /** Only points that score more; with `rescore`, also those that score as much. */
  scoreThreshold?: number
  /** Search parameters of the server, such as `{ hnsw_ef: 256 }` or `{ exact: true }`. */
  params?: Schemas['SearchParams']
  /** Ranks by something else than likeness alone, over the `candidates` nearest points. */
  rescore?: Rescore
}

/** The formula sees likeness as `$score` and payload fields by name. */
export interface Rescore {
  formula: Schemas['Expression']
  /** Values for points that lack a field. */
  defaults?: Record<string, unknown>
  /** Nearest points to rescore. Default 200. */
  candidates?: number
}

const rescoreKinds: OptionKinds<Rescore> = {
  formula: z.union([object, text, number], 'an expression'),
  defaults: object.optional(),
  candidates: positiveInteger.optional(),
}

const requestKinds: OptionKinds<RequestOptions> = {
  limit: positiveInteger.optional(),
  offset: nonNegativeInteger.optional(),
  filter: object.optional(),
  using: text.optional(),
  payload: z.union([boolean, names], 'true, false or an array of names of fields').optional(),
  vector: boolean.optional(),
  scoreThreshold: number.optional(),
  params: object.optional(),
  rescore: only(rescoreKinds).optional(),
}

export interface SimilarOptions extends RequestOptions {
  /**
   * Maximal marginal relevance: each next point is chosen for being like the query and unlike those already chosen. 0 is likeness
   * alone, 1 difference alone; chosen from the `candidates` (default 100) nearest.
   */
  diversity?: number | { diversity: number; candidates?: number }
}

const fromZeroToOne = z.number('a number from 0 to 1').min(0, 'a number from 0 to 1').max(1, 'a number from 0 to 1')
const diversityOptions = only({ diversity: fromZeroToOne, candidates: positiveInteger.optional() })
const similarKinds: OptionKinds<SimilarOptions> = {
  ...requestKinds,
  diversity: anything,
}
const similarOptions = only(similarKinds)

/** Points like one: `similar(1138)`. The point itself is left out. */
export function similar(example: Example, options: SimilarOptions = {}): QueryRequest {
  checkOptions('similar', similarOptions, options)
  const nearest = toInput(example)
  if (options.diversity === undefined) return request({ nearest }, options)
  if (options.rescore) throw new TypeError('`diversity` and `rescore` both choose the order, expected one of them.')
  const given = typeof options.diversity === 'object' ? options.diversity : { diversity: options.diversity }
  checkOptions('diversity', diversityOptions, given)
  const { diversity, candidates = 100 } = given
  const limit = Math.max(candidates, (options.limit ?? 10) + (options.offset ?? 0))
  return request({ nearest, mmr: { diversity, candidates_limit: limit } }, options)
}

export type Strategy = Schemas['RecommendStrategy']

export interface BlendOptions extends RequestOptions {
  positive?: Example[]
  negative?: Example[]
  /**
   * `average_vector` (default) looks near 2·mean(positive) - mean(negative); `best_score` takes each point by its nearest example, which
   * suits examples of different kinds and works with negatives alone; `sum_scores` adds up.
   */
  strategy?: Strategy
  /**
   * Where the vectors of the examples are taken from, when not from the one of `using`: an alias and a vector of it, such as the
   * collection's own `taste_example`, which holds each item's vector times its confidence.
   */
  examplesFrom?: { alias: string; vector: string }
}

const blendKinds: OptionKinds<BlendOptions> = {
  ...requestKinds,
  positive: list.optional(),
  negative: list.optional(),
  strategy: oneOf('average_vector', 'best_score', 'sum_scores').optional(),
  examplesFrom: only({ alias: name, vector: text }).optional(),
}
const blendOptions = only(blendKinds)

/** Points like several and unlike others. The examples are left out. */
export function blend(given: BlendOptions): QueryRequest {
  checkOptions('blend', blendOptions, given)
  const { positive = [], negative = [], strategy, examplesFrom, ...options } = given
  if (positive.length + negative.length === 0)
    throw new TypeError('`positive` and `negative` are empty, expected at least one example.')
  if (positive.length === 0 && (strategy ?? 'average_vector') === 'average_vector') {
    throw new TypeError(
      "`positive` is empty, expected at least one example for the strategy average_vector. Negatives alone work with 'best_score' and 'sum_scores'.",
    )
  }
  const recommend = {
    positive: positive.map(toInput),
    ...(negative.length > 0 && { negative: negative.map(toInput) }),
    ...(strategy && { strategy }),
  }
  const lookup = examplesFrom && { lookup_from: { collection: examplesFrom.alias, vector: examplesFrom.vector } }
  return request({ recommend }, options, lookup)
}

export interface ForUserOptions extends RequestOptions {
  /** Alias of the users' collection, as published along. */
  users: string
  /** Name of the users' vector, '' for the one without a name. Default the one of `using`. */
  usersVector?: string
  /** Items the user knows already, to leave out. */
  exclude?: Id[]
}

const forUserKinds: OptionKinds<ForUserOptions> = {
  ...requestKinds,
  users: name,
  usersVector: text.optional(),
  exclude: list.optional(),
}
const forUserOptions = only(forUserKinds)

/** Items for a user by the dot product of their factors: the users' collection lends the vector (`lookup_from`). */
export function forUser(user: Id, given: ForUserOptions): QueryRequest {
  checkOptions('forUser', forUserOptions, given)
  const { users, usersVector, exclude, ...options } = given
  const vector = usersVector ?? options.using
  const known = exclude && exclude.length > 0 ? hasId(exclude) : undefined
  const own = options.filter && toFilter(options.filter)
  const filter = known ? { ...own, must_not: [...[own?.must_not ?? []].flat(), known] as Schemas['Condition'][] } : own
  const lookup = { lookup_from: { collection: users, ...(vector !== undefined && { vector }) } }
  const { filter: _, ...rest } = options
  return request(
    { nearest: itemPoint(user) as Schemas['ExtendedPointId'] },
    { ...rest, ...(filter && { filter }) },
    lookup,
  )
}

/** Likeness plus weight · log10(1 + count): a positive weight favours what many people have. */
export function crowdFavourites(weight: number = 0.1, field: string = 'interaction_count'): Rescore {
  return byPopularity(weight, field)
}

/** Likeness minus weight · log10(1 + count): favours what few people have. */
export function hiddenGems(weight: number = 0.1, field: string = 'interaction_count'): Rescore {
  return byPopularity(-weight, field)
}

const popularity = only({ weight: number, field: name })

function byPopularity(weight: number, field: string): Rescore {
  checkOptions('a score by popularity', popularity, { weight, field })
  return {
    formula: { sum: ['$score', { mult: [weight, { log10: { sum: [1, field] } }] }] },
    defaults: { [field]: 0 },
  }
}

function request(
  query: Schemas['Query'],
  options: RequestOptions,
  lookup: Pick<QueryRequest, 'lookup_from'> = {},
): QueryRequest {
  const { limit = 10, offset, filter, using, payload = true, vector, scoreThreshold, params, rescore } = options
  const search = {
    query,
    ...(using && { using }),
    ...(filter && { filter: toFilter(filter) }),
    ...(params && { params }),
    ...lookup,
  }
  const answer = {
    limit,
    ...(offset && { offset }),
    ...(scoreThreshold !== undefined && { score_threshold: scoreThreshold }),
    with_payload: payload,
    ...(vector && { with_vector: true }),
  }
  if (!rescore) return { ...search, ...answer }
  const { formula, defaults, candidates = 200 } = rescore
  const prefetch = { ...search, limit: Math.max(candidates, limit + (offset ?? 0)) }
  return { prefetch, query: { formula, ...(defaults && { defaults }) }, ...answer }
}

/** JSON has no NaN, so a vector that has one is found here. */
const finite = z.array(number, 'an array of numbers').min(1, 'at least one number')

function toInput(example: Example): Schemas['VectorInput'] {
  const isVector = Array.isArray(example) || ArrayBuffer.isView(example)
  if (!isVector) return itemPoint(example) as Schemas['VectorInput']
  const vector = Array.from(example)
  checkOptions('a query', z.object({ vector: finite }), { vector })
  return vector
}
