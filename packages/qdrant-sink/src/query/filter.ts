import type { Schemas } from '@qdrant/js-client-rest'
import { z } from 'zod'
import { checkOptions, only } from '../checks/check-options.ts'
import { list, name, number, object } from '../checks/kinds.ts'
import { type Id, itemPoint } from '../points/point-id.ts'

export type Condition = Schemas['Condition']
export type Filter = Schemas['Filter']
export type Value = string | number | boolean

/** What a point has to meet: all of `must`, none of `mustNot`, and at least one of `should` if there are any. Nest it as a condition. */
export interface FilterSpecification {
  must?: Condition | Condition[]
  mustNot?: Condition | Condition[]
  should?: Condition | Condition[]
}

/** `filter({ must: [match('genres', 'Electronic'), range('year', { gte: 1990, lt: 2000 })] })` */
export function filter({ must, mustNot, should }: FilterSpecification): Filter {
  return {
    ...(must !== undefined && { must: [must].flat() }),
    ...(mustNot !== undefined && { must_not: [mustNot].flat() }),
    ...(should !== undefined && { should: [should].flat() }),
  }
}

const clause = z.union([object, list], 'a condition, or an array of conditions').nullish()
/** A filter that says `mustNo`, or `must_no`, would let everything pass. */
const filterWords = only({ must: clause, mustNot: clause, should: clause, must_not: clause, min_should: clause })

/** A filter in the server's words stays as it is; what is in the builder's is put into them. */
export function toFilter(specification: Filter | FilterSpecification): Filter {
  checkOptions('filter', filterWords, specification)
  if (!('must_not' in specification || 'min_should' in specification))
    return filter(specification as FilterSpecification)
  const { mustNot, ...words } = specification as Filter & FilterSpecification
  return mustNot === undefined ? words : { ...words, must_not: [words.must_not ?? [], mustNot].flat() }
}

const integer = z.union([z.int(), z.bigint()])
/** The server compares texts, integers and truth values; it refuses a fraction. */
const condition = only({
  key: name,
  value: z.union(
    [z.string(), z.boolean(), integer],
    'a string, an integer or a boolean (for fractions there is `range`)',
  ),
})
const choice = only({
  key: name,
  values: z.union([z.array(z.string()), z.array(integer)], 'an array of strings or one of integers'),
})

/** The field, or one element of it where it is a list, equals the value. */
export function match(key: string, value: Value): Condition {
  checkOptions('match', condition, { key, value })
  return { key, match: { value } }
}

/** The field, or one element of it, is one of the values: all strings or all integers. */
export function matchAny(key: string, values: string[] | number[]): Condition {
  checkOptions('matchAny', choice, { key, values })
  return { key, match: { any: values } }
}

/** The field, or one element of it, is none of the values. */
export function matchExcept(key: string, values: string[] | number[]): Condition {
  checkOptions('matchExcept', choice, { key, values })
  return { key, match: { except: values } }
}

export interface Bounds {
  gt?: number
  gte?: number
  lt?: number
  lte?: number
}

/** JSON has no NaN and no infinity: they would be no bound. */
const bound = number.optional()
const boundsOfRange = only({ gt: bound, gte: bound, lt: bound, lte: bound })

export function range(key: string, bounds: Bounds): Condition {
  checkOptions(`the range of ${key}`, boundsOfRange, bounds)
  if (Object.values(bounds).every((bound) => bound === undefined)) {
    throw new TypeError(`The range of ${key} has no bounds, expected at least one of gt, gte, lt, lte.`)
  }
  return { key, range: bounds }
}

/** The point is one of these ids, as they were published. */
export function hasId(ids: Id | Id[]): Condition {
  return { has_id: [ids].flat().map(itemPoint) as Schemas['ExtendedPointId'][] }
}

/** The field is absent, null or an empty list. */
export function isEmpty(key: string): Condition {
  return { is_empty: { key } }
}

/** Points that few people have: fewer than `count` interactions. */
export function rarerThan(count: number, field: string = 'interaction_count'): Condition {
  return range(field, { lt: count })
}

/** Points that many people have: `count` interactions at least. */
export function atLeastAsPopularAs(count: number, field: string = 'interaction_count'): Condition {
  return range(field, { gte: count })
}
