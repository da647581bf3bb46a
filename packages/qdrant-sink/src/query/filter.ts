import type { Schemas } from '@qdrant/js-client-rest'
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

/** A filter in the server's words stays as it is; one in the builder's is put into them. */
export function toFilter(specification: Filter | FilterSpecification): Filter {
  return 'must_not' in specification || 'min_should' in specification
    ? specification
    : filter(specification as FilterSpecification)
}

/** The field, or one element of it where it is a list, equals the value. */
export function match(key: string, value: Value): Condition {
  return { key, match: { value } }
}

/** The field, or one element of it, is one of the values: all strings or all integers. */
export function matchAny(key: string, values: string[] | number[]): Condition {
  return { key, match: { any: values } }
}

/** The field, or one element of it, is none of the values. */
export function matchExcept(key: string, values: string[] | number[]): Condition {
  return { key, match: { except: values } }
}

export interface Bounds {
  gt?: number
  gte?: number
  lt?: number
  lte?: number
}

export function range(key: string, bounds: Bounds): Condition {
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
