import { OptionError } from '../checks/option-error.ts'
import type { IdColumn } from '../matrix/interaction-matrix.ts'

/** Ids as callers have them: integers or strings, also the 64-bit integers of DuckDB and Arrow, which become numbers. */
export type InputIds = IdColumn | { readonly length: number; at(row: number): bigint | undefined }

/**
 * Checks the ids of one side: one per row, all integers within 2^53 or all strings, no two the same. Takes 8 bytes per
 * row while it looks for duplicates.
 *
 * @throws OptionError naming the option and the row
 */
export function checkIds(name: string, original: InputIds, rows: number, side: string): IdColumn {
  if (original.length !== rows) {
    throw new OptionError(`${name} has ${original.length} elements, but the matrix has ${rows} ${side}.`)
  }
  const ids = withoutBigints(name, original)
  if (rows === 0) return ids
  const type = typeof ids.at(0)
  const keys = new Float64Array(rows)
  for (let row = 0; row < rows; row++) {
    const id = ids.at(row)
    if (typeof id === 'number' ? !Number.isSafeInteger(id) : typeof id !== 'string') {
      throw new OptionError(`${name}: row ${row} is ${show(id)}, expected a string or an integer within 2^53.`)
    }
    if (typeof id !== type) {
      throw new OptionError(
        `${name}: row ${row} is ${show(id)}, a ${typeof id}, and row 0 ${show(ids.at(0))}, a ${type}: expected ids of one kind. Make all of them strings.`,
      )
    }
    keys[row] = typeof id === 'number' ? id : hash(id as string)
  }
  checkDistinct(name, ids, keys)
  return ids
}

/** Numbers in place of 64-bit integers. @throws OptionError for one beyond 2^53, which a number cannot hold exactly */
export function withoutBigints(name: string, ids: InputIds): IdColumn {
  if (typeof ids.at(0) !== 'bigint') return ids as IdColumn
  return Float64Array.from({ length: ids.length }, (_, row) => {
    const id = ids.at(row)
    const number = Number(id)
    if (typeof id === 'bigint' && Number.isSafeInteger(number)) return number
    throw new OptionError(
      `${name}: row ${row} is ${show(id)}, expected an integer within 2^53. Make the ids strings, which are of any length.`,
    )
  })
}

/** @param keys equal for equal ids; sorted in place */
function checkDistinct(name: string, ids: IdColumn, keys: Float64Array): void {
  keys.sort()
  const repeated = new Set<number>()
  for (let n = 1; n < keys.length; n++) if (keys[n] === keys[n - 1]) repeated.add(keys[n])
  if (repeated.size === 0) return
  const firstOf = new Map<number | string, number>()
  for (let row = 0; row < ids.length; row++) {
    const id = ids.at(row)!
    if (!repeated.has(typeof id === 'number' ? id : hash(id))) continue
    const first = firstOf.get(id)
    if (first !== undefined) {
      throw new OptionError(
        `${name}: rows ${first} and ${row} are both ${show(id)}, expected distinct ids, one per row.`,
      )
    }
    firstOf.set(id, row)
  }
}

/** 53 bits of a string, from two hashes of 32: FNV-1a and the polynomial in 31. Those that collide are compared. */
function hash(text: string): number {
  let fnv = 0x811c9dc5
  let polynomial = 0
  for (let at = 0; at < text.length; at++) {
    const unit = text.charCodeAt(at)
    fnv = Math.imul(fnv ^ unit, 0x01000193)
    polynomial = (Math.imul(polynomial, 31) + unit) | 0
  }
  return 2 ** 32 * (polynomial & 0x1fffff) + (fnv >>> 0)
}

function show(id: unknown): string {
  if (typeof id === 'bigint') return `${id}n`
  return typeof id === 'string' ? JSON.stringify(id) : String(id)
}
