// Building blocks shared by the kernels. Every matrix is row-major float32 whose row length (the "stride", in bytes) is
// a multiple of 32: eight factors.

/** a·b + c; one fused instruction where the engine has relaxed SIMD. */
@inline export function fma(a: v128, b: v128, c: v128): v128 {
  if (ASC_FEATURE_RELAXED_SIMD) return f32x4.relaxed_madd(a, b, c);
  return f32x4.add(f32x4.mul(a, b), c);
}

/** Sum of the four lanes. */
@inline export function sumLanes(v: v128): f32 {
  return (f32x4.extract_lane(v, 0) + f32x4.extract_lane(v, 1)) + (f32x4.extract_lane(v, 2) + f32x4.extract_lane(v, 3));
}

/** The four sums of lanes of a, b, c, d as one vector. */
@inline export function sumLanes4(a: v128, b: v128, c: v128, d: v128): v128 {
  const ab = f32x4.add(i32x4.shuffle(a, b, 0, 4, 1, 5), i32x4.shuffle(a, b, 2, 6, 3, 7));
  const cd = f32x4.add(i32x4.shuffle(c, d, 0, 4, 1, 5), i32x4.shuffle(c, d, 2, 6, 3, 7));
  return f32x4.add(i32x4.shuffle(ab, cd, 0, 1, 4, 5), i32x4.shuffle(ab, cd, 2, 3, 6, 7));
}

/** The same of int32. */
@inline export function sumLanes4Int(a: v128, b: v128, c: v128, d: v128): v128 {
  const ab = i32x4.add(i32x4.shuffle(a, b, 0, 4, 1, 5), i32x4.shuffle(a, b, 2, 6, 3, 7));
  const cd = i32x4.add(i32x4.shuffle(c, d, 0, 4, 1, 5), i32x4.shuffle(c, d, 2, 6, 3, 7));
  return i32x4.add(i32x4.shuffle(ab, cd, 0, 1, 4, 5), i32x4.shuffle(ab, cd, 2, 3, 6, 7));
}

/** Eight float32 times `scale`, which are within int16, rounded to nearest: added to 1.5·2²³, whose last place is 1. */
@inline export function roundToInt16(low: v128, high: v128, scale: f32): v128 {
  const s = f32x4.splat(scale), magic = f32x4.splat(12582912), bits = i32x4.splat(0x4b400000);
  return i16x8.narrow_i32x4_s(i32x4.sub(fma(low, s, magic), bits), i32x4.sub(fma(high, s, magic), bits));
}

/** Inner product of two vectors of `bytes` bytes. */
@inline export function dot(a: usize, b: usize, bytes: usize): f32 {
  let s0 = f32x4.splat(0), s1 = s0;
  for (let t: usize = 0; t < bytes; t += 32) {
    s0 = fma(v128.load(a + t), v128.load(b + t), s0);
    s1 = fma(v128.load(a + t, 16), v128.load(b + t, 16), s1);
  }
  return sumLanes(f32x4.add(s0, s1));
}

/** y += s·x over `bytes` bytes. */
@inline export function axpy(s: f32, x: usize, y: usize, bytes: usize): void {
  const v = f32x4.splat(s);
  for (let t: usize = 0; t < bytes; t += 16) v128.store(y + t, fma(v, v128.load(x + t), v128.load(y + t)));
}

/** to = from over `bytes` bytes. In line: a `memory.copy` is a call out of WebAssembly. */
@inline export function copy(from: usize, to: usize, bytes: usize): void {
  for (const end = from + bytes; from < end; from += 32, to += 32) {
    v128.store(to, v128.load(from)); v128.store(to, v128.load(from, 16), 16);
  }
}

/** Zeros over `bytes` bytes. */
@inline export function clear(at: usize, bytes: usize): void {
  for (const end = at + bytes; at < end; at += 32) { v128.store(at, f32x4.splat(0)); v128.store(at, f32x4.splat(0), 16); }
}

/** Inner product of int16 vectors of `bytes` bytes, a multiple of 16. */
@inline export function dotInt16(a: usize, b: usize, bytes: usize): i32 {
  let s = i32x4.splat(0);
  for (let t: usize = 0; t < bytes; t += 16) s = i32x4.add(s, i32x4.dot_i16x8_s(v128.load(a + t), v128.load(b + t)));
  return (i32x4.extract_lane(s, 0) + i32x4.extract_lane(s, 1)) + (i32x4.extract_lane(s, 2) + i32x4.extract_lane(s, 3));
}

/**
 * Pairs of products of signed bytes y and unsigned 7-bit numbers x, modulo 2^16: one instruction with relaxed SIMD, whose
 * result is the same on every machine for such an x.
 */
@inline export function dotPairs(y: v128, x: v128): v128 {
  if (ASC_FEATURE_RELAXED_SIMD) return i16x8.relaxed_dot_i8x16_i7x16_s(y, x);
  const even = i16x8.mul(i16x8.shr_s(i16x8.shl(y, 8), 8), v128.and(x, i16x8.splat(255)));
  return i16x8.add(even, i16x8.mul(i16x8.shr_s(y, 8), i16x8.shr_u(x, 8)));
}
