// Steps of the fit on up to a hundred rows, one after the other in memory. Sums over the rows go by column: in float32 over these
// rows, in `sums`, then to float64 in `totals`: both have a row for each sum. A row is `stride` bytes long, a multiple of 32.
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

/** r = s - λ_B b and z = r/m, the diagonal's inverses at `inverse`. Totals: Σ r z, Σ r d, Σ z², Σ z d, Σ d². */
export function startRows(
  rows: i32, s: usize, b: usize, d: usize, inverse: usize, penalty: f32, z: usize, stride: usize, sums: usize, totals: usize,
): void {
  const minus = f32x4.splat(-penalty);
  clear(sums, 5 * stride);
  for (const end = inverse + (<usize>rows << 2); inverse < end; inverse += 4) {
    const m = v128.load32_splat(inverse);
    let rz = sums, rd = rz + stride, zz = rd + stride, zd = zz + stride, dd = zd + stride;
    for (const last = rd; rz < last; rz += 16, rd += 16, zz += 16, zd += 16, dd += 16) {
      const r = fma(minus, v128.load(b), v128.load(s)), step = f32x4.mul(r, m), old = v128.load(d);
      v128.store(z, step);
      v128.store(rz, fma(r, step, v128.load(rz)));
      v128.store(rd, fma(r, old, v128.load(rd)));
      v128.store(zz, fma(step, step, v128.load(zz)));
      v128.store(zd, fma(step, old, v128.load(zd)));
      v128.store(dd, fma(old, old, v128.load(dd)));
      s += 16; b += 16; d += 16; z += 16;
    }
  }
  addUp(sums, totals, 5 * stride);
}

/** Totals of t = G·z and u = G·d: Σ λ t², Σ λ t u, Σ λ u². */
export function multiplyRows(rows: i32, t: usize, u: usize, lambda: usize, stride: usize, sums: usize, totals: usize): void {
  clear(sums, 3 * stride);
  for (const end = lambda + (<usize>rows << 2); lambda < end; lambda += 4) {
    const w = v128.load32_splat(lambda);
    let tt = sums, tu = tt + stride, uu = tu + stride;
    for (const last = tu; tt < last; tt += 16, tu += 16, uu += 16) {
      const a = v128.load(t), b = v128.load(u), weighed = f32x4.mul(w, a);
      v128.store(tt, fma(weighed, a, v128.load(tt)));
      v128.store(tu, fma(weighed, b, v128.load(tu)));
      v128.store(uu, fma(f32x4.mul(w, b), b, v128.load(uu)));
      t += 16; u += 16;
    }
  }
  addUp(sums, totals, 3 * stride);
}

/** d = α z + β d and b += d; α and behind them β by column. Totals: Σ b². */
export function moveRows(rows: i32, b: usize, d: usize, z: usize, lengths: usize, stride: usize, sums: usize, totals: usize): void {
  clear(sums, stride);
  for (; rows > 0; rows--) {
    for (let s = sums, a = lengths, last = sums + stride; s < last; s += 16, a += 16, b += 16, d += 16, z += 16) {
      const step = fma(v128.load(a + stride), v128.load(d), f32x4.mul(v128.load(a), v128.load(z)));
      const value = f32x4.add(v128.load(b), step);
      v128.store(d, step);
      v128.store(b, value);
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
