import { show } from '../checks/show.ts'
import { MatrixError } from './compressed-rows.ts'
import { BATCH, StringTable } from './string-table.ts'

/** The ids of one side, row by row: numbered as they come, and put into ascending order at the end. */
export class IdIndex {
  readonly #side: 'user' | 'item'
  readonly #strings = new StringTable()
  readonly #numbers = new Map<number, number>()
  #kind: 'number' | 'string' | undefined
  /** The number of the id of each row, but for the rows of `#batch`, which come last. */
  #rows = new Uint32Array(BATCH)
  #length = 0
  #batch: string[] = []

  constructor(side: 'user' | 'item') {
    this.#side = side
  }

  /** Takes the id of one more row. @throws MatrixError for what is no id, naming the row */
  add(original: unknown, row: number): void {
    const id = typeof original === 'bigint' ? this.#toNumber(original, row) : original
    if (typeof id !== 'string' || this.#kind !== 'string' || id === '') this.#check(id, row)
    if (typeof id === 'string') {
      this.#batch.push(id)
      if (this.#batch.length === BATCH) this.#lookUp()
    } else {
      let number = this.#numbers.get(id as number)
      if (number === undefined) {
        number = this.#numbers.size
        this.#numbers.set(id as number, number)
      }
      if (this.#length === this.#rows.length) this.#grow()
      this.#rows[this.#length++] = number
    }
  }

  /** The ids in ascending order (numbers by value, strings by code point, as in UTF-8), and where each row's is among them. */
  finish(): { ids: Float64Array | string[]; rows: Uint32Array } {
    this.#lookUp()
    const ids = this.#kind === 'number' ? Float64Array.from(this.#numbers.keys()).sort() : sorted(this.#strings)
    const places = new Uint32Array(ids.length)
    this.#numbersOf(ids).forEach((number, place) => {
      places[number] = place
    })
    const rows = this.#rows.subarray(0, this.#length)
    for (let row = 0; row < rows.length; row++) rows[row] = places[rows[row]]
    return { ids, rows }
  }

  #numbersOf(ids: Float64Array | string[]): Uint32Array {
    const numbers = new Uint32Array(ids.length)
    if (ids instanceof Float64Array) for (let i = 0; i < ids.length; i++) numbers[i] = this.#numbers.get(ids[i])!
    else for (let i = 0; i < ids.length; i += BATCH) this.#strings.addAll(ids.slice(i, i + BATCH), numbers, i)
    return numbers
  }

  #lookUp(): void {
    if (this.#length + this.#batch.length > this.#rows.length) this.#grow()
    this.#strings.addAll(this.#batch, this.#rows, this.#length)
    this.#length += this.#batch.length
    this.#batch = []
  }

  #grow(): void {
    const rows = new Uint32Array(2 * this.#rows.length)
    rows.set(this.#rows)
    this.#rows = rows
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
