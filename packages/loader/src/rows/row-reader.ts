import { LoadError } from '../errors.ts'
import { hashKey, mix } from '../ids/fingerprint.ts'
import { CHUNK_ROWS, NULL_WORD, readKeys, UNSAFE_WORD } from '../ids/keys.ts'
import type { ArrowBatch, ArrowColumn } from '../parquet/arrow-c.ts'
import type { Chunk } from './chunk.ts'
import { isString, plainIntegers, readNumbers, readStrings, readTimes } from './numbers.ts'
import { Outcome, type SourceTask } from './source-task.ts'

/** Turns batches of a source into chunks of rows that count: ids valid, sampled, in the time window and with a confidence. */
export class RowReader {
  readonly #chunk: Chunk
  readonly #numbers = new Float64Array(CHUNK_ROWS)
  readonly #source: SourceTask
  readonly #codebook: Float32Array | undefined
  readonly #direct: Uint8Array | undefined

  /** Without a codebook only `codes` are wanted, unless the source is weighted. */
  constructor(chunk: Chunk, source: SourceTask, codebook: Float32Array | undefined) {
    this.#chunk = chunk
    this.#source = source
    this.#codebook = codebook
    this.#direct = source.confidence.way === 'table' ? directTable(source.confidence.codes) : undefined
  }

  /** Calls `use` after each chunk is filled; `outcomes` counts what was left out and why. */
  read(batch: ArrowBatch, outcomes: Float64Array, use: () => void): void {
    const source = this.#source
    const chunk = this.#chunk
    const user = columnOf(batch, source.user)
    const item = columnOf(batch, source.item)
    for (let from = 0; from < batch.length; from += CHUNK_ROWS) {
      const count = Math.min(CHUNK_ROWS, batch.length - from)
      readKeys(user, from, count, chunk.users, source.seed)
      readKeys(item, from, count, chunk.items, source.seed)
      outcomes[Outcome.rows] += count
      this.#selectValid(count, outcomes)
      this.#sample(outcomes)
      if (source.time !== undefined) this.#applyWindow(columnOf(batch, source.time.column), from, count, outcomes)
      this.#weigh(batch, from, count, outcomes)
      outcomes[Outcome.kept] += chunk.n
      use()
    }
  }

  #selectValid(count: number, outcomes: Float64Array): void {
    const chunk = this.#chunk
    const { rows } = chunk
    if (chunk.users.small && chunk.items.small) {
      rows.set(everyRow.subarray(0, count))
      chunk.n = count
      return
    }
    const users = chunk.users.hi
    const items = chunk.items.hi
    const userLimit = this.#source.userKind === 'integer' ? UNSAFE_WORD : NULL_WORD
    const itemLimit = this.#source.itemKind === 'integer' ? UNSAFE_WORD : NULL_WORD
    let n = 0
    for (let i = 0; i < count; i++) {
      rows[n] = i
      if (users[i] < userLimit && items[i] < itemLimit) n++
      else this.#refuse(i, outcomes)
    }
    chunk.n = n
  }

  #refuse(i: number, outcomes: Float64Array): void {
    const { user, item, userKind, itemKind, nulls, negatives } = this.#source
    for (const [column, kind, keys] of [
      [user, userKind, this.#chunk.users],
      [item, itemKind, this.#chunk.items],
    ] as const) {
      const hi = keys.hi[i]
      if (hi < UNSAFE_WORD || (kind === 'string' && hi < NULL_WORD)) continue
      if (hi < NULL_WORD) {
        throw new LoadError(
          'ids',
          `column "${column}" holds the id ${(BigInt(hi) << 32n) + BigInt(keys.lo[i])}; ids from 2^53 on cannot be held ` +
            'exactly. Store them as strings.',
          { column },
        )
      }
      const isNull = hi === NULL_WORD && keys.lo[i] === 0
      if ((isNull ? nulls : negatives) === 'error') {
        const what = isNull ? 'a null' : `the negative id ${(BigInt(hi | 0) << 32n) + BigInt(keys.lo[i])}`
        throw new LoadError(
          'ids',
          `column "${column}" holds ${what}. Clean the file, or set invalidIds.${isNull ? 'null' : 'negative'} to "drop".`,
          { column },
        )
      }
      outcomes[isNull ? Outcome.nullIds : Outcome.negativeIds]++
      return
    }
  }

  /** The hash of the id and the seed decides, so every source and every run keep the same users. */
  #sample(outcomes: Float64Array): void {
    const { by, below, seed } = this.#source.sample
    if (below >= 4294967296) return
    const chunk = this.#chunk
    const { rows, users, items } = chunk
    let n = 0
    for (let k = 0; k < chunk.n; k++) {
      const i = rows[k]
      let hash = hashKey(users.lo[i], users.hi[i], seed)
      if (by === 'row') hash = mix(hash ^ hashKey(items.lo[i], items.hi[i], ~seed))
      rows[n] = i
      if (hash >>> 0 < below) n++
    }
    outcomes[Outcome.notSampled] += chunk.n - n
    chunk.n = n
  }

  #applyWindow(column: ArrowColumn, from: number, count: number, outcomes: Float64Array): void {
    const { unit, since, until } = this.#source.time!
    const chunk = this.#chunk
    const { rows, times } = chunk
    readTimes(column, from, count, unit, times)
    let n = 0
    for (let k = 0; k < chunk.n; k++) {
      const time = times[rows[k]]
      rows[n] = rows[k]
      // A null is NaN and in no window, not even an open one: it has no place in an order of time either.
      if (time >= since && time < until) n++
    }
    outcomes[Outcome.outsideWindow] += chunk.n - n
    chunk.n = n
  }

  #weigh(batch: ArrowBatch, from: number, count: number, outcomes: Float64Array): void {
    const { confidence, time } = this.#source
    const chunk = this.#chunk
    const before = chunk.n
    if (confidence.way === 'constant') fillCodes(chunk, confidence.code)
    else if (confidence.way === 'table') this.#lookUpCodes(columnOf(batch, confidence.column), from, count)
    else {
      const { scale, factor, offset } = confidence
      const numbers = this.#numbers
      const { rows, values } = chunk
      readNumbers(columnOf(batch, confidence.column), from, count, numbers)
      let n = 0
      for (let k = 0; k < chunk.n; k++) {
        const i = rows[k]
        // linear: c = offset + factor · x      log1p: c = offset + factor · ln(1 + x)
        const value = offset + factor * (scale === 'linear' ? numbers[i] : Math.log1p(numbers[i]))
        values[i] = value
        rows[n] = i
        if (values[i] > 0 && values[i] < Number.POSITIVE_INFINITY) n++
      }
      chunk.n = n
    }
    const codebook = this.#codebook
    if (confidence.way !== 'weight' && codebook !== undefined) {
      for (let i = 0; i < count; i++) chunk.values[i] = codebook[chunk.codes[i]]
    }
    if (time !== undefined && time.halfLife < Number.POSITIVE_INFINITY) this.#decay(time.halfLife, time.reference)
    outcomes[Outcome.withoutConfidence] += before - chunk.n
  }

  #lookUpCodes(column: ArrowColumn, from: number, count: number): void {
    const chunk = this.#chunk
    const { rows, codes } = chunk
    const { confidence } = this.#source
    if (confidence.way !== 'table') return
    chunk.constant = undefined
    let found: (i: number) => number
    if (isString(column)) {
      const strings: (string | undefined)[] = new Array(count)
      readStrings(column, from, count, strings)
      found = (i) => confidence.codes.get(strings[i] ?? Number.NaN) ?? -1
    } else {
      const integers = this.#direct === undefined ? undefined : plainIntegers(column, from, count)
      if (integers !== undefined) {
        this.#lookUpIntegers(integers)
        return
      }
      const numbers = this.#numbers
      readNumbers(column, from, count, numbers)
      found = (i) => confidence.codes.get(numbers[i]) ?? -1
    }
    let n = 0
    for (let k = 0; k < chunk.n; k++) {
      const i = rows[k]
      const code = found(i)
      codes[i] = code
      rows[n] = i
      if (code >= 0) n++
    }
    chunk.n = n
  }

  #lookUpIntegers(integers: Int32Array): void {
    const chunk = this.#chunk
    const { rows, codes } = chunk
    const direct = this.#direct!
    let n = 0
    for (let k = 0; k < chunk.n; k++) {
      const i = rows[k]
      const value = integers[i]
      const code = value >= 0 && value < 256 ? direct[value] : 0
      codes[i] = code - 1
      rows[n] = i
      if (code > 0) n++
    }
    chunk.n = n
  }

  /** c · 2^(-age / half-life); what lies after the reference moment counts in full. */
  #decay(halfLife: number, reference: number): void {
    const chunk = this.#chunk
    const { rows, times, values } = chunk
    let n = 0
    for (let k = 0; k < chunk.n; k++) {
      const i = rows[k]
      values[i] *= 2 ** (-Math.max(0, reference - times[i]) / halfLife)
      rows[n] = i
      // So old that nothing is left of it in single precision.
      if (values[i] > 0) n++
    }
    chunk.n = n
  }
}

const everyRow = Uint16Array.from({ length: CHUNK_ROWS }, (_, i) => i)

/** Consecutive chunks mostly have the same constant. */
function fillCodes(chunk: Chunk, code: number): void {
  if (chunk.constant !== code) chunk.codes.fill(code)
  chunk.constant = code
}

function columnOf(batch: ArrowBatch, name: string): ArrowColumn {
  const column = batch.columns.get(name)
  if (column === undefined) throw new LoadError('schema', `column "${name}" is missing in the decoded data.`)
  return column
}

/** code + 1 by value, for columns of whole numbers, if those in the table are below 256: ratings, mostly. 0 stands for "left out". */
function directTable(codes: ReadonlyMap<string | number, number>): Uint8Array | undefined {
  const table = new Uint8Array(256)
  for (const [value, code] of codes) {
    // Strings and fractions are equal to no whole number.
    if (typeof value === 'string' || !Number.isInteger(value)) continue
    if (value < 0 || value > 255 || code > 254) return undefined
    table[value] = code + 1
  }
  return table
}
