import { LoadError } from '../errors.ts'
import { hashKey, mix } from '../ids/fingerprint.ts'
import { CHUNK_ROWS, createKeys, type Keys, NULL_WORD, readKeys, UNSAFE_WORD } from '../ids/keys.ts'
import type { ArrowBatch, ArrowColumn } from '../parquet/arrow-c.ts'
import { isString, readNumbers, readStrings, readTimes } from './numbers.ts'
import { Outcome, type SourceTask } from './source-task.ts'

/**
 * Turns batches of a source into runs of at most CHUNK_ROWS rows that count: ids valid, sampled, in the time window and
 * with a confidence. `rows` selects them among the run; `values` and `times` are by place in the run.
 */
export class RowReader {
  readonly users: Keys
  readonly items: Keys
  readonly rows: Uint16Array = new Uint16Array(CHUNK_ROWS)
  n = 0
  /** Confidence of each row of the run, or its code when the load has a codebook. */
  readonly values: Float32Array = new Float32Array(CHUNK_ROWS)
  readonly codes: Uint8Array = new Uint8Array(CHUNK_ROWS)
  readonly times: Float64Array = new Float64Array(CHUNK_ROWS)
  readonly #numbers = new Float64Array(CHUNK_ROWS)
  readonly #source: SourceTask
  readonly #codebook: Float32Array | undefined
  readonly #direct: Uint8Array | undefined

  /** Without a codebook only `codes` are wanted, unless the source is weighted. */
  constructor(source: SourceTask, codebook: Float32Array | undefined) {
    this.#source = source
    this.#codebook = codebook
    this.users = createKeys(source.userKind)
    this.items = createKeys(source.itemKind)
    this.#direct = source.confidence.way === 'table' ? directTable(source.confidence.codes) : undefined
  }

  /** Calls `use` after each run; `outcomes` counts what was left out and why. */
  read(batch: ArrowBatch, outcomes: Float64Array, use: () => void): void {
    const source = this.#source
    const user = columnOf(batch, source.user)
    const item = columnOf(batch, source.item)
    for (let from = 0; from < batch.length; from += CHUNK_ROWS) {
      const count = Math.min(CHUNK_ROWS, batch.length - from)
      readKeys(user, from, count, this.users, source.seed)
      readKeys(item, from, count, this.items, source.seed)
      outcomes[Outcome.rows] += count
      this.#selectValid(count, outcomes)
      this.#sample(outcomes)
      if (source.time !== undefined) this.#applyWindow(columnOf(batch, source.time.column), from, count, outcomes)
      this.#weigh(batch, from, count, outcomes)
      outcomes[Outcome.kept] += this.n
      use()
    }
  }

  #selectValid(count: number, outcomes: Float64Array): void {
    const { rows } = this
    if (this.users.small && this.items.small) {
      rows.set(everyRow.subarray(0, count))
      this.n = count
      return
    }
    const users = this.users.hi
    const items = this.items.hi
    const userLimit = this.#source.userKind === 'integer' ? UNSAFE_WORD : NULL_WORD
    const itemLimit = this.#source.itemKind === 'integer' ? UNSAFE_WORD : NULL_WORD
    let n = 0
    for (let i = 0; i < count; i++) {
      rows[n] = i
      if (users[i] < userLimit && items[i] < itemLimit) n++
      else this.#refuse(i, outcomes)
    }
    this.n = n
  }

  #refuse(i: number, outcomes: Float64Array): void {
    const { user, item, userKind, itemKind, nulls, negatives } = this.#source
    for (const [column, kind, keys] of [
      [user, userKind, this.users],
      [item, itemKind, this.items],
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
    const { rows, users, items } = this
    let n = 0
    for (let k = 0; k < this.n; k++) {
      const i = rows[k]
      let hash = hashKey(users.lo[i], users.hi[i], seed)
      if (by === 'row') hash = mix(hash ^ hashKey(items.lo[i], items.hi[i], ~seed))
      rows[n] = i
      if (hash >>> 0 < below) n++
    }
    outcomes[Outcome.notSampled] += this.n - n
    this.n = n
  }

  #applyWindow(column: ArrowColumn, from: number, count: number, outcomes: Float64Array): void {
    const { unit, since, until } = this.#source.time!
    const { rows, times } = this
    readTimes(column, from, count, unit, times)
    let n = 0
    for (let k = 0; k < this.n; k++) {
      const time = times[rows[k]]
      rows[n] = rows[k]
      // A null is NaN and in no window, not even an open one: it has no place in an order of time either.
      if (time >= since && time < until) n++
    }
    outcomes[Outcome.outsideWindow] += this.n - n
    this.n = n
  }

  #weigh(batch: ArrowBatch, from: number, count: number, outcomes: Float64Array): void {
    const { confidence, time } = this.#source
    const before = this.n
    if (confidence.way === 'constant') this.codes.fill(confidence.code, 0, count)
    else if (confidence.way === 'table') this.#lookUpCodes(columnOf(batch, confidence.column), from, count)
    else {
      const { scale, factor, offset } = confidence
      const numbers = this.#numbers
      const { rows, values } = this
      readNumbers(columnOf(batch, confidence.column), from, count, numbers)
      let n = 0
      for (let k = 0; k < this.n; k++) {
        const i = rows[k]
        // linear: c = offset + factor · x      log1p: c = offset + factor · ln(1 + x)
        const value = offset + factor * (scale === 'linear' ? numbers[i] : Math.log1p(numbers[i]))
        values[i] = value
        rows[n] = i
        if (values[i] > 0 && values[i] < Number.POSITIVE_INFINITY) n++
      }
      this.n = n
    }
    const codebook = this.#codebook
    if (confidence.way !== 'weight' && codebook !== undefined) {
      for (let i = 0; i < count; i++) this.values[i] = codebook[this.codes[i]]
    }
    if (time !== undefined && time.halfLife < Number.POSITIVE_INFINITY) this.#decay(time.halfLife, time.reference)
    outcomes[Outcome.withoutConfidence] += before - this.n
  }

  #lookUpCodes(column: ArrowColumn, from: number, count: number): void {
    const { rows, codes } = this
    const { confidence } = this.#source
    if (confidence.way !== 'table') return
    let found: (i: number) => number
    if (isString(column)) {
      const strings: (string | undefined)[] = new Array(count)
      readStrings(column, from, count, strings)
      found = (i) => confidence.codes.get(strings[i] ?? Number.NaN) ?? -1
    } else {
      const numbers = this.#numbers
      readNumbers(column, from, count, numbers)
      const direct = this.#direct
      if (direct !== undefined) {
        let n = 0
        for (let k = 0; k < this.n; k++) {
          const i = rows[k]
          const code = (direct[numbers[i]] ?? 0) - 1
          codes[i] = code
          rows[n] = i
          if (code >= 0) n++
        }
        this.n = n
        return
      }
      found = (i) => confidence.codes.get(numbers[i]) ?? -1
    }
    let n = 0
    for (let k = 0; k < this.n; k++) {
      const i = rows[k]
      const code = found(i)
      codes[i] = code
      rows[n] = i
      if (code >= 0) n++
    }
    this.n = n
  }

  /** c · 2^(-age / half-life); what lies after the reference moment counts in full. */
  #decay(halfLife: number, reference: number): void {
    const { rows, times, values } = this
    let n = 0
    for (let k = 0; k < this.n; k++) {
      const i = rows[k]
      values[i] *= 2 ** (-Math.max(0, reference - times[i]) / halfLife)
      rows[n] = i
      // So old that nothing is left of it in single precision.
      if (values[i] > 0) n++
    }
    this.n = n
  }
}

const everyRow = Uint16Array.from({ length: CHUNK_ROWS }, (_, i) => i)

function columnOf(batch: ArrowBatch, name: string): ArrowColumn {
  const column = batch.columns.get(name)
  if (column === undefined) throw new LoadError('schema', `column "${name}" is missing in the decoded data.`)
  return column
}

/** code + 1 by value, where all values are whole numbers below 256: ratings, mostly. 0 stands for "left out". */
function directTable(codes: ReadonlyMap<string | number, number>): Uint8Array | undefined {
  const table = new Uint8Array(256)
  for (const [value, code] of codes) {
    if (typeof value !== 'number' || !Number.isInteger(value) || value < 0 || value > 255 || code > 254)
      return undefined
    table[value] = code + 1
  }
  return table
}
