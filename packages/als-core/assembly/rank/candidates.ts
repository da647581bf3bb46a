// The candidates of a query: what may be among its `limit` best items, and the threshold that they set.
//
// The score of an item, in units of |x|/32767², is its estimate, give or take a margin: by the coarse codes c·d/(s·t) and
// the bound of screen.ts, by the fine ones f·g and E, the query's and the items' rounding; both times |y|. Only the `limit`
// largest estimates are looked at closely, by fine codes: the smallest lower end among them is a threshold that upper ends
// must reach. Last, whatever is left is looked at; the caller scores those few exactly.
//
// A candidate is 16 bytes: estimate, margin (float32), position, and whether the estimate is that of fine codes (int32).

import { bounds, capacity, fine, items, limit, mask, norms, penalties, Query, rows, width } from "./block";
import { NOTE_BYTES } from "./screen";
import { dotInt16 } from "../simd";

/** Rounding of arithmetic in float32, relative. */
// @ts-ignore: decorator
@inline const SLACK: f32 = 1e-6;

/** Takes the items that a scan has noted for four queries (see screen.ts), unless they are left out. */
export function take(noted: usize, end: usize, qa: Query, qb: Query, qc: Query, qd: Query): void {
  for (let note = noted; note < end; note += NOTE_BYTES) {
    const bits = load<u32>(note, 4);
    if (bits & 0xff) takeFrom(note, qa, bits & 0xff, note + 16);
    if (bits & 0xff00) takeFrom(note, qb, (bits >> 8) & 0xff, note + 48);
    if (bits & 0xff0000) takeFrom(note, qc, (bits >> 16) & 0xff, note + 80);
    if (bits & 0xff000000) takeFrom(note, qd, bits >> 24, note + 112);
  }
}

function takeFrom(note: usize, query: Query, reach: u32, sums: usize): void {
  if (query.filled < 0) return;
  const panel = load<i32>(note), at = bounds + (<usize>panel << 4), unit = query.coarseUnit / load<f32>(at);
  const bound = (query.coarseError * load<f32>(at) + query.coarseNorm * load<f32>(at, 4) + 2) * unit;
  if (mask != 0) reach &= load<u8>(mask + <usize>panel);
  for (; reach != 0; reach &= reach - 1) {
    const item = <usize>ctz(reach), position = (panel << 3) + <i32>item;
    if (position >= items) return;
    if (query.excludedFrom < query.excludedTo && isExcluded(query, load<u32>(rows + (<usize>position << 2)))) continue;
    const score = <f32>load<i32>(sums + (item << 2)) * unit * normOf(position), penalty = penaltyOf(query, position);
    const slot = slotOf(query, query.filled);
    store<f32>(slot, score - penalty); store<f32>(slot, bound * normOf(position) + SLACK * (abs(score) + penalty), 4);
    store<i32>(slot, position, 8); store<i32>(slot, 0, 12);
    if (++query.filled < capacity) continue;
    settle(query);
    if (query.filled > capacity - (capacity >> 3)) settleAll(query);
    if (query.filled > capacity - (capacity >> 3)) {
      query.filled = -1;
      query.threshold = Infinity;
      return;
    }
  }
}

/**
 * Raises the threshold to the smallest lower end of the `limit` largest candidates and drops those that cannot reach it.
 * Needs `limit` candidates or more.
 */
export function settle(query: Query): void {
  selectLargest(query.candidates, query.filled, limit);
  lookClosely(query, 0, limit);
  let smallest: f32 = Infinity;
  for (let slot = slotOf(query, 0), end = slotOf(query, limit); slot < end; slot += 16) {
    smallest = min(smallest, load<f32>(slot) - load<f32>(slot, 4));
  }
  if (smallest >= query.threshold) {
    query.threshold = smallest;
    query.isProven = true;
  }
  drop(query, limit);
}

/** The same, with a close look at every candidate: what is left differs from the best by rounding of fine codes alone. */
export function settleAll(query: Query): void {
  settle(query);
  lookClosely(query, limit, query.filled);
  settle(query);
}

/** Raises the threshold to the `count`-th largest estimate, a guess, and drops what cannot reach it. */
export function raise(query: Query, count: i32): void {
  selectLargest(query.candidates, query.filled, count);
  let smallest: f32 = Infinity;
  for (let slot = slotOf(query, 0), end = slotOf(query, count); slot < end; slot += 16) smallest = min(smallest, load<f32>(slot));
  query.threshold = max(query.threshold, smallest);
  drop(query, count);
}

/** Drops candidates from the given one on that cannot reach the threshold. */
function drop(query: Query, from: i32): void {
  let kept = slotOf(query, from);
  for (let slot = kept, end = slotOf(query, query.filled); slot < end; slot += 16) {
    v128.store(kept, v128.load(slot));
    if (load<f32>(slot) + load<f32>(slot, 4) >= query.threshold) kept += 16;
  }
  query.filled = <i32>(kept - query.candidates) >> 4;
  query.due = 2 * query.filled;
}

/** Estimates candidates [from, to) by their fine codes. All are touched first, so that many are on their way at a time. */
function lookClosely(query: Query, from: i32, to: i32): void {
  const bytes = <usize>width << 1, first = slotOf(query, from), end = slotOf(query, to);
  let touched: u8 = 0;
  for (let slot = first; slot < end; slot += 16) {
    if (load<i32>(slot, 12)) continue;
    const row = fine + <usize>load<i32>(slot, 8) * bytes;
    for (let line: usize = 0; line < bytes; line += 64) touched |= load<u8>(row + line);
  }
  for (let slot = first; slot < end; slot += 16) {
    if (load<i32>(slot, 12)) continue;
    const position = load<i32>(slot, 8), codes = dotInt16(query.fine, fine + <usize>position * bytes, bytes);
    const norm = normOf(position), penalty = penaltyOf(query, position);
    store<f32>(slot, <f32>codes * norm - penalty); store<f32>(slot, query.error * norm + SLACK * penalty, 4);
    store<i32>(slot, 1, 12);
  }
  query.touched = touched;
}

@inline function slotOf(query: Query, candidate: i32): usize {
  return query.candidates + (<usize>candidate << 4);
}

@inline function normOf(position: i32): f32 {
  return norms == 0 ? 1 : load<f32>(norms + (<usize>position << 2));
}

@inline function penaltyOf(query: Query, position: i32): f32 {
  return penalties == 0 ? 0 : query.weight * load<f32>(penalties + (<usize>position << 2));
}

function isExcluded(query: Query, row: u32): bool {
  let from = query.excludedFrom, to = query.excludedTo;
  while (from < to) {
    const middle = from + ((to - from) >> 3 << 2);
    const value = load<u32>(middle);
    if (value == row) return true;
    if (value < row) from = middle + 4;
    else to = middle;
  }
  return false;
}

/** Moves the `count` largest of n candidates to the front (Hoare's selection, median of three). */
function selectLargest(base: usize, n: i32, count: i32): void {
  let low = base, high = base + (<usize>(n - 1) << 4);
  const target = base + (<usize>(count - 1) << 4);
  while (low < high) {
    const a = load<f32>(low), b = load<f32>(low + ((high - low) >> 5 << 4)), c = load<f32>(high);
    const pivot = max(min(a, b), min(max(a, b), c));
    let i = low, j = high;
    while (i <= j) {
      while (load<f32>(i) > pivot) i += 16;
      while (load<f32>(j) < pivot) j -= 16;
      if (i <= j) {
        const swapped = v128.load(i);
        v128.store(i, v128.load(j)); v128.store(j, swapped);
        i += 16; j -= 16;
      }
    }
    if (target <= j) high = j;
    else if (target >= i) low = i;
    else return;
  }
}
