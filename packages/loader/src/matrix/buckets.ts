/**
 * Runs of consecutive rows (users, or items) that are gathered in one place before they are sorted: small enough to sort
 * in cache, few enough that each gets long runs at a time. A bucket's capacity is known exactly from the first pass.
 */
export interface Buckets {
  readonly count: number
  /** count + 1: first row of each bucket. */
  readonly first: Uint32Array<SharedArrayBuffer>
  /** count + 1: where each bucket's entries begin. */
  readonly start: Float64Array<SharedArrayBuffer>
  /** Bucket of each group of 2^shift rows: small enough for the cache, where one number a row would not be. */
  readonly ofGroup: Uint16Array<SharedArrayBuffer>
  readonly shift: number
}

export const MAX_BUCKETS = 4096
const TARGET_ENTRIES = 1 << 16
const MAX_GROUPS = 1 << 15
/** A row's place in its bucket must fit 16 bits. */
const MAX_ROWS = 1 << 16

/**
 * Rows a group should have (2^shift) for `ofGroup` to stay in the cache: with one item a group the transposition of 600,000 items
 * took half as long again. Less where neighbours are so heavy that their bucket would be a large part of everything.
 */
export function groupShift(weights: Uint32Array): number {
  const total = weights.reduce((sum, weight) => sum + weight, 0)
  const maxEntries = 64 * Math.max(TARGET_ENTRIES, total / MAX_BUCKETS)
  let shift = Math.max(0, Math.ceil(Math.log2(weights.length / MAX_GROUPS)))
  while (shift > 0 && heaviestGroup(weights, shift) > maxEntries) shift--
  return shift
}

function heaviestGroup(weights: Uint32Array, shift: number): number {
  let heaviest = 0
  for (let from = 0; from < weights.length; from += 2 ** shift) {
    const to = Math.min(weights.length, from + 2 ** shift)
    let weight = 0
    for (let row = from; row < to; row++) weight += weights[row]
    heaviest = Math.max(heaviest, weight)
  }
  return heaviest
}

/**
 * Cuts rows with the given weights (entries at most) into buckets at multiples of 2^shift rows, each of about
 * `targetEntries`; by default as small as sorts well, and no more than 4096 of them.
 */
export function cutBuckets(weights: Uint32Array, shift: number, targetEntries = 0): Buckets {
  const rows = weights.length
  let total = 0
  for (let row = 0; row < rows; row++) total += weights[row]
  const maxBuckets = targetEntries > 0 ? 1 << 15 : MAX_BUCKETS
  const target = Math.max(targetEntries || TARGET_ENTRIES, Math.ceil(total / maxBuckets))
  const groups = Math.ceil(rows / 2 ** shift)
  const ofGroup = new Uint16Array(new SharedArrayBuffer(2 * Math.max(1, groups)))
  const first = [0]
  const start = [0]
  let entries = 0
  let at = 0
  for (let group = 0; group < groups; group++) {
    const from = group * 2 ** shift
    const to = Math.min(rows, from + 2 ** shift)
    let weight = 0
    for (let row = from; row < to; row++) weight += weights[row]
    const begun = first[first.length - 1]
    if (from > begun && (entries + weight > target || to - begun > MAX_ROWS)) {
      first.push(from)
      start.push(at)
      entries = 0
    }
    entries += weight
    at += weight
    ofGroup[group] = first.length - 1
  }
  const count = first.length
  first.push(rows)
  start.push(at)
  const shared = {
    first: new Uint32Array(new SharedArrayBuffer(4 * first.length)),
    start: new Float64Array(new SharedArrayBuffer(8 * start.length)),
  }
  shared.first.set(first)
  shared.start.set(start)
  return { count, ...shared, ofGroup, shift }
}

/** Entries that a task should have at least. */
export const MIN_SPAN: number = 1 << 17

/** Runs of buckets of about equal work, about sixteen per thread. */
export function spansOf(starts: Float64Array, threads: number): [number, number][] {
  const count = starts.length - 1
  const target = Math.max(MIN_SPAN, starts[count] / (16 * threads))
  const result: [number, number][] = []
  let from = 0
  for (let b = 1; b <= count; b++) {
    if (b === count || starts[b + 1] - starts[from] > target) {
      result.push([from, b])
      from = b
    }
  }
  return result
}
