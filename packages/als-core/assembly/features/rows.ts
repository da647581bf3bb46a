// Steps of the fit on up to a hundred rows, one after the other in memory. Sums over the rows go by column: in float32 over these
// rows, in `sums`, then to float64. A row of `stride` bytes, a multiple of 32; `sums` has room for two rows of float32, and the
// float64 sums of a column are `totals`.
import { clear, fma } from "../simd";

/** e = y - p. Totals, by column: Σ λ y² and, behind them, Σ λ e². */
export function subtractRows(rows: i32, y: usize, p: usize, lambda: usize, e: usize, stride: usize, sums: usize, totals: usize): void {
  clear(sums, stride << 1);
  for (const end = lambda + (<usize>rows << 2); lambda < end; lambda += 4) {
    const w = v128.load32_splat(lambda);
    let s = sums;
    for (const last = sums + stride; s < last; s += 16, y += 16, p += 16, e += 16) {
      const value = v128.load(y), error = f32x4.sub(value, v128.load(p));
      v128.store(e, error);
      v128.store(s, fma(f32x4.mul(w, value), value, v128.load(s)));
      v128.store(s + stride, fma(f32x4.mul(w, error), error, v128.load(s + stride)));
    }
  }
  addUp(sums, totals, stride << 1);
}

/** Totals: Σ λ t². */
export function squareRows(rows: i32, t: usize, lambda: usize, stride: usize, sums: usize, totals: usize): void {
  clear(sums, stride);
  for (const end = lambda + (<usize>rows << 2); lambda < end; lambda += 4) {
    const w = v128.load32_splat(lambda);
    for (let s = sums, last = sums + stride; s < last; s += 16, t += 16) {
      const value = v128.load(t);
      v128.store(s, fma(f32x4.mul(w, value), value, v128.load(s)));
    }
  }
  addUp(sums, totals, stride);
}

/** r = p - λ_B b and d = r/m, the diagonal's inverses at `inverse`. Totals: Σ r d and, behind them, Σ d². */
export function startRows(rows: i32, p: usize, b: usize, inverse: usize, penalty: f32, d: usize, stride: usize, sums: usize, totals: usize): void {
  const minus = f32x4.splat(-penalty);
  clear(sums, stride << 1);
  for (const end = inverse + (<usize>rows << 2); inverse < end; inverse += 4) {
    const m = v128.load32_splat(inverse);
    for (let s = sums, last = sums + stride; s < last; s += 16, p += 16, b += 16, d += 16) {
      const r = fma(minus, v128.load(b), v128.load(p)), step = f32x4.mul(r, m);
      v128.store(d, step);
      v128.store(s, fma(r, step, v128.load(s)));
      v128.store(s + stride, fma(step, step, v128.load(s + stride)));
    }
  }
  addUp(sums, totals, stride << 1);
}

/** b += α d, α by column. Totals: Σ b². */
export function stepRows(rows: i32, b: usize, d: usize, alpha: usize, stride: usize, sums: usize, totals: usize): void {
  clear(sums, stride);
  for (; rows > 0; rows--) {
    for (let s = sums, a = alpha, last = sums + stride; s < last; s += 16, a += 16, b += 16, d += 16) {
      const value = fma(v128.load(a), v128.load(d), v128.load(b));
      v128.store(b, value);
      v128.store(s, fma(value, value, v128.load(s)));
    }
  }
  addUp(sums, totals, stride);
}

/** r = d·m */
export function scaleRows(rows: i32, d: usize, inverse: usize, r: usize, stride: usize): void {
  for (const end = inverse + (<usize>rows << 2); inverse < end; inverse += 4) {
    const m = f32x4.splat(1 / load<f32>(inverse));
    for (const last = r + stride; r < last; r += 16, d += 16) v128.store(r, f32x4.mul(v128.load(d), m));
  }
}

/** r -= α (p + λ_B d). Totals: Σ r²/m. */
export function lowerRows(
  rows: i32, r: usize, p: usize, d: usize, inverse: usize, penalty: f32, alpha: usize, stride: usize, sums: usize, totals: usize,
): void {
  const lambda = f32x4.splat(penalty);
  clear(sums, stride);
  for (const end = inverse + (<usize>rows << 2); inverse < end; inverse += 4) {
    const m = v128.load32_splat(inverse);
    for (let s = sums, a = alpha, last = sums + stride; s < last; s += 16, a += 16, r += 16, p += 16, d += 16) {
      const change = f32x4.mul(v128.load(a), fma(lambda, v128.load(d), v128.load(p)));
      const value = f32x4.sub(v128.load(r), change);
      v128.store(r, value);
      v128.store(s, fma(f32x4.mul(value, m), value, v128.load(s)));
    }
  }
  addUp(sums, totals, stride);
}

/** d = r/m + β d, β by column. Totals: Σ d². */
export function turnRows(rows: i32, d: usize, r: usize, inverse: usize, beta: usize, stride: usize, sums: usize, totals: usize): void {
  clear(sums, stride);
  for (const end = inverse + (<usize>rows << 2); inverse < end; inverse += 4) {
    const m = v128.load32_splat(inverse);
    for (let s = sums, b = beta, last = sums + stride; s < last; s += 16, b += 16, r += 16, d += 16) {
      const value = fma(v128.load(b), v128.load(d), f32x4.mul(v128.load(r), m));
      v128.store(d, value);
      v128.store(s, fma(value, value, v128.load(s)));
    }
  }
  addUp(sums, totals, stride);
}

/** totals += sums, `bytes` bytes of float32. */
@inline function addUp(sums: usize, totals: usize, bytes: usize): void {
  for (const end = sums + bytes; sums < end; sums += 16, totals += 32) {
    const v = v128.load(sums);
    v128.store(totals, f64x2.add(v128.load(totals), f64x2.promote_low_f32x4(v)));
    v128.store(totals, f64x2.add(v128.load(totals, 16), f64x2.promote_low_f32x4(i64x2.shuffle(v, v, 1, 0))), 16);
  }
}
