import { parse, v5 } from 'uuid'

/** An id as the caller has it: a non-negative integer below 2^53, a bigint below 2^64, a UUID, or any other string. */
export type Id = number | bigint | string

/** The id of a point on the server: an unsigned 64-bit integer or a UUID. */
export type PointId = number | bigint | string

/** Ids by row: arrays, typed arrays and the id columns of a model or a loader all fit. */
export interface Ids {
  readonly length: number
  at(row: number): Id | undefined
}

/** Namespace of the UUIDs that strings become. It never changes: a point keeps its id from one publication to the next. */
export const POINT_NAMESPACE = '6f3b1c52-8a0e-4d57-9b61-2f6c0d9e47a3'

/**
 * The point that an item (or a user) of that id is published as. Integers stay, UUIDs get their one spelling in lower case with
 * dashes, and every other string becomes the UUID version 5 of its UTF-8 bytes in `POINT_NAMESPACE` (RFC 9562, 5.5): the same
 * every night, and the same that Python's `uuid.uuid5` gives.
 *
 * @throws TypeError for negative numbers, fractions, numbers from 2^53 on, bigints from 2^64 on, and strings with lone surrogates.
 */
export function itemPoint(id: Id): PointId {
  const fault = faultOf(id)
  if (fault !== undefined) throw new TypeError(`The id ${describeId(id)} is ${fault}.`)
  if (typeof id !== 'string') return id
  return isUuid(id) ? canonicalUuid(id) : v5(id, namespaceBytes)
}

/** What keeps an id from being a point's, with what to do; undefined where nothing does. */
export function faultOf(id: unknown): string | undefined {
  switch (typeof id) {
    case 'number':
      if (id < 0) return `negative, ${EXPECTED}`
      if (!Number.isInteger(id)) return `not an integer, ${EXPECTED}`
      return Number.isSafeInteger(id) ? undefined : 'above 2^53 - 1, where numbers are rounded. Pass it as a bigint'
    case 'bigint':
      return id >= 0n && id < 1n << 64n ? undefined : `${id < 0n ? 'negative' : 'above 2^64 - 1'}, ${EXPECTED}`
    case 'string':
      return id.isWellFormed() ? undefined : 'not well-formed Unicode: it has a lone surrogate'
    default:
      return `no id, ${EXPECTED}`
  }
}

const namespaceBytes = parse(POINT_NAMESPACE)

const EXPECTED = 'expected an integer from 0 to 2^64 - 1 or a string'

export function describeId(id: unknown): string {
  return typeof id === 'string' ? JSON.stringify(id) : typeof id === 'bigint' ? `${id}n` : String(id)
}

/** True for the spellings of a UUID that the server takes for the same point: with and without dashes, in either case. */
export function isUuid(id: string): boolean {
  return (id.length === 36 || id.length === 32) && UUID.test(id)
}

export function canonicalUuid(id: string): string {
  const digits = id.replaceAll('-', '').toLowerCase()
  return `${digits.slice(0, 8)}-${digits.slice(8, 12)}-${digits.slice(12, 16)}-${digits.slice(16, 20)}-${digits.slice(20)}`
}

/** The same for both spellings of a point's id, as the server answers it: `7` and `7n` are one point. */
export function pointKey(point: PointId): string {
  return String(point)
}

const UUID = /^(?:[0-9a-f]{32}|[0-9a-f]{8}-[0-9a-f]{4}-[0-9a-f]{4}-[0-9a-f]{4}-[0-9a-f]{12})$/i
