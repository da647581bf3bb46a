// Directions of vectors as integers, each with the distance from what it stands for, so that an inner product of codes
// bounds that of the vectors.
//
// Fine: f = round(32767·v/|v|), int16, one row after the other. f·g is exact in int32 (Cauchy-Schwarz: |f||g| <= 2^30,
// partial sums included).
// Coarse: c = round(s·v/|v|), int8, with the largest scale s for which, in each segment of 128 factors, the even pairs of
// factors and the odd ones have |c| <= 181 each. So the inner product of each such part is at most 181² < 2^15: sums in
// 16 lanes of 16 bits may wrap on the way and are right in the end.
// A query's coarse codes are within ±63 and stored plus 64, as unsigned 7-bit numbers, which is what the instruction takes;
// -64·Σc of each part of an item, where its sums begin, takes that off again.
//
// A coarse panel holds eight items: for each segment, eight items' two beginnings (int16), then for each four factors the
// eight items' fours in turn (32 bytes).

import { ONE, Query } from "./block";

/** Factors whose products are added up in 16 bits. */
// @ts-ignore: decorator
@inline export const SEGMENT: i32 = 128;
/** Added to the coarse codes of queries. */
// @ts-ignore: decorator
@inline const OFFSET: i32 = 64;
/** Largest Euclidean norm of a part's codes before rounding moves each of up to 64 by a half at most. */
// @ts-ignore: decorator
@inline const PART_NORM: f64 = 181 - 4;
/** Covers rounding of bounds to float32. */
// @ts-ignore: decorator
@inline const UP: f64 = 1 + 1e-6;

/** Bytes of a coarse panel of vectors padded to `width` factors. */
@inline export function panelBytes(width: i32): i32 {
  return ((width + SEGMENT - 1) / SEGMENT) * 32 + width * 8;
}

/**
 * Encodes eight rows (float32, k each, one after the other): a coarse panel, `width` fine codes per row, and the panel's
 * bounds (float32): scale s, largest |c - s·v/|v||, and s over the largest and the smallest norm. Returns the largest
 * |f - 32767·v/|v|| of a row.
 */
export function packPanel(from: usize, k: i32, width: i32, panel: usize, fine: usize, bounds: usize): f64 {
  memory.fill(panel, 0, panelBytes(width));
  let scale: f64 = Infinity, largest: f64 = 0, smallest: f64 = Infinity, roughest: f64 = 0, rounding: f64 = 0;
  for (let r = 0; r < 8; r++) {
    const row = from + <usize>(r * k) * 4, norm = normOf(row, k);
    largest = max(largest, norm);
    smallest = min(smallest, norm);
    scale = min(scale, scaleFor(row, k, norm, 127));
    rounding = max(rounding, encodeFine(row, k, width, norm, fine + <usize>(r * width) * 2));
  }
  if (scale == Infinity) scale = 1;
  for (let r = 0; r < 8; r++) {
    const row = from + <usize>(r * k) * 4, norm = normOf(row, k);
    const unit = norm > 0 ? scale / norm : 0;
    let squared: f64 = 0, segment = panel;
    for (let first = 0; first < k; first += SEGMENT, segment += 32 + SEGMENT * 8) {
      for (let i = first; i < min(k, first + SEGMENT); i++) {
        const exact = <f64>load<f32>(row + (<usize>i << 2)) * unit, code = nearest(exact);
        squared += (exact - code) * (exact - code);
        store<i8>(segment + 32 + (<usize>((i - first) >> 2) << 5) + (<usize>r << 2) + (i & 3), <i8><i32>code);
        const begin = segment + (<usize>r << 2) + (i & 2);
        store<i16>(begin, load<i16>(begin) - <i16>(OFFSET * <i32>code));
      }
    }
    roughest = max(roughest, squared);
  }
  store<f32>(bounds, <f32>scale);
  store<f32>(bounds, <f32>(sqrt(roughest) * UP), 4);
  store<f32>(bounds, largest > 0 ? min(<f32>(scale / largest), f32.MAX_VALUE) : f32.MAX_VALUE, 8);
  store<f32>(bounds, smallest > 0 ? <f32>(scale / smallest) : Infinity, 12);
  return rounding;
}

/**
 * Encodes one query (float32, not zero): `width` coarse codes as bytes and `width` fine ones, and what the query must know of
 * them. Returns |f - 32767·v/|v||.
 */
@inline export function encodeQuery(query: Query, from: usize, k: i32, width: i32): f64 {
  const norm = normOf(from, k), scale = scaleFor(from, k, norm, 63), unit = scale / norm;
  memory.fill(query.coarse, <u8>OFFSET, width);
  let squared: f64 = 0, length: f64 = 0;
  for (let i = 0; i < k; i++) {
    const exact = <f64>load<f32>(from + (<usize>i << 2)) * unit, code = nearest(exact);
    squared += (exact - code) * (exact - code);
    length += code * code;
    store<u8>(query.coarse + i, <u8>(<i32>code + OFFSET));
  }
  query.scale = <f32>scale;
  query.coarseUnit = ONE / query.scale;
  query.coarseError = <f32>(sqrt(squared) * UP);
  query.coarseNorm = <f32>(sqrt(length) * UP);
  return encodeFine(from, k, width, norm, query.fine);
}

function normOf(row: usize, k: i32): f64 {
  let sum: f64 = 0;
  for (const end = row + (<usize>k << 2); row < end; row += 4) sum += <f64>load<f32>(row) * <f64>load<f32>(row);
  return sqrt(sum);
}

/** The largest scale at which no code of v/|v| is over `most` and no part's norm over PART_NORM. */
function scaleFor(row: usize, k: i32, norm: f64, most: f64): f64 {
  let scale: f64 = Infinity;
  for (let first = 0; first < k; first += SEGMENT) {
    let largest: f64 = 0, even: f64 = 0, odd: f64 = 0;
    for (let i = first; i < min(k, first + SEGMENT); i++) {
      const value = abs(<f64>load<f32>(row + (<usize>i << 2)));
      largest = max(largest, value);
      if (i & 2) odd += value * value;
      else even += value * value;
    }
    if (largest > 0) scale = min(scale, norm * min(most / largest, PART_NORM / sqrt(max(even, odd))));
  }
  return scale;
}

function encodeFine(row: usize, k: i32, width: i32, norm: f64, to: usize): f64 {
  memory.fill(to, 0, <usize>width << 1);
  const unit: f64 = norm > 0 ? 32767 / norm : 0;
  let squared: f64 = 0;
  for (let i = 0; i < k; i++) {
    const exact = <f64>load<f32>(row + (<usize>i << 2)) * unit, code = nearest(exact);
    squared += (exact - code) * (exact - code);
    store<i16>(to + (<usize>i << 1), <i16><i32>code);
  }
  return sqrt(squared);
}
