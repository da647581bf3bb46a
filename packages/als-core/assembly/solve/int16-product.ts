// The product of a tall matrix with a k×k one in integers, for the fixed side that is held as int8.
import { encode, largestLane } from "./int8-rows";
import { endRow, firstRow } from "./product";
import { fma, sumLanes } from "../simd";

/** Norm of a row's or column's codes before rounding: the product of two, rounding included, is within int32. */
// @ts-ignore: decorator
@inline const NORM: f32 = 46300;

/**
 * Multiplies the columns of `rows` rows of A by `columnScales` in place and encodes the rows as int16 to `to`, with a scale each: the
 * smallest with which no code leaves int16 and no row exceeds NORM.
 */
export function encodeFactors(a: usize, rows: i32, k: i32, columnScales: usize, to: usize, scales: usize): void {
  const stride = <usize>k << 2;
  for (let r = 0; r < rows; r++, a += stride, to += stride >> 1, scales += 4) {
    let s0 = f32x4.splat(0), s1 = s0, high = s0, low = s0;
    for (let t: usize = 0; t < stride; t += 32) {
      const v = f32x4.mul(v128.load(a + t), v128.load(columnScales + t)), w = f32x4.mul(v128.load(a + t, 16), v128.load(columnScales + t, 16));
      v128.store(a + t, v); v128.store(a + t, w, 16);
      s0 = fma(v, v, s0); s1 = fma(w, w, s1);
      high = f32x4.pmax(f32x4.pmax(high, v), w); low = f32x4.pmin(f32x4.pmin(low, v), w);
    }
    const scale = max<f32>(sqrt<f32>(sumLanes(f32x4.add(s0, s1))) / NORM, largestLane(f32x4.pmax(high, f32x4.neg(low))) / 32767);
    store<f32>(scales, encode(a, stride, scale, 1, to));
  }
}

/**
 * C = A·W for `rows` rows of A, both as int16 with a scale for each row of A and each column of W: 77 GFLOP/s where
 * `multiply` reaches 58. `a`: rows × k codes; `packed`: for each eight columns of W, for each two rows of it, the two rows' codes of each
 * column in turn (32 bytes). Norms of rows and columns of at most 2^15.5 keep the sums within int32. `triangle`: see product.ts.
 */
export function multiplyCodes(
  a: usize, aScales: usize, rows: i32, k: i32, packed: usize, wScales: usize, triangle: i32, c: usize,
): void {
  const codes = <usize>k << 1, stride = <usize>k << 2, panel = codes << 3;
  for (let j: usize = 0; j < stride; j += 32, packed += panel) {
    const u0 = v128.load(wScales + j), u1 = v128.load(wScales + j, 16);
    const first = firstRow(triangle, j) >> 1, last = endRow(triangle, j, stride) >> 1;
    for (let r = 0; r < rows; r += 4) {
      // Of the last rows the last stands in for those that are not there.
      const most = <usize>(rows - 1), r0 = <usize>r, r1 = min(r0 + 1, most), r2 = min(r0 + 2, most), r3 = min(r0 + 3, most);
      let a0 = a + r0 * codes + first, a1 = a + r1 * codes + first, a2 = a + r2 * codes + first, a3 = a + r3 * codes + first;
      let p = packed + (first << 3);
      let c00 = i32x4.splat(0), c01 = c00, c10 = c00, c11 = c00, c20 = c00, c21 = c00, c30 = c00, c31 = c00;
      for (const end = a0 + (last - first); a0 < end; p += 32) {
        const b0 = v128.load(p), b1 = v128.load(p, 16);
        let s = v128.load32_splat(a0);
        c00 = i32x4.add(c00, i32x4.dot_i16x8_s(s, b0)); c01 = i32x4.add(c01, i32x4.dot_i16x8_s(s, b1));
        s = v128.load32_splat(a1);
        c10 = i32x4.add(c10, i32x4.dot_i16x8_s(s, b0)); c11 = i32x4.add(c11, i32x4.dot_i16x8_s(s, b1));
        s = v128.load32_splat(a2);
        c20 = i32x4.add(c20, i32x4.dot_i16x8_s(s, b0)); c21 = i32x4.add(c21, i32x4.dot_i16x8_s(s, b1));
        s = v128.load32_splat(a3);
        c30 = i32x4.add(c30, i32x4.dot_i16x8_s(s, b0)); c31 = i32x4.add(c31, i32x4.dot_i16x8_s(s, b1));
        a0 += 4; a1 += 4; a2 += 4; a3 += 4;
      }
      const to = c + j;
      storeRow(to, r0, c00, c01, u0, u1, aScales, stride);
      storeRow(to, r1, c10, c11, u0, u1, aScales, stride);
      storeRow(to, r2, c20, c21, u0, u1, aScales, stride);
      storeRow(to, r3, c30, c31, u0, u1, aScales, stride);
    }
  }
}

@inline function storeRow(c: usize, row: usize, low: v128, high: v128, u0: v128, u1: v128, scales: usize, stride: usize): void {
  const scale = v128.load32_splat(scales + (row << 2)), to = c + row * stride;
  v128.store(to, f32x4.mul(f32x4.convert_i32x4_s(low), f32x4.mul(scale, u0)));
  v128.store(to, f32x4.mul(f32x4.convert_i32x4_s(high), f32x4.mul(scale, u1)), 16);
}
