import { canonicalUuid, describeId, faultOf, type Id, type Ids, isUuid, itemPoint } from './point-id.ts'

/**
 * Refuses ids that cannot be points, and two rows of one point, by row. Ids in strictly ascending order need one pass; others
 * 8 bytes an id more.
 *
 * @throws TypeError
 */
export function checkIds(name: string, ids: Ids): void {
  const order = new AscendingIds(name, false)
  for (let row = 0; row < ids.length; row++) order.add(ids.at(row), row)
  if (!order.ascending) checkUnique(name, ids)
}

/**
 * Checks ids as they come, row after row, and keeps nothing but the last one. Of a stream the ids ascend as they are spelt, as its source
 * sorts them; two that are one point, such as a UUID in two spellings, are found when the points are counted.
 */
export class AscendingIds {
  /** Whether every id so far was greater than the one before; those of arrays are then different points too. */
  ascending = true
  readonly #name: string
  readonly #required: boolean
  #last: Id | undefined

  /** With `required`, an id out of order is refused. */
  constructor(name: string, required: boolean) {
    this.#name = name
    this.#required = required
  }

  add(id: Id | undefined, row: number): void {
    const fault = faultOf(id)
    if (fault !== undefined) throw new TypeError(`${this.#name}: the id ${describeId(id)} in row ${row} is ${fault}.`)
    const current = !this.#required && typeof id === 'string' && isUuid(id) ? canonicalUuid(id) : (id as Id)
    if (this.ascending && this.#last !== undefined && !this.#follows(this.#last, current)) {
      if (this.#required) {
        throw new TypeError(
          `${this.#name}: the id ${describeId(id)} in row ${row} comes after ${describeId(this.#last)}, expected strictly ascending ids ` +
            '(integers by value, strings by their UTF-8 bytes). Sort the source by id, and remove duplicates.',
        )
      }
      this.ascending = false
    }
    this.#last = current
  }

  /** Without `required`, false also where the points could be the same: a UUID may be that of another string. */
  #follows(a: Id, b: Id): boolean {
    if (typeof a !== 'string' || typeof b !== 'string') return typeof a !== 'string' && typeof b !== 'string' && a < b
    return (this.#required || isUuid(a) === isUuid(b)) && compareUtf8(a, b) < 0
  }
}

/** The order of the UTF-8 bytes, which is that of code points; code units put surrogates before U+E000. */
function compareUtf8(a: string, b: string): number {
  const length = Math.min(a.length, b.length)
  for (let i = 0; i < length; i++) {
    const [x, y] = [a.charCodeAt(i), b.charCodeAt(i)]
    if (x !== y) return x >= 0xd800 && y >= 0xd800 ? (x >= 0xe000 ? 0 : 1) - (y >= 0xe000 ? 0 : 1) || x - y : x - y
  }
  return a.length - b.length
}

/**
 * Sorts the first 64 bits of every point, and looks closer where two are equal. A set of all ids would take 60 bytes or more an id, and
 * cannot hold over 2^24.
 */
function checkUnique(name: string, ids: Ids): void {
  const heads = new BigUint64Array(ids.length)
  for (let row = 0; row < heads.length; row++) heads[row] = headOf(ids.at(row) as Id)
  const sorted = heads.slice().sort()
  const repeated = new Set<bigint>()
  for (let i = 1; i < sorted.length; i++) if (sorted[i] === sorted[i - 1]) repeated.add(sorted[i])
  if (repeated.size === 0) return
  const rows = new Map<string, number>()
  for (let row = 0; row < heads.length; row++) {
    if (!repeated.has(heads[row])) continue
    const id = ids.at(row) as Id
    const point = String(itemPoint(id))
    const earlier = rows.get(point)
    if (earlier !== undefined) {
      const other = ids.at(earlier) as Id
      const what =
        String(other) === String(id)
          ? `${describeId(id)} is`
          : `${describeId(other)} and ${describeId(id)} are the same point,`
      throw new TypeError(`${name}: ${what} in row ${earlier} and in row ${row}, expected unique ids.`)
    }
    rows.set(point, row)
  }
}

function headOf(id: Id): bigint {
  if (typeof id !== 'string') return BigInt(id)
  return BigInt(`0x${String(itemPoint(id)).slice(0, 18).replaceAll('-', '')}`)
}
