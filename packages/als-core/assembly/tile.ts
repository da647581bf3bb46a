// A tile: the rows of Z that one row of the sparse matrix touches, copied into contiguous memory so that every further
// pass reads the first or second level cache. Rows stand in groups of four, interleaved: sixteen bytes of each in turn,
// one cache line. A loop over a group needs one pointer, and all its loads are at constant offsets from it.
//
// Rows are brought in by chunks of at most CHUNK. A chunk is given by the addresses of its rows (`places`, whole groups).
// Loops are written for `half`, bfloat16, where sixteen bytes hold eight factors, and for float32. Cycles below are an
// entry's at k = 128 in bfloat16, all in the first level cache, on Zen 4, where 32 multiply-adds of four lanes take 16.
import { fma, sumLanes4 } from "./simd";

/** Rows that are brought in together: at k = 128 half of the first level cache, and another half as the tile. */
// @ts-ignore: decorator
@inline export const CHUNK: i32 = 64;

/** What the touching loads read; stored so that they are not optimised away. */
let touched: i32 = 0;

/**
 * WebAssembly has no prefetch instruction: this brings the lines of `rows` rows into the cache by loads that nothing waits
 * for, so that they miss together instead of one after the other. Measured, one conjugate-gradient step over random rows of
 * 256 bytes, ns a row: of a 100 MB table 93 without, 75 with chunks of 32, 69 with 64 and 71 with 128; of a 5 MB table 43,
 * 52, 45 and 48. Touching the next row's while this one computes cost 40 more.
 */
export function touch(places: usize, rows: i32, bytes: usize): void {
  let sum: i32 = 0;
  for (const end = places + (<usize>rows << 2); places < end; places += 4) {
    let row = <usize>load<u32>(places);
    const last = row + bytes;
    for (; row + 256 <= last; row += 256) sum |= load<i32>(row) | load<i32>(row, 64) | load<i32>(row, 128) | load<i32>(row, 192);
    for (; row < last; row += 64) sum |= load<i32>(row);
  }
  touched = sum;
}

/** Copies the four rows at `places` to a group. */
@inline export function gather4(places: usize, group: usize, bytes: usize): void {
  let r0 = <usize>load<u32>(places), r1 = <usize>load<u32>(places, 4);
  let r2 = <usize>load<u32>(places, 8), r3 = <usize>load<u32>(places, 12);
  for (const end = group + (bytes << 2); group < end; group += 64) {
    v128.store(group, v128.load(r0)); v128.store(group, v128.load(r1), 16);
    v128.store(group, v128.load(r2), 32); v128.store(group, v128.load(r3), 48);
    r0 += 16; r1 += 16; r2 += 16; r3 += 16;
  }
}

/** Inner products of the four rows of a group with p. 19 cycles. */
@inline export function dots4(half: bool, group: usize, p: usize, stride: usize): v128 {
  let a0 = f32x4.splat(0), a1 = a0, a2 = a0, a3 = a0, b0 = a0, b1 = a0, b2 = a0, b3 = a0;
  if (half) {
    for (const end = p + stride; p < end; p += 32, group += 64) {
      const u = v128.load(p), v = v128.load(p, 16);
      let h = v128.load(group);
      a0 = fma(i32x4.shl(h, 16), u, a0); b0 = fma(h, v, b0);
      h = v128.load(group, 16);
      a1 = fma(i32x4.shl(h, 16), u, a1); b1 = fma(h, v, b1);
      h = v128.load(group, 32);
      a2 = fma(i32x4.shl(h, 16), u, a2); b2 = fma(h, v, b2);
      h = v128.load(group, 48);
      a3 = fma(i32x4.shl(h, 16), u, a3); b3 = fma(h, v, b3);
    }
  } else {
    for (const end = p + stride; p < end; p += 32, group += 128) {
      const u = v128.load(p), v = v128.load(p, 16);
      a0 = fma(v128.load(group), u, a0); a1 = fma(v128.load(group, 16), u, a1);
      a2 = fma(v128.load(group, 32), u, a2); a3 = fma(v128.load(group, 48), u, a3);
      b0 = fma(v128.load(group, 64), v, b0); b1 = fma(v128.load(group, 80), v, b1);
      b2 = fma(v128.load(group, 96), v, b2); b3 = fma(v128.load(group, 112), v, b3);
    }
  }
  return sumLanes4(f32x4.add(a0, b0), f32x4.add(a1, b1), f32x4.add(a2, b2), f32x4.add(a3, b3));
}

/** `gather4` and `dots4` in one: 26 cycles, one after the other 35. */
@inline export function gatherDots4(half: bool, places: usize, group: usize, p: usize, stride: usize): v128 {
  let r0 = <usize>load<u32>(places), r1 = <usize>load<u32>(places, 4);
  let r2 = <usize>load<u32>(places, 8), r3 = <usize>load<u32>(places, 12);
  let a0 = f32x4.splat(0), a1 = a0, a2 = a0, a3 = a0, b0 = a0, b1 = a0, b2 = a0, b3 = a0;
  if (half) {
    for (const end = p + stride; p < end; p += 32, group += 64) {
      const u = v128.load(p), v = v128.load(p, 16);
      let h = v128.load(r0); v128.store(group, h);
      a0 = fma(i32x4.shl(h, 16), u, a0); b0 = fma(h, v, b0);
      h = v128.load(r1); v128.store(group, h, 16);
      a1 = fma(i32x4.shl(h, 16), u, a1); b1 = fma(h, v, b1);
      h = v128.load(r2); v128.store(group, h, 32);
      a2 = fma(i32x4.shl(h, 16), u, a2); b2 = fma(h, v, b2);
      h = v128.load(r3); v128.store(group, h, 48);
      a3 = fma(i32x4.shl(h, 16), u, a3); b3 = fma(h, v, b3);
      r0 += 16; r1 += 16; r2 += 16; r3 += 16;
    }
  } else {
    for (const end = p + stride; p < end; p += 32, group += 128) {
      const u = v128.load(p), v = v128.load(p, 16);
      let h = v128.load(r0); v128.store(group, h); a0 = fma(h, u, a0);
      h = v128.load(r1); v128.store(group, h, 16); a1 = fma(h, u, a1);
      h = v128.load(r2); v128.store(group, h, 32); a2 = fma(h, u, a2);
      h = v128.load(r3); v128.store(group, h, 48); a3 = fma(h, u, a3);
      h = v128.load(r0, 16); v128.store(group, h, 64); b0 = fma(h, v, b0);
      h = v128.load(r1, 16); v128.store(group, h, 80); b1 = fma(h, v, b1);
      h = v128.load(r2, 16); v128.store(group, h, 96); b2 = fma(h, v, b2);
      h = v128.load(r3, 16); v128.store(group, h, 112); b3 = fma(h, v, b3);
      r0 += 32; r1 += 32; r2 += 32; r3 += 32;
    }
  }
  return sumLanes4(f32x4.add(a0, b0), f32x4.add(a1, b1), f32x4.add(a2, b2), f32x4.add(a3, b3));
}

/**
 * out += Σ s·row over `groups` groups from `tile` on, s a number for each row. Eight factors at a time stay in registers
 * over all groups, a sum for each row of a group: 19 cycles. With the sums in memory, loaded and stored for each group,
 * it was 54: the loads wait for the stores of the group before.
 */
@inline export function addRows(half: bool, s: usize, groups: i32, tile: usize, out: usize, stride: usize): void {
  const group = half ? stride << 1 : stride << 2, eight: usize = half ? 64 : 128;
  for (const end = out + stride; out < end; out += 32, tile += eight) {
    let a0 = v128.load(out), a1 = v128.load(out, 16);
    let b0 = f32x4.splat(0), b1 = b0, c0 = b0, c1 = b0, d0 = b0, d1 = b0;
    let at = tile, q = s;
    for (const last = s + (<usize>groups << 4); q < last; q += 16, at += group) {
      let w = v128.load32_splat(q);
      if (half) {
        let h = v128.load(at); a0 = fma(w, i32x4.shl(h, 16), a0); a1 = fma(w, h, a1);
        w = v128.load32_splat(q, 4);
        h = v128.load(at, 16); b0 = fma(w, i32x4.shl(h, 16), b0); b1 = fma(w, h, b1);
        w = v128.load32_splat(q, 8);
        h = v128.load(at, 32); c0 = fma(w, i32x4.shl(h, 16), c0); c1 = fma(w, h, c1);
        w = v128.load32_splat(q, 12);
        h = v128.load(at, 48); d0 = fma(w, i32x4.shl(h, 16), d0); d1 = fma(w, h, d1);
      } else {
        a0 = fma(w, v128.load(at), a0); a1 = fma(w, v128.load(at, 64), a1);
        w = v128.load32_splat(q, 4);
        b0 = fma(w, v128.load(at, 16), b0); b1 = fma(w, v128.load(at, 80), b1);
        w = v128.load32_splat(q, 8);
        c0 = fma(w, v128.load(at, 32), c0); c1 = fma(w, v128.load(at, 96), c1);
        w = v128.load32_splat(q, 12);
        d0 = fma(w, v128.load(at, 48), d0); d1 = fma(w, v128.load(at, 112), d1);
      }
    }
    v128.store(out, f32x4.add(f32x4.add(a0, b0), f32x4.add(c0, d0)));
    v128.store(out, f32x4.add(f32x4.add(a1, b1), f32x4.add(c1, d1)), 16);
  }
}
