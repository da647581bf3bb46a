import type { IdColumn } from '@seesaw/als-core'
import { type IntegerIds, StringColumn } from '../ids/id-column.ts'
import type { IdRange } from '../ids/id-range.ts'
import { KeyTable, type KeyTableArrays, lookUp } from '../ids/key-table.ts'
import type { RowMap } from '../ids/row-map.ts'
import type { DirectCounts, IdCounts } from './id-counter.ts'

/** The ids that reach the threshold, in ascending order: their place in it is their dense row. */
export interface ActiveIds {
  readonly ids: IdColumn
  /** Rows counted for each, by dense row. */
  readonly activity: Uint32Array<SharedArrayBuffer>
  readonly map: RowMap
  /** Distinct ids counted, active or not. */
  readonly distinct: number
  /** The same by their rows: element b counts the ids with 2^b to 2^(b+1) - 1 of them. */
  readonly octaves: readonly number[]
}

/** Adds up the workers' counts and keeps the ids with at least `threshold` rows. */
export function selectActive(range: IdRange, counts: readonly IdCounts[], threshold: number): ActiveIds {
  if (range.way === 'direct') return selectDirect(range, counts, Math.max(1, threshold))
  const total = addTables(
    counts.map((each) => (each as { table: KeyTableArrays }).table),
    range.kind === 'string',
  )
  return range.kind === 'integer' ? selectIntegers(total, threshold) : selectStrings(total, threshold)
}

function selectDirect(
  { min, size }: { min: number; size: number },
  counts: readonly IdCounts[],
  threshold: number,
): ActiveIds {
  const parts = counts as readonly DirectCounts[]
  const totals = new Uint32Array(RUN)
  const ranks = new Uint32Array(new SharedArrayBuffer(8 * Math.ceil(size / 32)))
  const octaves: number[] = []
  let active = 0
  eachRun(size, (from, to) => {
    addCounts(parts, from, to, totals)
    for (let slot = from; slot < to; slot++) {
      const total = totals[slot - from]
      if ((slot & 31) === 0) ranks[(slot >>> 5) * 2 + 1] = active
      if (total > 0) countOctave(octaves, total)
      if (total < threshold) continue
      active++
      ranks[(slot >>> 5) * 2] |= 1 << (slot & 31)
    }
  })
  const ids = integerIds(active, min + size)
  const activity = new Uint32Array(new SharedArrayBuffer(4 * active))
  let row = 0
  eachRun(size, (from, to) => {
    addCounts(parts, from, to, totals)
    for (let slot = from; slot < to; slot++) {
      const total = totals[slot - from]
      if (total < threshold) continue
      ids[row] = min + slot
      activity[row++] = total
    }
  })
  return { ids, activity, map: { way: 'direct', min, size, ranks }, distinct: sum(octaves), octaves }
}

/** Adds an id with `total` rows. */
function countOctave(octaves: number[], total: number): void {
  const octave = 31 - Math.clz32(total)
  while (octaves.length <= octave) octaves.push(0)
  octaves[octave]++
}

function octavesOf(totals: ArrayLike<number>): number[] {
  const octaves: number[] = []
  for (let slot = 0; slot < totals.length; slot++) if (totals[slot] > 0) countOctave(octaves, totals[slot])
  return octaves
}

function sum(counts: readonly number[]): number {
  return counts.reduce((total, count) => total + count, 0)
}

const RUN = 1 << 16

function eachRun(size: number, use: (from: number, to: number) => void): void {
  for (let from = 0; from < size; from += RUN) use(from, Math.min(size, from + RUN))
}

/** The rows counted by all workers for slots [from, to). */
function addCounts(parts: readonly DirectCounts[], from: number, to: number, totals: Uint32Array): void {
  totals.fill(0)
  for (const { low, carry } of parts) {
    for (let slot = from; slot < to; slot++) totals[slot - from] += low[slot] + 256 * carry[slot]
  }
}

function addTables(tables: readonly KeyTableArrays[], strings: boolean): KeyTable {
  // Large enough from the start: keys that arrive in the order of their hash would pile up in a table that is too small.
  const total = KeyTable.forKeys(
    tables.reduce((sum, table) => sum + table.used, 0),
    strings,
  )
  for (const part of tables) {
    const { lo, hi, values } = part
    const source = KeyTable.from(part)
    const keys = { lo, hi, start: new Uint32Array(1), end: new Uint32Array(1), bytes: part.text ?? new Uint8Array(0) }
    const one = { ...keys, lo: new Uint32Array(1), hi: new Uint32Array(1) }
    for (let from = 0; from < lo.length; from++) {
      if (values[from] === 0) continue
      one.lo[0] = lo[from]
      one.hi[0] = hi[from]
      if (strings) [one.start[0], one.end[0]] = source.textAt(from)
      total.add(one, 0, values[from])
    }
  }
  return total
}

function selectIntegers(total: KeyTable, threshold: number): ActiveIds {
  const { lo, hi, values } = total
  let active = 0
  for (let slot = 0; slot < lo.length; slot++) if (values[slot] > 0 && values[slot] >= threshold) active++
  const sorted = new Float64Array(active)
  let at = 0
  for (let slot = 0; slot < lo.length; slot++) {
    if (values[slot] > 0 && values[slot] >= threshold) sorted[at++] = hi[slot] * 4294967296 + lo[slot]
  }
  sorted.sort()
  const ids = integerIds(active, active === 0 ? 0 : sorted[active - 1] + 1)
  ids.set(sorted)
  const activity = new Uint32Array(new SharedArrayBuffer(4 * active))
  const table = KeyTable.forKeys(active)
  const keys = { lo: new Uint32Array(1), hi: new Uint32Array(1), start: none, end: none, bytes: noBytes }
  const found = new Int32Array(1)
  for (let row = 0; row < active; row++) {
    keys.hi[0] = Math.floor(sorted[row] / 4294967296)
    keys.lo[0] = sorted[row] >>> 0
    lookUp(total, keys, first, 1, found)
    activity[row] = found[0] + 1
    table.set(keys, 0, row + 1)
  }
  return {
    ids,
    activity,
    map: { way: 'table', table: table.arrays() },
    distinct: total.used,
    octaves: octavesOf(values),
  }
}

/** Strings ascend by their UTF-8 bytes, which is the order of their code points. */
function selectStrings(total: KeyTable, threshold: number): ActiveIds {
  const { lo, hi, values } = total
  let active = 0
  for (let slot = 0; slot < lo.length; slot++) if (values[slot] > 0 && values[slot] >= threshold) active++
  const slots = new Uint32Array(active)
  // The first six bytes as one number decide almost every comparison without touching the text.
  const prefix = new Float64Array(lo.length)
  let at = 0
  let length = 0
  for (let slot = 0; slot < lo.length; slot++) {
    if (values[slot] === 0 || values[slot] < threshold) continue
    slots[at++] = slot
    const [start, end] = total.textAt(slot)
    length += end - start
    for (let b = 0; b < 6; b++) prefix[slot] = prefix[slot] * 256 + (start + b < end ? total.text![start + b] : 0)
  }
  const text = Buffer.from(total.text!.buffer)
  slots.sort((a, b) => {
    const difference = prefix[a] - prefix[b]
    if (difference !== 0) return difference
    const [startA, endA] = total.textAt(a)
    const [startB, endB] = total.textAt(b)
    return text.compare(text, startB, endB, startA, endA)
  })
  const offsets = new Float64Array(new SharedArrayBuffer(8 * (active + 1)))
  const bytes = new Uint8Array(new SharedArrayBuffer(length))
  const activity = new Uint32Array(new SharedArrayBuffer(4 * active))
  const table = KeyTable.forKeys(active)
  const keys = { lo: new Uint32Array(1), hi: new Uint32Array(1), start: none, end: none, bytes: noBytes }
  for (let row = 0; row < active; row++) {
    const slot = slots[row]
    const [start, end] = total.textAt(slot)
    bytes.set(total.text!.subarray(start, end), offsets[row])
    offsets[row + 1] = offsets[row] + end - start
    activity[row] = values[slot]
    keys.lo[0] = lo[slot]
    keys.hi[0] = hi[slot]
    table.set(keys, 0, row + 1)
  }
  return {
    ids: new StringColumn(offsets, bytes),
    activity,
    map: { way: 'table', table: table.arrays() },
    distinct: total.used,
    octaves: octavesOf(values),
  }
}

const first = new Uint16Array(1)
const none = new Uint32Array(0)
const noBytes = new Uint8Array(0)

/** Ids below 2^32 take four bytes each, others eight. */
function integerIds(length: number, end: number): IntegerIds {
  return end <= 4294967296
    ? new Uint32Array(new SharedArrayBuffer(4 * length))
    : new Float64Array(new SharedArrayBuffer(8 * length))
}
