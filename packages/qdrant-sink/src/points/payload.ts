import { describeId, type Id, type PointId } from './point-id.ts'

/** What a point carries beside its vectors: anything that JSON holds, and bigints of 64 bits. */
export type Payload = Record<string, unknown>

/**
 * Payloads in the order of the rows, one at a time: a function of the row, or an iterable. A function can be asked for any row, so
 * a resumed run starts at its watermark; an iterable is read from its beginning again, and rows before the watermark are dropped.
 */
export type Payloads =
  | ((row: number, id: Id) => Payload | Promise<Payload>)
  | Iterable<Payload>
  | AsyncIterable<Payload>

/** Reads payloads of ascending rows, each once. */
export class PayloadReader {
  readonly #name: string
  readonly #points: number
  readonly #byRow: ((row: number, id: Id) => Payload | Promise<Payload>) | undefined
  readonly #iterator: Iterator<Payload> | AsyncIterator<Payload> | undefined
  #next = 0

  constructor(name: string, points: number, payloads: Payloads | undefined) {
    this.#name = name
    this.#points = points
    if (typeof payloads === 'function') this.#byRow = payloads
    else if (payloads !== undefined) this.#iterator = iteratorOf(payloads)
  }

  /** A promise only where the payload has to be waited for. */
  read(row: number, id: Id): Payload | undefined | Promise<Payload | undefined> {
    if (this.#byRow) return this.#byRow(row, id)
    return this.#iterator && this.#advance(row)
  }

  /** @throws RangeError when there are more payloads than points. */
  async end(): Promise<void> {
    if (this.#iterator === undefined) return
    if (!(await this.#iterator.next()).done) {
      await this.close()
      throw new RangeError(`The payloads of ${this.#name} are more than its ${this.#points} points, ${EXPECTED}`)
    }
  }

  /** Lets an iterable release what it holds. */
  async close(): Promise<void> {
    await this.#iterator?.return?.()
  }

  async #advance(row: number): Promise<Payload> {
    for (;;) {
      const { done, value } = await (this.#iterator as AsyncIterator<Payload>).next()
      if (done) {
        throw new RangeError(
          `The payloads of ${this.#name} are ${this.#next}, fewer than its ${this.#points} points, ${EXPECTED}`,
        )
      }
      if (this.#next++ === row) return value
    }
  }
}

const EXPECTED = 'expected one per point, in the order of the rows.'

function iteratorOf(payloads: Iterable<Payload> | AsyncIterable<Payload>): Iterator<Payload> | AsyncIterator<Payload> {
  return Symbol.asyncIterator in payloads ? payloads[Symbol.asyncIterator]() : payloads[Symbol.iterator]()
}

/** The field of a payload that holds the id as the caller has it. */
export interface IdField {
  name: string
  /** True for every point, false for those whose own id is another: strings that became UUIDs. */
  always: boolean
}

/** Adds the numbers of a row to a payload that lacks them. */
export function withNumbers(
  payload: Payload | undefined,
  numbers: Readonly<Record<string, ArrayLike<number>>> | undefined,
  index: number,
): Payload | undefined {
  if (numbers === undefined || (payload != null && (typeof payload !== 'object' || 'toJSON' in payload))) return payload
  const found = Object.entries(numbers).map(([name, values]) => [name, values[index]] as const)
  return { ...Object.fromEntries(found.filter(([, value]) => !Number.isNaN(value))), ...payload }
}

/** Adds the id to a payload that lacks it. */
export function withId(
  payload: Payload | undefined,
  id: Id,
  point: PointId,
  field: IdField | undefined,
): Payload | undefined {
  if (field === undefined || !(field.always || id !== point)) return payload
  if (payload == null) return { [field.name]: id }
  // What is no object is refused by `payloadText`, and what writes itself knows its fields.
  if (typeof payload !== 'object' || 'toJSON' in payload || field.name in payload) return payload
  return { [field.name]: id, ...payload }
}

/**
 * The payload as the JSON that is sent; undefined for none.
 *
 * @throws TypeError for what JSON or the server makes nothing of, naming the row.
 */
export function payloadText(
  name: string,
  row: number,
  id: Id,
  payload: Payload | null | undefined,
): string | undefined {
  if (payload === undefined || payload === null) return undefined
  const refuse = (what: string, cause?: unknown): TypeError =>
    new TypeError(`The payload of ${name} in row ${row} (id ${describeId(id)}) ${what}`, { cause })
  let text: string | undefined
  try {
    text = stringify(payload)
  } catch (cause) {
    throw refuse(
      `cannot be written as JSON: ${(cause as Error).message}. Leave that field out, or make it a string.`,
      cause,
    )
  }
  if (text?.startsWith('{')) return text
  throw refuse(
    text === undefined
      ? `has no JSON form (JSON.stringify gives undefined of this ${typeof payload}), expected an object of fields.`
      : `is ${text.slice(0, 60)}, expected an object of fields.`,
  )
}

function stringify(payload: Payload): string | undefined {
  try {
    return JSON.stringify(payload)
  } catch (error) {
    // A replacer is called for every value and makes this ten times slower, so only a payload that needs it gets it.
    if (error instanceof TypeError && error.message.includes('BigInt')) return JSON.stringify(payload, writeBigint)
    throw error
  }
}

function writeBigint(_key: string, value: unknown): unknown {
  if (typeof value !== 'bigint') return value
  if (value < -(1n << 63n) || value >= 1n << 64n) throw new RangeError(`${value} is not an integer of 64 bits`)
  return (JSON as unknown as { rawJSON(text: string): unknown }).rawJSON(String(value))
}

/** A payload from its JSON, as the client reads it: integers from 2^53 on are bigints. */
export function parsePayload(text: string | undefined): Payload {
  if (text === undefined) return {}
  return JSON.parse(text, ((_key: string, value: unknown, context: { source: string }) =>
    Number.isInteger(value) && !Number.isSafeInteger(value) && /^-?\d+$/.test(context.source)
      ? BigInt(context.source)
      : value) as never)
}

/** Whether the server has what was sent. It keeps integers of 64 bits exactly and all other numbers as doubles: 10^20 comes back as 1e20. */
export function samePayload(sent: unknown, stored: unknown): boolean {
  if (isNumeric(sent) && isNumeric(stored))
    return sent === stored || (typeof sent !== typeof stored && Number(sent) === Number(stored))
  if (typeof sent !== 'object' || typeof stored !== 'object' || sent === null || stored === null) return sent === stored
  if (Array.isArray(sent) !== Array.isArray(stored)) return false
  const keys = Object.keys(sent)
  return (
    keys.length === Object.keys(stored).length &&
    keys.every((key) => key in stored && samePayload(sent[key as never], stored[key as never]))
  )
}

function isNumeric(value: unknown): value is number | bigint {
  return typeof value === 'number' || typeof value === 'bigint'
}
