import { LoadError } from '../errors.ts'
import { hashKey, mix } from '../ids/fingerprint.ts'
import { CHUNK_ROWS, NULL_WORD, UNSAFE_WORD, unsafeId, wideId } from '../ids/keys.ts'
import { readKeys } from '../ids/read-keys.ts'
import type { ArrowBatch, ArrowColumn } from '../parquet/arrow-c.ts'
import type { Chunk } from './chunk.ts'
import { isString, plainIntegers, readNumbers, readStrings, readTimes } from './numbers.ts'
import { type FixedValues, Outcome, type SourceTask } from './source-task.ts'

type CodeTable = ReadonlyMap<string | number, number>

/** Turns batches of a source into chunks of rows that count: ids valid, sampled, in the time window and with a confidence. */
export class RowReader {
  readonly #chunk: Chunk
  readonly #numbers = new Float64Array(CHUNK_ROWS)
  readonly #source: SourceTask
  readonly #codebook: Float32Array | undefined
  readonly #direct: Uint8Array | undefined
  /** The codes of the chunk, or wider ones where a codebook has more than a byte holds. */
  readonly #codes: Uint8Array | Uint32Array
  #singleCodes: CodeTable | undefined

  /** Without a codebook only `codes` are wanted, unless the source is weighted. */
  constructor(chunk: Chunk, source: SourceTask, codebook: Float32Array | undefined) {
    this.#chunk = chunk
    this.#source = source
    this.#codebook = codebook
    this.#codes = codebook !== undefined && codebook.length > 256 ? new Uint32Array(CHUNK_ROWS) : chunk.codes
    this.#direct = source.confidence.way === 'table' ? directTable(source.confidence.codes) : undefined
  }

  /**
   * Calls `use` after each chunk is filled; `outcomes` counts what was left out and why. `fixed` are the values that all rows
   * of the file have because its path says so.
   */
  read(batch: ArrowBatch, fixed: FixedValues, outcomes: Float64Array, use: () => void): void {
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
      if (source.time !== undefined) this.#applyWindow(batch, fixed, from, count, outcomes)
      this.#weigh(batch, fixed, from, count, outcomes)
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
      if (hi < NULL_WORD) throw unsafeId(column, wideId(keys.lo[i], hi))
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

  #applyWindow(batch: ArrowBatch, fixed: FixedValues, from: number, count: number, outcomes: Float64Array): void {
    const { column, perMillisecond = 1, since, until } = this.#source.time!
    const chunk = this.#chunk
    const { rows, times } = chunk
    if (fixed.time !== undefined) times.fill(fixed.time)
    else readTimes(columnOf(batch, column), from, count, perMillisecond, times)
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

  #weigh(batch: ArrowBatch, fixed: FixedValues, from: number, count: number, outcomes: Float64Array): void {
    const { confidence, time } = this.#source
    const chunk = this.#chunk
    const before = chunk.n
    if (confidence.way === 'constant') this.#fillCodes(confidence.code)
    else if (confidence.way === 'table') {
      if (fixed.code === undefined) this.#lookUpCodes(columnOf(batch, confidence.column), from, count)
      else if (fixed.code < 0) chunk.n = 0
      else this.#fillCodes(fixed.code)
    } else {
      const { scale, factor, offset } = confidence
      const numbers = this.#numbers
      const { rows, values } = chunk
      if (fixed.number !== undefined) numbers.fill(fixed.number)
      else readNumbers(columnOf(batch, confidence.column), from, count, numbers)
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
      for (let i = 0; i < count; i++) chunk.values[i] = codebook[this.#codes[i]]
    }
    if (time !== undefined && time.halfLife < Number.POSITIVE_INFINITY) this.#decay(time.halfLife, time.reference)
    outcomes[Outcome.withoutConfidence] += before - chunk.n
  }

  /** Consecutive chunks mostly have the same constant. */
  #fillCodes(code: number): void {
    const chunk = this.#chunk
    const wide = this.#codes !== chunk.codes
    if (wide || chunk.constant !== code) this.#codes.fill(code)
    if (!wide) chunk.constant = code
  }

  #lookUpCodes(column: ArrowColumn, from: number, count: number): void {
    const chunk = this.#chunk
    const { rows } = chunk
    const codes = this.#codes
    const { confidence } = this.#source
    if (confidence.way !== 'table') return
    chunk.constant = undefined
    const integers = this.#direct === undefined ? undefined : plainIntegers(column, from, count)
    if (integers !== undefined) {
      this.#lookUpIntegers(integers)
      return
    }
    const found = this.#finder(column, from, count, confidence.codes)
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

  /** The code of row i of the run, -1 where its value has none. */
  #finder(column: ArrowColumn, from: number, count: number, codes: CodeTable): (i: number) => number {
    if (isString(column)) {
      const strings: (string | undefined)[] = new Array(count)
      readStrings(column, from, count, strings)
      return (i) => codes.get(strings[i] ?? Number.NaN) ?? -1
    }
    const numbers = this.#numbers
    readNumbers(column, from, count, numbers)
    if (column.format === 'b') {
      return (i) => codes.get(numbers[i]) ?? codes.get(['false', 'true'][numbers[i]] ?? Number.NaN) ?? -1
    }
    const table = column.format === 'f' ? this.#singlePrecision(codes) : codes
    return (i) => table.get(numbers[i]) ?? -1
  }

  /** Codes by the values as a column of floats holds them: its 3.7 is not the double 3.7. */
  #singlePrecision(codes: CodeTable): CodeTable {
    this.#singleCodes ??= new Map(
      [...codes].map(([value, code]) => [typeof value === 'number' ? Math.fround(value) : value, code]),
    )
    return this.#singleCodes
  }

  #lookUpIntegers(integers: Int32Array): void {
    const chunk = this.#chunk
    const { rows } = chunk
    const codes = this.#codes
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

function columnOf(batch: ArrowBatch, name: string): ArrowColumn {
  const column = batch.columns.get(name)
  if (column === undefined) throw new LoadError('schema', `column "${name}" is missing in the decoded data.`)
  return column
}

/** code + 1 by value, for columns of integers, if those in the table are below 256: ratings, mostly. 0 stands for "left out". */
function directTable(codes: ReadonlyMap<string | number, number>): Uint8Array | undefined {
  const table = new Uint8Array(256)
  for (const [value, code] of codes) {
    // Strings and fractions are equal to no integer.
    if (typeof value === 'string' || !Number.isInteger(value)) continue
    if (value < 0 || value > 255 || code > 254) return undefined
    table[value] = code + 1
  }
  return table
}
