// What rows are regularised towards.
import { dot } from "../simd";

/** Rows of A times their λ, in place; returns Σ λ|a|². */
export function weighRows(a: usize, rows: i32, k: i32, lambda: usize): f64 {
  const stride = <usize>k << 2;
  let sum: f64 = 0;
  for (const end = lambda + (<usize>rows << 2); lambda < end; lambda += 4) {
    const w = load<f32>(lambda), v = f32x4.splat(w);
    sum += <f64>w * <f64>dot(a, a, stride);
    for (const last = a + stride; a < last; a += 16) v128.store(a, f32x4.mul(v, v128.load(a)));
  }
  return sum;
}
