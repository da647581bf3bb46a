// Matrix products: the Gram matrix FᵀF and the product of a tall matrix with a k×k one.
import { fma } from "../simd";

/**
 * From this many factors on `gram` copies rows into panels first, eight columns of all rows after the other: a column of many
 * rows falls into few sets of the first level cache, and the result is too large to be brought in every 32 rows (16 GFLOP/s
 * at k = 1024, with panels 52).
 */
// @ts-ignore: decorator
@inline const PANELS_FROM: i32 = 192;

/** out (k×k, upper triangle in blocks of 4×8) += AᵀA over `rows` rows of A. `panels` has room for as much as A. */
export function gram(a: usize, rows: i32, k: i32, panels: usize, out: usize): void {
  const stride = <usize>k << 2;
  if (k < PANELS_FROM) {
    // Thirty-two rows stay in the first level cache.
    for (let first = 0; first < rows; first += 32) addGram(a + <usize>first * stride, min(32, rows - first), stride, 32, k, out);
    return;
  }
  for (let j: usize = 0, to = panels; j < stride; j += 32) {
    for (let p = a + j, end = p + <usize>rows * stride; p < end; p += stride, to += 32) {
      v128.store(to, v128.load(p)); v128.store(to, v128.load(p, 16), 16);
    }
  }
  addGram(panels, rows, 32, <usize>rows << 5, k, out);
}

/**
 * The same of rows that are `step` bytes apart, eight columns of them `panel` bytes from the next eight. A 4×8 block of the
 * result stays in registers over the rows.
 */
function addGram(a: usize, rows: i32, step: usize, panel: usize, k: i32, out: usize): void {
  const stride = <usize>k << 2, span = <usize>rows * step;
  for (let i = 0; i < k; i += 4) {
    const left = a + <usize>(i >> 3) * panel + (<usize>(i & 4) << 2);
    for (let j = i & ~7, right = a + <usize>(i >> 3) * panel; j < k; j += 8, right += panel) {
      const o0 = out + <usize>i * stride + (<usize>j << 2), o1 = o0 + stride, o2 = o1 + stride, o3 = o2 + stride;
      let c00 = v128.load(o0), c01 = v128.load(o0, 16), c10 = v128.load(o1), c11 = v128.load(o1, 16);
      let c20 = v128.load(o2), c21 = v128.load(o2, 16), c30 = v128.load(o3), c31 = v128.load(o3, 16);
      let p = left;
      for (let q = right, end = q + span; q < end; p += step, q += step) {
        const b0 = v128.load(q), b1 = v128.load(q, 16);
        let s = v128.load32_splat(p);
        c00 = fma(s, b0, c00); c01 = fma(s, b1, c01);
        s = v128.load32_splat(p, 4);
        c10 = fma(s, b0, c10); c11 = fma(s, b1, c11);
        s = v128.load32_splat(p, 8);
        c20 = fma(s, b0, c20); c21 = fma(s, b1, c21);
        s = v128.load32_splat(p, 12);
        c30 = fma(s, b0, c30); c31 = fma(s, b1, c31);
      }
      v128.store(o0, c00); v128.store(o0, c01, 16); v128.store(o1, c10); v128.store(o1, c11, 16);
      v128.store(o2, c20); v128.store(o2, c21, 16); v128.store(o3, c30); v128.store(o3, c31, 16);
    }
  }
}

/** Copies W (k×k, row-major) into panels of eight columns, the order in which `multiply` reads it. */
export function packPanels(w: usize, k: i32, packed: usize): void {
  const stride = <usize>k << 2;
  for (let j: usize = 0; j < stride; j += 32) {
    for (let r = 0; r < k; r++) {
      const p = w + <usize>r * stride + j;
      v128.store(packed, v128.load(p)); v128.store(packed, v128.load(p, 16), 16);
      packed += 32;
    }
  }
}

/** What W is: full, lower or upper triangular. */
// @ts-ignore: decorator
@inline const LOWER: i32 = 1, UPPER: i32 = 2;

/** The first row of W that is not zero in the eight columns from byte `j` of a row of float32 on, in bytes too. */
@inline function firstRow(triangle: i32, j: usize): usize {
  return triangle == LOWER ? j : 0;
}

/** The end of those rows. */
@inline function endRow(triangle: i32, j: usize, stride: usize): usize {
  return triangle == UPPER ? j + 32 : stride;
}

/**
 * C = A·W for `rows` rows of A, with W packed by `packPanels`. Six rows by eight columns stay in registers (58 GFLOP/s on
 * Zen 4 at 3.66 GHz, where four rows reach 54 and 58.6 is the most), a panel of W in the first level cache, so that the
 * speed does not fall off when W outgrows the second.
 */
export function multiply(a: usize, rows: i32, k: i32, packed: usize, triangle: i32, c: usize): void {
  const stride = <usize>k << 2, panel = stride << 3;
  for (let j: usize = 0; j < stride; j += 32, packed += panel) {
    const first = firstRow(triangle, j), last = endRow(triangle, j, stride);
    let r = 0;
    for (; r + 6 <= rows; r += 6) {
      const a0 = a + <usize>r * stride, a1 = a0 + stride, a2 = a1 + stride, a3 = a2 + stride, a4 = a3 + stride, a5 = a4 + stride;
      let p = packed + (first << 3);
      let c00 = f32x4.splat(0), c01 = c00, c10 = c00, c11 = c00, c20 = c00, c21 = c00;
      let c30 = c00, c31 = c00, c40 = c00, c41 = c00, c50 = c00, c51 = c00;
      for (let t = first; t < last; t += 4, p += 32) {
        const b0 = v128.load(p), b1 = v128.load(p, 16);
        let s = v128.load32_splat(a0 + t);
        c00 = fma(s, b0, c00); c01 = fma(s, b1, c01);
        s = v128.load32_splat(a1 + t);
        c10 = fma(s, b0, c10); c11 = fma(s, b1, c11);
        s = v128.load32_splat(a2 + t);
        c20 = fma(s, b0, c20); c21 = fma(s, b1, c21);
        s = v128.load32_splat(a3 + t);
        c30 = fma(s, b0, c30); c31 = fma(s, b1, c31);
        s = v128.load32_splat(a4 + t);
        c40 = fma(s, b0, c40); c41 = fma(s, b1, c41);
        s = v128.load32_splat(a5 + t);
        c50 = fma(s, b0, c50); c51 = fma(s, b1, c51);
      }
      let to = c + <usize>r * stride + j;
      v128.store(to, c00); v128.store(to, c01, 16); to += stride;
      v128.store(to, c10); v128.store(to, c11, 16); to += stride;
      v128.store(to, c20); v128.store(to, c21, 16); to += stride;
      v128.store(to, c30); v128.store(to, c31, 16); to += stride;
      v128.store(to, c40); v128.store(to, c41, 16); to += stride;
      v128.store(to, c50); v128.store(to, c51, 16);
    }
    for (; r < rows; r++) {
      const a0 = a + <usize>r * stride, to = c + <usize>r * stride + j;
      let p = packed + (first << 3);
      let c00 = f32x4.splat(0), c01 = c00;
      for (let t = first; t < last; t += 4, p += 32) {
        const s = v128.load32_splat(a0 + t);
        c00 = fma(s, v128.load(p), c00); c01 = fma(s, v128.load(p, 16), c01);
      }
      v128.store(to, c00); v128.store(to, c01, 16);
    }
  }
}
