import { MatrixError } from './compressed-rows.ts'
import { StringTable } from './string-table.ts'

/** Rows of one side by original id, numbered as they come; `sort` puts them into ascending order. */
export class IdIndex {
  readonly #side: 'user' | 'item'
  readonly #strings = new StringTable()
  readonly #numbers = new Map<number, number>()
  #kind: 'number' | 'string' | undefined

  constructor(side: 'user' | 'item') {
    this.#side = side
  }

  /** The number of an id, which is new or was seen before. @throws MatrixError for what is no id, naming the row */
  add(original: unknown, row: number): number {
    if (typeof original === 'string' && this.#kind === 'string' && original !== '') return this.#strings.add(original)
    const id = typeof original === 'bigint' ? this.#toNumber(original, row) : original
    const seen = this.#numbers.get(id as number)
    if (seen !== undefined) return seen
    this.#check(id, row)
    if (typeof id === 'string') return this.#strings.add(id)
    const number = this.#numbers.size
    this.#numbers.set(id, number)
    return number
  }

  /** The ids in ascending order (numbers by value, strings by code point, as in UTF-8), and the row of each number there. */
  sort(): { ids: Float64Array | string[]; rows: Uint32Array } {
    const ids = this.#kind === 'number' ? Float64Array.from(this.#numbers.keys()).sort() : sorted(this.#strings)
    const rows = new Uint32Array(ids.length)
    const numberOf = (id: number | string) => (typeof id === 'string' ? this.#strings.add(id) : this.#numbers.get(id)!)
    for (let row = 0; row < ids.length; row++) rows[numberOf(ids[row])] = row
    return { ids, rows }
  }

  #check(id: unknown, row: number): asserts id is number | string {
    const kind = typeof id
    if (kind === 'number' ? !Number.isSafeInteger(id) : kind !== 'string' || id === '') {
      throw new MatrixError(
        `Row ${row}: ${this.#side} is ${show(id)}, expected a string with at least one character, or an integer within 2^53. Make ids of other kinds strings.`,
      )
    }
    this.#kind ??= kind as 'number' | 'string'
    if (kind !== this.#kind) {
      throw new MatrixError(
        `Row ${row}: ${this.#side} is ${show(id)}, a ${kind}, and those before are ${this.#kind}s: expected ids of one kind. Make all of them strings.`,
      )
    }
  }

  #toNumber(id: bigint, row: number): number {
    const number = Number(id)
    if (Number.isSafeInteger(number)) return number
    throw new MatrixError(
      `Row ${row}: ${this.#side} is ${id}, beyond 2^53, where numbers are not exact. Make the ids strings: String(id).`,
    )
  }
}

function sorted(table: StringTable): string[] {
  const ids = Array.from({ length: table.length }, (_, number) => table.at(number))
  // Without a function to compare them, strings are sorted ten times as fast, and by UTF-16 units.
  return table.hasHighUnits() ? ids.sort(compareCodePoints) : ids.sort()
}

/** The order of UTF-8 bytes, which is that of code points: UTF-16 puts pairs of surrogates before U+E000. */
function compareCodePoints(a: string, b: string): number {
  const length = Math.min(a.length, b.length)
  for (let at = 0; at < length; at++) {
    const x = a.charCodeAt(at)
    const y = b.charCodeAt(at)
    if (x !== y) return rank(x) - rank(y)
  }
  return a.length - b.length
}

function rank(unit: number): number {
  if (unit < 0xd800) return unit
  return unit < 0xe000 ? unit + 0x2000 : unit - 0x800
}

export function show(value: unknown): string {
  return typeof value === 'string' ? JSON.stringify(value) : String(value)
}
