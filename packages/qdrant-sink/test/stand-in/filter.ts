import type { Schemas } from '@qdrant/js-client-rest'
import { idKey, type StoredPayload, type StoredPoint } from './storage.ts'

type Condition = Schemas['Condition']

/** Does a point pass a filter, with the server's rules: a condition on an array field holds when one element meets it. */
export function passes(point: StoredPoint, filter: Schemas['Filter'] | null | undefined): boolean {
  if (!filter) return true
  const { must, must_not: mustNot, should, min_should: minShould } = filter
  const should_ = list(should)
  if (!list(must).every((condition) => meets(point, condition))) return false
  if (list(mustNot).some((condition) => meets(point, condition))) return false
  if (should_.length > 0 && !should_.some((condition) => meets(point, condition))) return false
  if (minShould) {
    const { conditions, min_count: least } = minShould as Schemas['MinShould']
    if (conditions.filter((condition) => meets(point, condition)).length < least) return false
  }
  return true
}

/** Values of a payload field; `a.b` goes into objects. */
export function valuesOf(payload: StoredPayload, key: string): unknown[] {
  let values: unknown[] = [payload]
  for (const part of key.replaceAll('[]', '').split('.')) {
    values = values.flatMap((value) => (value as Record<string, unknown> | null | undefined)?.[part] ?? [])
  }
  return values.flat()
}

export function meets(point: StoredPoint, condition: Condition): boolean {
  if ('has_id' in condition) return condition.has_id.some((id) => idKey(id) === idKey(point.id))
  if ('is_empty' in condition && typeof condition.is_empty === 'object' && condition.is_empty)
    return valuesOf(point.payload, condition.is_empty.key).length === 0
  if ('is_null' in condition && typeof condition.is_null === 'object' && condition.is_null)
    return point.payload[condition.is_null.key] === null
  if ('key' in condition)
    return meetsField(valuesOf(point.payload, condition.key), condition as Schemas['FieldCondition'])
  return passes(point, condition as Schemas['Filter'])
}

function meetsField(values: unknown[], { match, range }: Schemas['FieldCondition']): boolean {
  if (match) {
    const rule = match as { value?: unknown; any?: unknown[]; except?: unknown[] }
    if ('value' in rule) return values.includes(rule.value)
    if ('any' in rule) return values.some((value) => rule.any?.includes(value))
    if ('except' in rule) return values.some((value) => !rule.except?.includes(value))
  }
  if (range) {
    const { gt, gte, lt, lte } = range as Schemas['Range']
    return values.some(
      (value) =>
        typeof value === 'number' &&
        (gt == null || value > gt) &&
        (gte == null || value >= gte) &&
        (lt == null || value < lt) &&
        (lte == null || value <= lte),
    )
  }
  return false
}

function list(conditions: unknown): Condition[] {
  return conditions == null ? [] : Array.isArray(conditions) ? conditions : [conditions as Condition]
}
