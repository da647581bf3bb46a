// The coarse pass. With c and d the codes of a query x and an item y, s and t their scales (see encode.ts),
//   |s·t·x·y/(|x||y|) - c·d| <= |s·x/|x| - c|·t + |c|·|t·y/|y| - d|,
// so an item whose c·d stays below its threshold in these units, less that bound, need not be looked at any further. What
// must be is noted, 8 bytes a panel: its number, and a bit for each item of each query.

import { bounds, coarse, mask, norms, ONE, Query, scratch, width } from "./block";
import { panelBytes, SEGMENT } from "./encode";
import { dotPairs } from "./simd";

/**
 * Four queries over every `step`-th panel of [first, last); returns where the notes end. The queries' codes are brought
 * together, four factors of each at a time; a panel's 32 sums stay in registers. (Two or four times as many factors in the
 * inner loop are slower: the compiler moves loads up and runs out of registers.)
 */
export function scanFour(qa: Query, qb: Query, qc: Query, qd: Query, first: i32, last: i32, step: i32, note: usize): usize {
  const codes = scratch, sums = scratch + <usize>width * 16, bytes = <usize>panelBytes(width);
  for (let i: usize = 0; i < <usize>width; i += 4) {
    const to = codes + (i << 4);
    v128.store(to, v128.load32_splat(qa.coarse + i)); v128.store(to, v128.load32_splat(qb.coarse + i), 16);
    v128.store(to, v128.load32_splat(qc.coarse + i), 32); v128.store(to, v128.load32_splat(qd.coarse + i), 48);
  }
  const scale = f32x4.mul(lanes(qa.scale, qb.scale, qc.scale, qd.scale), f32x4.splat(1 / ONE));
  const error = lanes(qa.coarseError, qb.coarseError, qc.coarseError, qd.coarseError);
  const norm = lanes(qa.coarseNorm, qb.coarseNorm, qc.coarseNorm, qd.coarseNorm);
  const threshold = f32x4.mul(lanes(qa.threshold, qb.threshold, qc.threshold, qd.threshold), scale);
  for (let panel = first; panel < last; panel += step) {
    if (mask != 0 && load<u8>(mask + <usize>panel) == 0) continue;
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
    const t = least(threshold, error, norm, panel);
    const ta = i32x4.shuffle(t, t, 0, 0, 0, 0), tb = i32x4.shuffle(t, t, 1, 1, 1, 1);
    const tc = i32x4.shuffle(t, t, 2, 2, 2, 2), td = i32x4.shuffle(t, t, 3, 3, 3, 3);
    a0 = i32x4.gt_s(a0, ta); a1 = i32x4.gt_s(a1, ta);
    b0 = i32x4.gt_s(b0, tb); b1 = i32x4.gt_s(b1, tb);
    c0 = i32x4.gt_s(c0, tc); c1 = i32x4.gt_s(c1, tc);
    d0 = i32x4.gt_s(d0, td); d1 = i32x4.gt_s(d1, td);
    const ab = v128.or(v128.or(a0, a1), v128.or(b0, b1)), cd = v128.or(v128.or(c0, c1), v128.or(d0, d1));
    if (v128.any_true(v128.or(ab, cd))) {
      store<i32>(note, panel);
      store<u32>(note, bitsOf(a0, a1) | (bitsOf(b0, b1) << 8) | (bitsOf(c0, c1) << 16) | (bitsOf(d0, d1) << 24), 4);
      note += 8;
    }
  }
  return note;
}

/** The same for one query. */
export function scanOne(query: Query, first: i32, last: i32, step: i32, note: usize): usize {
  const bytes = <usize>panelBytes(width), scale = query.scale / ONE;
  const threshold = f32x4.splat(query.threshold * scale), error = f32x4.splat(query.coarseError), norm = f32x4.splat(query.coarseNorm);
  for (let panel = first; panel < last; panel += step) {
    if (mask != 0 && load<u8>(mask + <usize>panel) == 0) continue;
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
    s0 = i32x4.gt_s(s0, t); s1 = i32x4.gt_s(s1, t);
    if (v128.any_true(v128.or(s0, s1))) {
      store<i32>(note, panel);
      store<u32>(note, bitsOf(s0, s1), 4);
      note += 8;
    }
  }
  return note;
}

/** A whole number below every c·d of the panel's items that can reach the threshold, for four queries. */
@inline function least(threshold: v128, error: v128, norm: v128, panel: i32): v128 {
  const b = bounds + (<usize>panel << 4);
  const scale = v128.load32_splat(b);
  let reach = scale;
  if (norms != 0) {
    const isPositive = f32x4.ge(threshold, f32x4.splat(0));
    reach = v128.bitselect(v128.load32_splat(b, 8), v128.load32_splat(b, 12), isPositive);
  }
  const t = f32x4.min(f32x4.mul(threshold, reach), f32x4.splat(1e30));
  const slack = f32x4.add(f32x4.mul(f32x4.abs(t), f32x4.splat(1e-6)), f32x4.splat(2));
  const bound = f32x4.add(f32x4.mul(error, scale), f32x4.mul(norm, v128.load32_splat(b, 4)));
  return i32x4.trunc_sat_f32x4_s(f32x4.sub(t, f32x4.add(bound, slack)));
}

@inline function lanes(a: f32, b: f32, c: f32, d: f32): v128 {
  return f32x4.replace_lane(f32x4.replace_lane(f32x4.replace_lane(f32x4.splat(a), 1, b), 2, c), 3, d);
}

@inline function bitsOf(low: v128, high: v128): u32 {
  return i32x4.bitmask(low) | (i32x4.bitmask(high) << 4);
}
