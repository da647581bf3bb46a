// The coarse pass. With c and d the codes of a query x and an item y, s and t their scales (see encode.ts),
//   |s·t·x·y/(|x||y|) - c·d| <= |s·x/|x| - c|·t + |c|·|t·y/|y| - d|,
// so an item whose c·d stays below its threshold in these units, less that bound, is not among the best. Panels with others
// are noted.

import { bounds, coarse, mask, norms, ONE, Query, scratch, width } from "./block";
import { panelBytes, SEGMENT } from "./encode";
import { dotPairs, fma } from "../simd";

/** Bytes of a note: a panel, a bit for each item of each query, and from byte 16 the sums, eight a query. */
// @ts-ignore: decorator
@inline export const NOTE_BYTES: usize = 144;
/** Most panels of one scan. */
// @ts-ignore: decorator
@inline export const LONGEST_RUN: i32 = 256;
/** One of so many panels may have been seen before: a sample. */
// @ts-ignore: decorator
@inline export const SPARSEST: i32 = 32;

/** Scratch that a scan needs, besides its notes: four queries' codes, sums of segments, and what panels must exceed. */
@inline export function scanBytes(width: i32): usize {
  return <usize>width * 16 + 128 + <usize>LONGEST_RUN * 16;
}

/**
 * Four queries over every `step`-th panel of [first, last), less those whose number is `skipped` modulo 32 (-1: none);
 * returns where the notes end. The queries' codes are brought together, four factors of each at a time; a panel's 32 sums
 * stay in registers. (Two or four times as many factors in the inner loop are slower: the compiler moves loads up and runs
 * out of registers. What panels must exceed is computed ahead: beside the sums it takes three times as long.)
 */
export function scanFour(
  qa: Query, qb: Query, qc: Query, qd: Query, first: i32, last: i32, step: i32, skipped: i32, note: usize,
): usize {
  const codes = scratch, sums = scratch + <usize>width * 16, limits = sums + 128, bytes = <usize>panelBytes(width);
  for (let i: usize = 0; i < <usize>width; i += 4) {
    const to = codes + (i << 4);
    v128.store(to, v128.load32_splat(qa.coarse + i)); v128.store(to, v128.load32_splat(qb.coarse + i), 16);
    v128.store(to, v128.load32_splat(qc.coarse + i), 32); v128.store(to, v128.load32_splat(qd.coarse + i), 48);
  }
  const scale = f32x4.mul(lanes(qa.scale, qb.scale, qc.scale, qd.scale), f32x4.splat(1 / ONE));
  const error = lanes(qa.coarseError, qb.coarseError, qc.coarseError, qd.coarseError);
  const norm = lanes(qa.coarseNorm, qb.coarseNorm, qc.coarseNorm, qd.coarseNorm);
  const threshold = f32x4.mul(lanes(qa.threshold, qb.threshold, qc.threshold, qd.threshold), scale);
  for (let panel = first, t = limits; panel < last; panel += step, t += 16) v128.store(t, least(threshold, error, norm, panel));
  for (let panel = first, t = limits; panel < last; panel += step, t += 16) {
    if ((panel & (SPARSEST - 1)) == skipped || (mask != 0 && load<u8>(mask + <usize>panel) == 0)) continue;
    let p = coarse + <usize>panel * bytes;
    let a0: v128, a1: v128, b0: v128, b1: v128, c0: v128, c1: v128, d0: v128, d1: v128;
    for (let from = 0; ; from += SEGMENT) {
      a0 = v128.load(p); a1 = v128.load(p, 16);
      b0 = a0; b1 = a1; c0 = a0; c1 = a1; d0 = a0; d1 = a1;
      p += 32;
      const to = min(width, from + SEGMENT);
      for (let q = codes + (<usize>from << 4), end = codes + (<usize>to << 4); q < end; q += 64, p += 32) {
        let y0 = v128.load(p), y1 = v128.load(p, 16);
        let x = v128.load(q);
        a0 = i16x8.add(a0, dotPairs(y0, x)); a1 = i16x8.add(a1, dotPairs(y1, x));
        x = v128.load(q, 16);
        b0 = i16x8.add(b0, dotPairs(y0, x)); b1 = i16x8.add(b1, dotPairs(y1, x));
        x = v128.load(q, 32);
        c0 = i16x8.add(c0, dotPairs(y0, x)); c1 = i16x8.add(c1, dotPairs(y1, x));
        x = v128.load(q, 48);
        d0 = i16x8.add(d0, dotPairs(y0, x)); d1 = i16x8.add(d1, dotPairs(y1, x));
      }
      a0 = i32x4.extadd_pairwise_i16x8_s(a0); a1 = i32x4.extadd_pairwise_i16x8_s(a1);
      b0 = i32x4.extadd_pairwise_i16x8_s(b0); b1 = i32x4.extadd_pairwise_i16x8_s(b1);
      c0 = i32x4.extadd_pairwise_i16x8_s(c0); c1 = i32x4.extadd_pairwise_i16x8_s(c1);
      d0 = i32x4.extadd_pairwise_i16x8_s(d0); d1 = i32x4.extadd_pairwise_i16x8_s(d1);
      if (from > 0) {
        a0 = i32x4.add(a0, v128.load(sums)); a1 = i32x4.add(a1, v128.load(sums, 16));
        b0 = i32x4.add(b0, v128.load(sums, 32)); b1 = i32x4.add(b1, v128.load(sums, 48));
        c0 = i32x4.add(c0, v128.load(sums, 64)); c1 = i32x4.add(c1, v128.load(sums, 80));
        d0 = i32x4.add(d0, v128.load(sums, 96)); d1 = i32x4.add(d1, v128.load(sums, 112));
      }
      if (to == width) break;
      v128.store(sums, a0); v128.store(sums, a1, 16); v128.store(sums, b0, 32); v128.store(sums, b1, 48);
      v128.store(sums, c0, 64); v128.store(sums, c1, 80); v128.store(sums, d0, 96); v128.store(sums, d1, 112);
    }
    const ta = v128.load32_splat(t), tb = v128.load32_splat(t, 4), tc = v128.load32_splat(t, 8), td = v128.load32_splat(t, 12);
    const ab = v128.or(i32x4.gt_s(i32x4.max_s(a0, a1), ta), i32x4.gt_s(i32x4.max_s(b0, b1), tb));
    const cd = v128.or(i32x4.gt_s(i32x4.max_s(c0, c1), tc), i32x4.gt_s(i32x4.max_s(d0, d1), td));
    if (v128.any_true(v128.or(ab, cd))) {
      store<i32>(note, panel);
      store<u32>(note, above(a0, a1, ta) | (above(b0, b1, tb) << 8) | (above(c0, c1, tc) << 16) | (above(d0, d1, td) << 24), 4);
      v128.store(note, a0, 16); v128.store(note, a1, 32); v128.store(note, b0, 48); v128.store(note, b1, 64);
      v128.store(note, c0, 80); v128.store(note, c1, 96); v128.store(note, d0, 112); v128.store(note, d1, 128);
      note += NOTE_BYTES;
    }
  }
  return note;
}

/** The same for one query. */
export function scanOne(query: Query, first: i32, last: i32, step: i32, skipped: i32, note: usize): usize {
  const bytes = <usize>panelBytes(width), scale = query.scale / ONE;
  const threshold = f32x4.splat(query.threshold * scale), error = f32x4.splat(query.coarseError), norm = f32x4.splat(query.coarseNorm);
  for (let panel = first; panel < last; panel += step) {
    if ((panel & (SPARSEST - 1)) == skipped || (mask != 0 && load<u8>(mask + <usize>panel) == 0)) continue;
    let p = coarse + <usize>panel * bytes;
    let s0 = i32x4.splat(0), s1 = s0;
    for (let from = 0; from < width; from += SEGMENT) {
      let a0 = v128.load(p), a1 = v128.load(p, 16);
      p += 32;
      const begin = query.coarse;
      for (let q = begin + from, end = begin + min(width, from + SEGMENT); q < end; q += 4, p += 32) {
        const x = v128.load32_splat(q);
        a0 = i16x8.add(a0, dotPairs(v128.load(p), x));
        a1 = i16x8.add(a1, dotPairs(v128.load(p, 16), x));
      }
      s0 = i32x4.add(s0, i32x4.extadd_pairwise_i16x8_s(a0));
      s1 = i32x4.add(s1, i32x4.extadd_pairwise_i16x8_s(a1));
    }
    const t = least(threshold, error, norm, panel);
    const passing = above(s0, s1, t);
    if (passing != 0) {
      store<i32>(note, panel);
      store<u32>(note, passing, 4);
      v128.store(note, s0, 16); v128.store(note, s1, 32);
      note += NOTE_BYTES;
    }
  }
  return note;
}

/** An integer below every c·d of the panel's items that can reach the threshold, for four queries. */
@inline function least(threshold: v128, error: v128, norm: v128, panel: i32): v128 {
  const b = bounds + (<usize>panel << 4);
  const scale = v128.load32_splat(b);
  let reach = scale;
  if (norms != 0) {
    const isPositive = f32x4.ge(threshold, f32x4.splat(0));
    reach = v128.bitselect(v128.load32_splat(b, 8), v128.load32_splat(b, 12), isPositive);
  }
  const t = f32x4.pmin(f32x4.mul(threshold, reach), f32x4.splat(1e30));
  const slack = fma(f32x4.abs(t), f32x4.splat(1e-6), f32x4.splat(2));
  const bound = fma(error, scale, fma(norm, v128.load32_splat(b, 4), slack));
  return i32x4.trunc_sat_f32x4_s(f32x4.sub(t, bound));
}

@inline function lanes(a: f32, b: f32, c: f32, d: f32): v128 {
  return f32x4.replace_lane(f32x4.replace_lane(f32x4.replace_lane(f32x4.splat(a), 1, b), 2, c), 3, d);
}

@inline function above(low: v128, high: v128, t: v128): u32 {
  return bitsOf(i32x4.gt_s(low, t), i32x4.gt_s(high, t));
}

@inline function bitsOf(low: v128, high: v128): u32 {
  return i32x4.bitmask(low) | (i32x4.bitmask(high) << 4);
}
