// Exact top-k: a screen in 16-bit integers that never loses a member of the result.
//
// Every vector is held as v ≈ |v|·q/2^15 with q of int16, so that an inner product of two is x·y ≈ |x||y|·(p·q)/2^30 with
// p·q exact in int32 (|p||q| <= 2^30 by Cauchy-Schwarz, partial sums included). In units of |x|/2^30 the true score lies in
//   (p·q ± E)·|y|,   E: the query's and the items' rounding, a bound computed in float64 when they are packed.
// A query keeps the items whose upper end reaches the N-th largest lower end so far; the caller scores those few exactly.
// Items stand by falling norm, so a query is finished when (2^30 + E)·|y| falls below its threshold.
//
// Eight items form a panel: for each pair of factors, the eight items' pairs in turn (32 bytes).

import { fma } from "./simd";

let vectors: usize, norms: usize, rows: usize, penalties: usize, mask: usize;
let items: i32, pairs: i32;
let queries: usize, thresholds: usize, errors: usize, weights: usize, filled: usize, excluded: usize, active: usize;
let dots: usize, candidates: usize;
let capacity: i32, limit: i32;

/** One item's largest |p·q|. */
// @ts-ignore: decorator
@inline const ONE: f32 = 1073741824;
/** Panels whose vectors stay in the second level cache while every query of the block passes over them. */
// @ts-ignore: decorator
@inline const CACHED_BYTES: i32 = 131072;
/** Rounding of penalty arithmetic in float32, relative. */
// @ts-ignore: decorator
@inline const SLACK: f32 = 1e-6;

export function setIndex(vectors_: usize, norms_: usize, rows_: usize, items_: i32, pairs_: i32): void {
  vectors = vectors_; norms = norms_; rows = rows_; items = items_; pairs = pairs_;
}

/** Where a block's queries and their state are; `penalties` and `mask` may be 0 for none. */
export function setBlock(
  queries_: usize, thresholds_: usize, errors_: usize, weights_: usize, filled_: usize, excluded_: usize, active_: usize,
  dots_: usize, candidates_: usize, capacity_: i32, limit_: i32, penalties_: usize, mask_: usize,
): void {
  queries = queries_; thresholds = thresholds_; errors = errors_; weights = weights_; filled = filled_;
  excluded = excluded_; active = active_; dots = dots_; candidates = candidates_; capacity = capacity_; limit = limit_;
  penalties = penalties_; mask = mask_;
}

/**
 * Writes the directions of eight rows (float32, k each, one after the other) as a panel: q = round(32767·v/|v|), zeros for
 * a row of zeros. Returns the largest |q - 32767·v/|v|| of a row.
 */
export function packPanel(from: usize, k: i32, panel: usize): f64 {
  let largest: f64 = 0;
  for (let r: usize = 0; r < 8; r++) {
    let norm: f64 = 0, squared: f64 = 0;
    for (let i: usize = 0; i < <usize>k; i++) norm += <f64>load<f32>(from + (i << 2)) * <f64>load<f32>(from + (i << 2));
    const scale: f64 = norm > 0 ? 32767 / sqrt(norm) : 0;
    for (let i = 0; i < k; i++, from += 4) {
      const exact = <f64>load<f32>(from) * scale, rounded = nearest(exact);
      squared += (exact - rounded) * (exact - rounded);
      store<i16>(panel + (<usize>(i >> 1) << 5) + (r << 2) + (<usize>(i & 1) << 1), <i16><i32>rounded);
    }
    largest = max(largest, squared);
  }
  return sqrt(largest);
}

/**
 * Leaves in `candidates` (capacity pairs of lower end, position a query) every item that can be among the `limit` best
 * of each of `count` queries, their number in `filled`, or -1 where too many items tie. Only panels in [from, to) are read;
 * those from `start` on come first, then those before it (`from` unless all norms are one): the sooner a query meets its
 * best items, the fewer it has to sort.
 */
export function rank(count: i32, from: i32, to: i32, start: i32): void {
  for (let q = 0; q < count; q++) {
    store<f32>(thresholds + (<usize>q << 2), -Infinity);
    store<i32>(filled + (<usize>q << 2), 0);
    store<i32>(active + (<usize>q << 2), q);
  }
  const panels = to - from;
  const run = max(1, CACHED_BYTES / (pairs << 5));
  let live = count;
  for (let done = 0; done < panels && live > 0; ) {
    const first = start + done < to ? start + done : start + done - panels;
    const last = min(first < start ? start : to, first + run);
    done += last - first;
    const largest = load<f32>(norms + (<usize>first << 5));
    let kept = 0;
    for (let a = 0; a < live; a++) {
      const q = load<i32>(active + (<usize>a << 2));
      const at = <usize>q << 2;
      if ((ONE + load<f32>(errors + at)) * largest >= load<f32>(thresholds + at)) {
        store<i32>(active + (<usize>kept << 2), q);
        kept++;
      }
    }
    live = kept;
    let a = 0;
    for (; a + 4 <= live; a += 4) scanFour(active + (<usize>a << 2), first, last);
    for (; a < live; a++) scanOne(load<i32>(active + (<usize>a << 2)), first, last);
  }
  for (let q = 0; q < count; q++) if (load<i32>(filled + (<usize>q << 2)) > limit) compact(q);
}

function scanFour(four: usize, first: i32, last: i32): void {
  const qa = load<i32>(four), qb = load<i32>(four, 4), qc = load<i32>(four, 8), qd = load<i32>(four, 12);
  const bytes = <usize>pairs << 2;
  const a = queries + <usize>qa * bytes, b = queries + <usize>qb * bytes;
  const c = queries + <usize>qc * bytes, d = queries + <usize>qd * bytes;
  for (let panel = first; panel < last; panel++) {
    if (mask != 0 && load<u8>(mask + <usize>panel) == 0) continue;
    let p = vectors + <usize>panel * (bytes << 3);
    let a0 = i32x4.splat(0), a1 = a0, b0 = a0, b1 = a0, c0 = a0, c1 = a0, d0 = a0, d1 = a0;
    for (let t: usize = 0; t < bytes; t += 4, p += 32) {
      const y0 = v128.load(p), y1 = v128.load(p, 16);
      let x = v128.load32_splat(a + t);
      a0 = i32x4.add(a0, i32x4.dot_i16x8_s(y0, x)); a1 = i32x4.add(a1, i32x4.dot_i16x8_s(y1, x));
      x = v128.load32_splat(b + t);
      b0 = i32x4.add(b0, i32x4.dot_i16x8_s(y0, x)); b1 = i32x4.add(b1, i32x4.dot_i16x8_s(y1, x));
      x = v128.load32_splat(c + t);
      c0 = i32x4.add(c0, i32x4.dot_i16x8_s(y0, x)); c1 = i32x4.add(c1, i32x4.dot_i16x8_s(y1, x));
      x = v128.load32_splat(d + t);
      d0 = i32x4.add(d0, i32x4.dot_i16x8_s(y0, x)); d1 = i32x4.add(d1, i32x4.dot_i16x8_s(y1, x));
    }
    screen(qa, panel, a0, a1);
    screen(qb, panel, b0, b1);
    screen(qc, panel, c0, c1);
    screen(qd, panel, d0, d1);
  }
}

function scanOne(q: i32, first: i32, last: i32): void {
  const bytes = <usize>pairs << 2;
  const a = queries + <usize>q * bytes;
  for (let panel = first; panel < last; panel++) {
    if (mask != 0 && load<u8>(mask + <usize>panel) == 0) continue;
    let p = vectors + <usize>panel * (bytes << 3);
    let a0 = i32x4.splat(0), a1 = a0;
    for (let t: usize = 0; t < bytes; t += 4, p += 32) {
      const x = v128.load32_splat(a + t);
      a0 = i32x4.add(a0, i32x4.dot_i16x8_s(v128.load(p), x));
      a1 = i32x4.add(a1, i32x4.dot_i16x8_s(v128.load(p, 16), x));
    }
    screen(q, panel, a0, a1);
  }
}

/** Offers those of a panel's items whose upper end (p·q + E)·|y| reaches the threshold. */
@inline function screen(q: i32, panel: i32, dots0: v128, dots1: v128): void {
  const at = <usize>q << 2, n = norms + (<usize>panel << 5);
  const e = v128.load32_splat(errors + at), t = v128.load32_splat(thresholds + at);
  const reach0 = f32x4.ge(f32x4.mul(f32x4.add(f32x4.convert_i32x4_s(dots0), e), v128.load(n)), t);
  const reach1 = f32x4.ge(f32x4.mul(f32x4.add(f32x4.convert_i32x4_s(dots1), e), v128.load(n, 16)), t);
  if (v128.any_true(v128.or(reach0, reach1))) {
    v128.store(dots, dots0); v128.store(dots, dots1, 16);
    offer(q, panel, i32x4.bitmask(reach0) | (i32x4.bitmask(reach1) << 4));
  }
}

function offer(q: i32, panel: i32, reach: i32): void {
  const at = <usize>q << 2;
  if (mask != 0) reach &= load<u8>(mask + <usize>panel);
  for (; reach != 0; reach &= reach - 1) {
    const lane = ctz(reach), position = (panel << 3) + lane;
    if (position >= items || isExcluded(q, load<u32>(rows + (<usize>position << 2)))) continue;
    const lower = (<f32>load<i32>(dots + (<usize>lane << 2)) - load<f32>(errors + at)) * normOf(position) - penaltyOf(q, position) * (1 + SLACK);
    if (lower + widthOf(q, position) < load<f32>(thresholds + at)) continue;
    const n = load<i32>(filled + at);
    const slot = candidates + ((<usize>q * capacity + n) << 3);
    store<f32>(slot, lower); store<i32>(slot, position, 4);
    store<i32>(filled + at, n + 1);
    if (n + 1 == capacity) {
      compact(q);
      if (load<i32>(filled + at) > capacity - (capacity >> 3)) {
        store<i32>(filled + at, -1);
        store<f32>(thresholds + at, Infinity);
        return;
      }
    }
  }
}

@inline function normOf(position: i32): f32 {
  return load<f32>(norms + (<usize>position << 2));
}

@inline function penaltyOf(q: i32, position: i32): f32 {
  return penalties == 0 ? 0 : load<f32>(weights + (<usize>q << 2)) * load<f32>(penalties + (<usize>position << 2));
}

/** Upper end less lower end. */
@inline function widthOf(q: i32, position: i32): f32 {
  return 2 * load<f32>(errors + (<usize>q << 2)) * normOf(position) + 2 * SLACK * penaltyOf(q, position);
}

/** Whether a row is in the query's ascending list of rows to leave out. */
function isExcluded(q: i32, row: u32): bool {
  let from = load<u32>(excluded + (<usize>q << 3)), to = load<u32>(excluded + (<usize>q << 3), 4);
  while (from < to) {
    const middle = from + ((to - from) >> 3 << 2);
    const value = load<u32>(middle);
    if (value == row) return true;
    if (value < row) from = middle + 4;
    else to = middle;
  }
  return false;
}

/** Raises the threshold to the limit-th largest lower end and drops the candidates that cannot reach it. */
function compact(q: i32): void {
  const at = <usize>q << 2, base = candidates + ((<usize>q * capacity) << 3), n = load<i32>(filled + at);
  selectLargest(base, n, limit);
  let smallest = load<f32>(base);
  for (let i = 1; i < limit; i++) smallest = min(smallest, load<f32>(base + (<usize>i << 3)));
  const threshold = max(load<f32>(thresholds + at), smallest);
  store<f32>(thresholds + at, threshold);
  let kept = limit;
  for (let i = limit; i < n; i++) {
    const slot = base + (<usize>i << 3);
    if (load<f32>(slot) + widthOf(q, load<i32>(slot, 4)) < threshold) continue;
    store<u64>(base + (<usize>kept << 3), load<u64>(slot));
    kept++;
  }
  store<i32>(filled + at, kept);
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

/** scores (4 rows of `items` rounded up to 8) = inner products of four queries with items in float32 panels of eight. */
export function scoreFour(queries: usize, panels: usize, items: i32, k: i32, scores: usize): void {
  const bytes = <usize>k << 2, row = <usize>((items + 7) >> 3) << 5;
  let p = panels;
  for (let s = scores, end = scores + row; s < end; s += 32) {
    let a0 = f32x4.splat(0), a1 = a0, b0 = a0, b1 = a0, c0 = a0, c1 = a0, d0 = a0, d1 = a0;
    for (let q = queries, last = queries + bytes; q < last; q += 4, p += 32) {
      const y0 = v128.load(p), y1 = v128.load(p, 16);
      let x = v128.load32_splat(q);
      a0 = fma(x, y0, a0); a1 = fma(x, y1, a1);
      x = v128.load32_splat(q + bytes);
      b0 = fma(x, y0, b0); b1 = fma(x, y1, b1);
      x = v128.load32_splat(q + 2 * bytes);
      c0 = fma(x, y0, c0); c1 = fma(x, y1, c1);
      x = v128.load32_splat(q + 3 * bytes);
      d0 = fma(x, y0, d0); d1 = fma(x, y1, d1);
    }
    v128.store(s, a0); v128.store(s, a1, 16);
    v128.store(s + row, b0); v128.store(s + row, b1, 16);
    v128.store(s + 2 * row, c0); v128.store(s + 2 * row, c1, 16);
    v128.store(s + 3 * row, d0); v128.store(s + 3 * row, d1, 16);
  }
}
