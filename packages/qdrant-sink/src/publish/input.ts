import { createHash } from 'node:crypto'

export type PointId = number | bigint | string
export type Payload = Record<string, unknown>

/** Vectors as they come from training: one row per point in one array, never copied as a whole. */
export interface Vectors {
  /** Id of each row: unsigned integers (numbers or bigints) or UUIDs. Typed arrays do as well. */
  ids: ArrayLike<PointId>
  /** rows × dimension, row-major. */
  data: Float32Array
  dimension: number
}

/**
 * Payloads in the order of the rows, one at a time: a function of the row, or an iterable. A function can be asked for any row, so
 * a resumed run starts at its watermark; an iterable is read from its beginning again and the rows before the watermark are dropped.
 */
export type Payloads =
  | ((row: number, id: PointId) => Payload | Promise<Payload>)
  | Iterable<Payload>
  | AsyncIterable<Payload>

const UUID = /^[0-9a-f]{8}-?[0-9a-f]{4}-?[0-9a-f]{4}-?[0-9a-f]{4}-?[0-9a-f]{12}$/i

/** Refuses what the server would refuse in the middle of the load, or what would make the final count differ. Names the row. */
export function checkVectors(name: string, { ids, data, dimension }: Vectors): void {
  if (!Number.isInteger(dimension) || dimension < 1 || dimension > 65_536) {
    throw new RangeError(`Expected ${name}.dimension from 1 to 65,536, got ${dimension}.`)
  }
  if (data.length !== ids.length * dimension) {
    throw new RangeError(
      `Expected ${name}.data of ${ids.length} ids × dimension ${dimension} = ${ids.length * dimension} values, got ${data.length}.`,
    )
  }
  if (ids.length === 0)
    throw new RangeError(`Expected at least one point in ${name}, got none. An empty collection would serve nothing.`)
  for (let i = 0; i < data.length; i++) {
    // x - x is NaN for NaN and for both infinities, and 0 for all else.
    if (data[i] - data[i] !== 0) {
      const row = Math.floor(i / dimension)
      throw new RangeError(
        `Expected finite numbers in ${name}.data, got ${data[i]} in row ${row} (id ${ids[row]}), column ${i % dimension}.`,
      )
    }
  }
  checkIds(name, ids)
}

function checkIds(name: string, ids: ArrayLike<PointId>): void {
  let ascending = true
  for (let row = 0; row < ids.length; row++) {
    const id = ids[row]
    const valid =
      typeof id === 'number'
        ? Number.isSafeInteger(id) && id >= 0
        : typeof id === 'bigint'
          ? id >= 0n && id < 1n << 64n
          : UUID.test(id)
    if (!valid) {
      throw new TypeError(
        `Expected unsigned integers or UUIDs in ${name}.ids, got ${JSON.stringify(String(id))} (${typeof id}) in row ${row}. ` +
          'For other ids publish row numbers and put the id into the payload.',
      )
    }
    if (row > 0 && !(ids[row - 1] < id)) ascending = false
  }
  if (ascending) return
  const seen = new Map<string, number>()
  for (let row = 0; row < ids.length; row++) {
    const key = String(ids[row]).toLowerCase().replaceAll('-', '')
    const earlier = seen.get(key)
    if (earlier !== undefined)
      throw new TypeError(`Expected unique ${name}.ids, got ${ids[row]} in row ${earlier} and in row ${row}.`)
    seen.set(key, row)
  }
}

/** Hash over ids, vectors and settings (1 to 2 GB/s). Payloads are not in it, they come one at a time: see `version` of `publish`. */
export function fingerprintOf({ ids, data, dimension }: Vectors, settings: unknown): string {
  const hash = createHash('sha256').update(JSON.stringify([dimension, ids.length, settings]))
  const step = 1 << 16
  for (let from = 0; from < ids.length; from += step) {
    const part: string[] = []
    for (let row = from; row < Math.min(ids.length, from + step); row++) part.push(String(ids[row]))
    hash.update(part.join())
    const values = data.subarray(from * dimension, Math.min(ids.length, from + step) * dimension)
    hash.update(new Uint8Array(values.buffer, values.byteOffset, values.byteLength))
  }
  return hash.digest('hex').slice(0, 32)
}

export interface Row {
  row: number
  payload: Payload | undefined
}

/** Rows with their payloads: from `start` on where a function can be asked for any of them, all of an iterable. */
export async function* rowsFrom(
  name: string,
  vectors: Vectors,
  payloads: Payloads | undefined,
  start: number,
): AsyncGenerator<Row> {
  const { ids } = vectors
  if (payloads === undefined || typeof payloads === 'function') {
    for (let row = start; row < ids.length; row++) yield { row, payload: payloads && (await payloads(row, ids[row])) }
    return
  }
  let row = 0
  for await (const payload of payloads) {
    if (row >= ids.length) {
      throw new RangeError(
        `Expected ${ids.length} payloads for ${name}, as many as ids, got more. They belong to the rows in order, one each.`,
      )
    }
    yield { row, payload }
    row++
  }
  if (row < ids.length) {
    throw new RangeError(
      `Expected ${ids.length} payloads for ${name}, as many as ids, got ${row}. They belong to the rows in order, one each.`,
    )
  }
}
