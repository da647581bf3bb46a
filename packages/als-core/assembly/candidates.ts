// The candidates of a query: what may be among its `limit` best items, and the threshold that they set.
//
// In units of |x|/32767² the true score of an item lies in (f·g ± E)·|y|, E being the query's and the items' rounding, a
// bound computed in float64 when they are encoded. A query keeps the items whose upper end reaches the limit-th largest
// lower end so far; the caller scores those few exactly.

import { capacity, fine, items, limit, mask, norms, penalties, Query, rows, width } from "./block";
import { dotInt16 } from "./simd";

/** Rounding of penalty arithmetic in float32, relative. */
// @ts-ignore: decorator
@inline const SLACK: f32 = 1e-6;

/**
 * Takes the items that the coarse pass has noted for four queries, a panel and a bit for each item of each query, unless
 * they are left out or their upper end misses the threshold. Their fine codes come from memory: all rows are touched first,
 * so that many are on their way at a time.
 */
export function check(noted: usize, end: usize, qa: Query, qb: Query, qc: Query, qd: Query): void {
  let touched: u8 = 0;
  for (let at = noted; at < end; at += 8) touched |= touch(load<i32>(at), load<u32>(at, 4));
  for (let at = noted; at < end; at += 8) {
    const panel = load<i32>(at), bits = load<u32>(at, 4);
    if (bits & 0xff) offer(qa, panel, bits & 0xff);
    if (bits & 0xff00) offer(qb, panel, (bits >> 8) & 0xff);
    if (bits & 0xff0000) offer(qc, panel, (bits >> 16) & 0xff);
    if (bits & 0xff000000) offer(qd, panel, bits >> 24);
  }
  store<u8>(noted, touched);
}

/** Reads a byte of each cache line of the fine codes of a panel's first item whose bit is set. */
@inline function touch(panel: i32, bits: u32): u8 {
  const bytes = <usize>width << 1, row = fine + (<usize>(panel << 3) + (ctz(bits) & 7)) * bytes;
  let touched: u8 = 0;
  for (let i: usize = 0; i < bytes; i += 64) touched |= load<u8>(row + i);
  return touched;
}

function offer(query: Query, panel: i32, reach: u32): void {
  if (mask != 0) reach &= load<u8>(mask + <usize>panel);
  for (; reach != 0; reach &= reach - 1) {
    const position = (panel << 3) + <i32>ctz(reach);
    if (position >= items) return;
    const codes = dotInt16(query.fine, fine + <usize>position * (<usize>width << 1), <usize>width << 1);
    const lower = (<f32>codes - query.error) * normOf(position) - penaltyOf(query, position) * (1 + SLACK);
    if (lower + spanOf(query, position) < query.threshold) continue;
    if (isExcluded(query, load<u32>(rows + (<usize>position << 2)))) continue;
    const slot = query.candidates + (<usize>query.filled << 3);
    store<f32>(slot, lower); store<i32>(slot, position, 4);
    if (++query.filled < capacity) continue;
    compact(query);
    if (query.filled > capacity - (capacity >> 3)) {
      query.filled = -1;
      query.threshold = Infinity;
      return;
    }
  }
}

/**
 * Raises the threshold to the limit-th largest lower end and drops the candidates that cannot reach it. Needs `limit`
 * candidates or more.
 */
export function compact(query: Query): void {
  const base = query.candidates, n = query.filled;
  selectLargest(base, n, limit);
  let smallest = load<f32>(base);
  for (let i = 1; i < limit; i++) smallest = min(smallest, load<f32>(base + (<usize>i << 3)));
  if (smallest >= query.threshold) {
    query.threshold = smallest;
    query.isProven = true;
  }
  let kept = limit;
  for (let i = limit; i < n; i++) {
    const slot = base + (<usize>i << 3);
    if (load<f32>(slot) + spanOf(query, load<i32>(slot, 4)) < query.threshold) continue;
    store<u64>(base + (<usize>kept << 3), load<u64>(slot));
    kept++;
  }
  query.filled = kept;
}

@inline function normOf(position: i32): f32 {
  return norms == 0 ? 1 : load<f32>(norms + (<usize>position << 2));
}

@inline function penaltyOf(query: Query, position: i32): f32 {
  return penalties == 0 ? 0 : query.weight * load<f32>(penalties + (<usize>position << 2));
}

/** Upper end less lower end. */
@inline function spanOf(query: Query, position: i32): f32 {
  return 2 * query.error * normOf(position) + 2 * SLACK * penaltyOf(query, position);
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
  let low = 0, high = n - 1;
  const target = count - 1;
  while (low < high) {
    const a = load<f32>(base + (<usize>low << 3)), b = load<f32>(base + (<usize>((low + high) >> 1) << 3)), c = load<f32>(base + (<usize>high << 3));
    const pivot = max(min(a, b), min(max(a, b), c));
    let i = low, j = high;
    while (i <= j) {
      while (load<f32>(base + (<usize>i << 3)) > pivot) i++;
      while (load<f32>(base + (<usize>j << 3)) < pivot) j--;
      if (i <= j) {
        const x = base + (<usize>i << 3), y = base + (<usize>j << 3);
        const swapped = load<u64>(x);
        store<u64>(x, load<u64>(y)); store<u64>(y, swapped);
        i++; j--;
      }
    }
    if (target <= j) high = j;
    else if (target >= i) low = i;
    else return;
  }
}
