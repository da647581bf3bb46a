// Rows of Z as int8: z = u·c with integers c within ±127 and a scale u for each row. A vector v is held as int16, v = e·g, so
// that z·v = u·e·(c·g), and c·g is exact in int32: a product and the sum of two take one instruction for eight factors,
// where float32 takes two, and rows are read a quarter as many bytes. `rows` points at the records of four rows (see entries.ts);
// `k` is the number of factors, a multiple of 8, and the length of a row in bytes.
import { fma, sumLanes4Int, roundToInt16 } from "../simd";

/** Encodes `rows` rows of float32 to their places in Z; `records`: the address of each row, and room for its scale. */
export function encodeRows(from: usize, rows: i32, k: i32, records: usize): void {
  const bytes = <usize>k << 2;
  for (let r = 0; r < rows; r++, from += bytes, records += 8) {
    const scale = largestLane(largestLanes(from, bytes)) / 127;
    store<f32>(records, scale, 4);
    const inverse: f32 = scale > 0 ? 1 / scale : 0;
    let to = <usize>load<u32>(records);
    for (let t: usize = 0; t < bytes; t += 32, to += 8) {
      const h = roundToInt16(v128.load(from + t), v128.load(from + t, 16), inverse);
      v128.store64_lane(to, i8x16.narrow_i16x8_s(h, h), 0);
    }
  }
}

/** Encodes a vector of `bytes` bytes of float32 as int16 to `to`, and eight zeros. Returns its scale. */
export function encodeVector(from: usize, bytes: usize, to: usize): f32 {
  v128.store(to + (bytes >> 1), i32x4.splat(0));
  // Sums of `bytes / 4` products with codes of up to 127 stay within int32.
  const most = min<f32>(32767, <f32>(<usize>2147483647 / (127 * (bytes >> 2))) - 1);
  return encode(from, bytes, largestOf(from, bytes), most, to);
}

/** Encodes numbers of at most `largest` as int16 of at most `most` to `to`; `bytes` is a multiple of 32. Returns their scale. */
@inline export function encode(from: usize, bytes: usize, largest: f32, most: f32, to: usize): f32 {
  const inverse: f32 = largest > 0 ? most / largest : 0;
  for (const end = from + bytes; from < end; from += 32, to += 16) {
    v128.store(to, roundToInt16(v128.load(from), v128.load(from, 16), inverse));
  }
  return largest / most;
}

/** The largest magnitude of a vector. */
@inline export function largestOf(from: usize, bytes: usize): f32 {
  return fastLargestLane(largestLanes(from, bytes));
}

@inline function largestLanes(from: usize, bytes: usize): v128 {
  let a = f32x4.splat(0), b = a;
  for (const end = from + bytes; from < end; from += 32) {
    a = f32x4.pmax(a, f32x4.abs(v128.load(from)));
    b = f32x4.pmax(b, f32x4.abs(v128.load(from, 16)));
  }
  return f32x4.pmax(a, b);
}

/** The largest lane. A NaN may be lost. In vectors: scalar `max` branches, which costs a wrong guess every other time. */
@inline export function fastLargestLane(v: v128): f32 {
  v = f32x4.pmax(v, i32x4.shuffle(v, v, 2, 3, 0, 1));
  return f32x4.extract_lane(f32x4.pmax(v, i32x4.shuffle(v, v, 1, 0, 3, 2)), 0);
}

/** The largest lane, NaN if there is one. */
@inline export function largestLane(v: v128): f32 {
  return max<f32>(max<f32>(f32x4.extract_lane(v, 0), f32x4.extract_lane(v, 1)), max<f32>(f32x4.extract_lane(v, 2), f32x4.extract_lane(v, 3)));
}

/** Inner products of the codes of four rows with g. */
@inline export function int8Dots4(rows: usize, g: usize, k: usize): v128 {
  let r0 = <usize>load<u32>(rows), r1 = <usize>load<u32>(rows, 8), r2 = <usize>load<u32>(rows, 16), r3 = <usize>load<u32>(rows, 24);
  let s0 = i32x4.splat(0), s1 = s0, s2 = s0, s3 = s0;
  for (const end = r0 + k; r0 < end; g += 16) {
    const v = v128.load(g);
    s0 = i32x4.add(s0, i32x4.dot_i16x8_s(v128.load8x8_s(r0), v));
    s1 = i32x4.add(s1, i32x4.dot_i16x8_s(v128.load8x8_s(r1), v));
    s2 = i32x4.add(s2, i32x4.dot_i16x8_s(v128.load8x8_s(r2), v));
    s3 = i32x4.add(s3, i32x4.dot_i16x8_s(v128.load8x8_s(r3), v));
    r0 += 8; r1 += 8; r2 += 8; r3 += 8;
  }
  return sumLanes4Int(s0, s1, s2, s3);
}

/** Bytes of a group of four rows in a chunk. */
@inline export function groupBytes(k: usize): usize {
  return (k + 15 & ~15) << 2;
}

/**
 * The same, and puts the rows into a group for `addInt8Rows`: for each eight factors, those of the first two rows in turn (16
 * bytes), then those of the other two. Reads up to eight bytes more than a row has, for which g has zeros.
 */
@inline export function gatherInt8Dots4(rows: usize, group: usize, g: usize, k: usize): v128 {
  let r0 = <usize>load<u32>(rows), r1 = <usize>load<u32>(rows, 8), r2 = <usize>load<u32>(rows, 16), r3 = <usize>load<u32>(rows, 24);
  let s0 = i32x4.splat(0), s1 = s0, s2 = s0, s3 = s0;
  for (const end = r0 + k; r0 < end; g += 32, group += 64) {
    const v = v128.load(g), w = v128.load(g, 16);
    let a = v128.load(r0), b = v128.load(r1);
    s0 = i32x4.add(s0, i32x4.dot_i16x8_s(v128.load8x8_s(r0), v));
    s1 = i32x4.add(s1, i32x4.dot_i16x8_s(v128.load8x8_s(r1), v));
    v128.store(group, v128.shuffle<i8>(a, b, 0, 16, 1, 17, 2, 18, 3, 19, 4, 20, 5, 21, 6, 22, 7, 23));
    s0 = i32x4.add(s0, i32x4.dot_i16x8_s(v128.load8x8_s(r0, 8), w));
    s1 = i32x4.add(s1, i32x4.dot_i16x8_s(v128.load8x8_s(r1, 8), w));
    v128.store(group, v128.shuffle<i8>(a, b, 8, 24, 9, 25, 10, 26, 11, 27, 12, 28, 13, 29, 14, 30, 15, 31), 32);
    a = v128.load(r2); b = v128.load(r3);
    s2 = i32x4.add(s2, i32x4.dot_i16x8_s(v128.load8x8_s(r2), v));
    s3 = i32x4.add(s3, i32x4.dot_i16x8_s(v128.load8x8_s(r3), v));
    v128.store(group, v128.shuffle<i8>(a, b, 0, 16, 1, 17, 2, 18, 3, 19, 4, 20, 5, 21, 6, 22, 7, 23), 16);
    s2 = i32x4.add(s2, i32x4.dot_i16x8_s(v128.load8x8_s(r2, 8), w));
    s3 = i32x4.add(s3, i32x4.dot_i16x8_s(v128.load8x8_s(r3, 8), w));
    v128.store(group, v128.shuffle<i8>(a, b, 8, 24, 9, 25, 10, 26, 11, 27, 12, 28, 13, 29, 14, 30, 15, 31), 48);
    r0 += 16; r1 += 16; r2 += 16; r3 += 16;
  }
  return sumLanes4Int(s0, s1, s2, s3);
}

/** out += scale · Σ s·row over `groups` groups, s an int16 for each row: at most 64 rows, for sums within int32. */
@inline export function addInt8Rows(s: usize, groups: i32, chunk: usize, out: usize, k: usize, scale: f32): void {
  const group = groupBytes(k), u = f32x4.splat(scale);
  for (const end = out + (k << 2); out < end; out += 32, chunk += 32) {
    let a0 = i32x4.splat(0), a1 = a0, b0 = a0, b1 = a0;
    let at = chunk, q = s;
    for (const last = s + (<usize>groups << 3); q < last; q += 8, at += group) {
      let w = v128.load32_splat(q);
      a0 = i32x4.add(a0, i32x4.dot_i16x8_s(v128.load8x8_s(at), w));
      a1 = i32x4.add(a1, i32x4.dot_i16x8_s(v128.load8x8_s(at, 8), w));
      w = v128.load32_splat(q, 4);
      b0 = i32x4.add(b0, i32x4.dot_i16x8_s(v128.load8x8_s(at, 16), w));
      b1 = i32x4.add(b1, i32x4.dot_i16x8_s(v128.load8x8_s(at, 24), w));
    }
    v128.store(out, fma(u, f32x4.convert_i32x4_s(i32x4.add(a0, b0)), v128.load(out)));
    v128.store(out, fma(u, f32x4.convert_i32x4_s(i32x4.add(a1, b1)), v128.load(out, 16)), 16);
  }
}
