import type { Random } from './random.ts'

/** The ids of one side: what row number k stands for, the same in all files, and the types that can hold it. */
export interface IdSpace {
  readonly kind: 'integer' | 'string'
  readonly count: number
  /** SQL of the id with number k: a HUGEINT or a VARCHAR. */
  readonly value: string
  readonly types: readonly IdType[]
}

/** A column type of ids. */
export interface IdType {
  readonly name: string
  /** SQL that makes a column of this type of the id. */
  readonly write: (value: string) => string
  /** Whether it can hold a negative number. */
  readonly signed: boolean
}

/** SQL that reads an id from a column, whose type is what a reader finds: a HUGEINT or a VARCHAR, null where there is none. */
export function readId(kind: IdSpace['kind'], isUuid: boolean, type: string, column: string): string {
  if (type === NULLS) return kind === 'integer' ? 'NULL::HUGEINT' : 'NULL::VARCHAR'
  if (kind === 'integer') {
    return type === 'DOUBLE' ? `CASE WHEN isnan(${column}) THEN NULL ELSE ${column}::HUGEINT END` : `${column}::HUGEINT`
  }
  if (type !== 'BLOB') return `${column}::VARCHAR`
  // UUIDs whose writer did not say so.
  return isUuid
    ? `regexp_replace(lower(hex(${column})), '(.{8})(.{4})(.{4})(.{4})(.{12})', '\\1-\\2-\\3-\\4-\\5')`
    : `decode(${column})`
}

/** What DuckDB calls the type of a column of nulls alone. */
export const NULLS = '"NULL"'

const cast = (type: string, signed = true): IdType => ({
  name: type,
  write: (value) => `(${value})::${type}`,
  signed,
})
const integers: readonly (readonly [largest: number, type: IdType])[] = [
  [2 ** 7 - 1, cast('TINYINT')],
  [2 ** 8 - 1, cast('UTINYINT', false)],
  [2 ** 15 - 1, cast('SMALLINT')],
  [2 ** 16 - 1, cast('USMALLINT', false)],
  [2 ** 31 - 1, cast('INTEGER')],
  [2 ** 32 - 1, cast('UINTEGER', false)],
  [2 ** 53 - 1, cast('BIGINT')],
  [2 ** 53 - 1, cast('UBIGINT', false)],
  [9999, cast('DECIMAL(4,0)')],
  [999_999_999, cast('DECIMAL(9,0)')],
  [2 ** 53 - 1, cast('DECIMAL(18,0)')],
  [2 ** 53 - 1, cast('DECIMAL(38,0)')],
  [2 ** 53 - 1, cast('DOUBLE')],
]
const text: IdType = { name: 'VARCHAR', write: (value) => value, signed: false }
const blob: IdType = { name: 'BLOB', write: (value) => `encode(${value})`, signed: false }
const uuid: IdType = { name: 'UUID', write: (value) => `(${value})::UUID`, signed: false }

// Around a word of a bitmap (32 and 64 ids), a byte, and the growth of a hash table (at 2,458 and 4,916 keys).
const FEW = [1, 2, 31, 32, 33, 63, 64, 65, 100, 255, 256, 257, 800, 1500]
const MANY = [2457, 2458, 2459, 3000, 4915, 4916, 4917, 6000]

export function randomIds(random: Random): IdSpace {
  const count = random.pick(random.chance(0.5) ? MANY : FEW)
  if (random.chance(0.4)) return stringIds(random, count)
  const [stride, offset] = random.pick([
    [1, 0],
    [1, 1],
    [1, random.int(0, 30_000)],
    [random.int(2, 50), random.int(0, 1000)],
    [65_537, 3],
    // From both sides of 2^31 and 2^32, and up to 2^53 - 1.
    [1, 2 ** 31 - (count >> 1)],
    [1, 2 ** 32 - (count >> 1)],
    [104_729_003, 7],
    [Math.floor((2 ** 53 - 1) / count), 2 ** 53 - 1 - (count - 1) * Math.floor((2 ** 53 - 1) / count)],
  ])
  const largest = offset + stride * (count - 1)
  const types = integers.filter(([most]) => largest <= most).map(([, type]) => type)
  return { kind: 'integer', count, value: `(${offset}::HUGEINT + ${stride}::HUGEINT * k)`, types }
}

function stringIds(random: Random, count: number): IdSpace {
  const shape = random.pick(['short', 'unicode', 'prefix', 'lengths', 'uuid'])
  const value = {
    short: `k::VARCHAR`,
    unicode: `'ü' || chr((19968 + k % 2000)::INTEGER) || '😀' || k`,
    prefix: `repeat('user-', 8) || k`,
    // The empty string too.
    lengths: `repeat('x', (k % 40)::INTEGER) || CASE WHEN k = 0 THEN '' ELSE k::VARCHAR END`,
    uuid: `md5(k::VARCHAR)::UUID::VARCHAR`,
  }[shape]!
  return { kind: 'string', count, value, types: shape === 'uuid' ? [uuid, text, blob] : [text, blob] }
}
