import { MatrixError } from './compressed-rows.ts'

/** Rows of one side by original id, numbered as they come; `sort` puts them into ascending order. */
export class IdIndex {
  readonly #side: 'user' | 'item'
  readonly #numbers = new Map<number | string, number>()
  readonly #ids: (number | string)[] = []
  #kind: 'number' | 'string' | undefined

  constructor(side: 'user' | 'item') {
    this.#side = side
  }

  get length(): number {
    return this.#ids.length
  }

  /** The number of an id, which is new or was seen before. @throws MatrixError for what is no id, naming the row */
  add(original: unknown, row: number): number {
    const id = typeof original === 'bigint' ? this.#toNumber(original, row) : original
    const seen = this.#numbers.get(id as number | string)
    if (seen !== undefined) return seen
    this.#check(id, row)
    const number = this.#ids.length
    this.#numbers.set(id, number)
    this.#ids.push(id)
    return number
  }

  /** The ids in ascending order (numbers by value, strings by code point, as in UTF-8), and the row of each number there. */
  sort(): { ids: Float64Array | string[]; rows: Uint32Array } {
    const order = Uint32Array.from(this.#ids, (_, number) => number)
    const ids = this.#ids
    if (this.#kind === 'number') order.sort((a, b) => (ids[a] as number) - (ids[b] as number))
    else order.sort((a, b) => compareCodePoints(ids[a] as string, ids[b] as string))
    const rows = new Uint32Array(order.length)
    for (const [row, number] of order.entries()) rows[number] = row
    const sorted = Array.from(order, (number) => ids[number])
    return { ids: this.#kind === 'number' ? Float64Array.from(sorted as number[]) : (sorted as string[]), rows }
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
