import { MatrixError } from '../matrix/compressed-rows.ts'
import type { FieldKind, ResolvedFeatureSpec } from './feature-spec.ts'

/** What is known of one item or user: scalars or lists by field. */
export type FeatureRecord = Readonly<Record<string, unknown>>

/**
 * The names of a record's features, `field=value`, each once: 'styles=Deep House', 'year=[1990,1995)'. Null, undefined, NaN
 * and empty strings are not known and have none.
 *
 * @param which says in messages which record it is
 * @throws MatrixError naming the record and the field, where a value is of another kind, or the record is no object
 */
export function namesOf(
  record: FeatureRecord,
  { fields }: Pick<ResolvedFeatureSpec, 'fields'>,
  which: string,
): Set<string> {
  // What has no fields would be an item of which nothing is known.
  if (typeof record !== 'object' || record === null || Array.isArray(record) || record instanceof Map) {
    throw new MatrixError(
      `${which} is ${record instanceof Map ? 'a Map' : show(record)}, expected an object with the fields ${Object.keys(fields).join(', ')}.`,
    )
  }
  const names = new Set<string>()
  for (const field in fields) {
    const value = record[field]
    const kind = fields[field]
    if (Array.isArray(value)) for (const each of value) add(names, field, kind, each, which)
    else add(names, field, kind, value, which)
  }
  return names
}

function add(names: Set<string>, field: string, kind: FieldKind, value: unknown, which: string): void {
  if (value === null || value === undefined || value === '' || Number.isNaN(value)) return
  if (kind === 'values') {
    if (typeof value === 'object' || typeof value === 'function' || typeof value === 'symbol') {
      throw new MatrixError(
        `${which}: ${field} holds ${show(value)}, expected strings or numbers, or a list of them. Take the name or the id out of it.`,
      )
    }
    names.add(`${field}=${value}`)
    return
  }
  const number = typeof value === 'bigint' ? Number(value) : value
  if (typeof number !== 'number' || !Number.isFinite(number)) {
    throw new MatrixError(
      `${which}: ${field} is ${show(value)}, expected a finite number, to put it into a bucket of ${kind.bucket}. As a category it is fields: { ${field}: 'values' }.`,
    )
  }
  const { bucket, minimum = Number.NEGATIVE_INFINITY, maximum = Number.POSITIVE_INFINITY } = kind
  if (number < minimum || number > maximum) return
  const from = Math.floor(number / bucket)
  names.add(`${field}=[${round(from * bucket)},${round((from + 1) * bucket)})`)
}

/** 0.30000000000000004 as 0.3. */
function round(bound: number): number {
  return Number(bound.toPrecision(12))
}

function show(value: unknown): string {
  if (typeof value !== 'object' && typeof value !== 'string') return String(value)
  if (value instanceof Uint8Array) return `${value.length} bytes`
  try {
    return JSON.stringify(value)?.slice(0, 60) ?? String(value)
  } catch {
    return Object.prototype.toString.call(value)
  }
}
