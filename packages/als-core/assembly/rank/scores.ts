// Scores of all items in float32, for measures that need every one of them.
import { fma } from "../simd";

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
