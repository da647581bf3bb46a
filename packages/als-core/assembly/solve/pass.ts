// A pass over the entries of the row under way: inner products of their rows of Z with a vector, and the sum of these rows by
// weights that follow from them.
import { CHUNK, touch, copyRows } from "./gather";
import { enterRow, firstOf4, records, secondOf4, setAreas, setColumnRecords, weights } from "./entries";
import { float32Dots4, gatherFloat32Dots4, addFloat32Rows } from "./float32-rows";
import { addInt8Rows, int8Dots4, encode, encodeVector, fastLargestLane, gatherInt8Dots4, groupBytes } from "./int8-rows";
import { clear, fma, sumLanes } from "../simd";

/** Brings entries [start, start + count) of the row under way to the areas. */
// @ts-ignore: decorator
@external("env", "fetchEntries")
declare function fetchEntries(start: i32, count: i32): void;

/** Of Z outside this memory: copies the rows of entries [start, start + count) in the areas to `to`, one after the other. */
// @ts-ignore: decorator
@external("env", "fetchRows")
declare function fetchRows(start: i32, count: i32, to: usize): void;

/** A row of more bytes of Z than this, a part of the second level cache, is copied into contiguous memory for later passes. */
// @ts-ignore: decorator
@inline const COPIED: usize = 131_072;

// What is the same for all rows of a call: the fixed side and the scratch areas.
let z: usize = 0, rowBytes: usize = 0, tile: usize = 0, tileRows: i32 = 0, chunk: usize = 0, scalars: usize = 0, tail: usize = 0;
let scaledVector: usize = 0, sum: usize = 0, integers: usize = 0, zeros: usize = 0;
/** Whether Z is int8, and the bytes of a vector. */
export let quantized: bool = false, stride: usize = 0;
/** Three vectors for the conjugate gradients, one after the other, and D. */
export let vectors: usize = 0, d: usize = 0;
// The row under way: its first entry in the areas, whether the records of its rows stay from pass to pass, whether a pass has
// had them, and whether that copies them to the tile.
let firstEntry: i32 = 0, entries: i32 = 0, scaled: bool = false, resident: bool = false, gathered: bool = false, copied: bool = false;
/** What a pass sums up beside its vector; `sumRounding` is Σ w u² of the residual's. */
export let sumTarget: f64 = 0, sumSquare: f64 = 0, sumRounding: f64 = 0;

/** Where Z is, 0 when its rows come by `fetchRows`, and the record of each column. `format`: 0 float32, 1 int8. */
export function setFixedSide(zAt: usize, columnRecordsAt: usize, format: i32, k: i32): void {
  z = zAt; quantized = format == 1; stride = <usize>k << 2; rowBytes = quantized ? <usize>k : stride;
  setColumnRecords(columnRecordsAt);
}

/**
 * Where the scratch areas are. `vectorsAt`: eight, the last all zeros (the codes of a vector of eight factors reach into it);
 * `chunkAt`: CHUNK rows of Z as float32, and 8 bytes for each and 32 more.
 */
export function setScratch(recordsAt: usize, weightsAt: usize, tileAt: usize, rowsInTile: i32, vectorsAt: usize, chunkAt: usize): void {
  setAreas(recordsAt, weightsAt);
  tile = tileAt; tileRows = rowsInTile;
  chunk = chunkAt; scalars = chunk + <usize>CHUNK * stride; tail = scalars + (<usize>CHUNK << 3);
  vectors = vectorsAt; d = vectors + 3 * stride; scaledVector = d + stride;
  sum = scaledVector + stride; integers = sum + stride; zeros = integers + stride;
}

/** How many entries `fetchEntries` brings at a time; 0 when the areas hold all entries of the row under way. */
let capacity: i32 = 0;
export function setCapacity(entries: i32): void { capacity = entries; }

/** The next passes are over `count` entries from `begin` on: of the areas, or with `capacity` of what `fetchEntries` brings. */
export function beginRow(begin: i32, count: i32, isScaled: bool, isResident: bool): void {
  entries = count; scaled = isScaled; gathered = false;
  firstEntry = isResident ? begin : 0;
  enterRow(firstEntry);
  const fitting = isResident && entries <= tileRows;
  resident = isResident && (z != 0 || fitting);
  copied = fitting && z != 0 && <usize>entries * rowBytes > COPIED;
}

// @ts-ignore: decorator
@inline export const PASS_RESIDUAL: i32 = 0; // out += Σ (b - w t·v) t, sumTarget = Σ b t·v
// @ts-ignore: decorator
@inline export const PASS_PRODUCT: i32 = 1; // out += Σ w (t·v) t, sumSquare = Σ w (t·v)²
// @ts-ignore: decorator
@inline export const PASS_DOTS: i32 = 2; // sumSquare = Σ w (t·v)², `out` is not used

/** One pass over the row's entries. */
export function pass(kind: i32, v: usize, out: usize): void {
  sumTarget = 0; sumSquare = 0;
  if (kind == PASS_RESIDUAL) sumRounding = 0;
  let from = v, to = out;
  if (scaled) {
    from = scaledVector; to = sum;
    for (let t: usize = 0; t < stride; t += 16) v128.store(from + t, f32x4.mul(v128.load(v + t), v128.load(d + t)));
    if (kind != PASS_DOTS) clear(to, stride);
  }
  const scale: f32 = quantized ? encodeVector(from, stride, integers) : 1;
  passAll(kind, quantized ? integers : from, scale, to);
  if (scaled && kind != PASS_DOTS) {
    for (let t: usize = 0; t < stride; t += 16) v128.store(out + t, fma(v128.load(to + t), v128.load(d + t), v128.load(out + t)));
  }
}

/** All entries of the row, as many at a time as the areas hold. */
function passAll(kind: i32, v: usize, scale: f32, out: usize): void {
  if (capacity == 0) passEntries(kind, entries, v, scale, out);
  else {
    for (let start = 0; start < entries; start += capacity) {
      const count = min(capacity, entries - start);
      fetchEntries(start, count);
      passEntries(kind, count, v, scale, out);
    }
  }
  gathered = resident;
}

/** Chunk by chunk, so that a chunk is summed up from the first level cache where its inner products have brought it. */
function passEntries(kind: i32, count: i32, v: usize, scale: f32, out: usize): void {
  for (let first = 0; first < count; first += CHUNK) {
    const rows = min(CHUNK, count - first), at = <usize>first << 3;
    if (!gathered) bring(first, rows);
    // In line for each kind: the loops are shorter, and fewer values leave the registers.
    if (quantized) {
      if (kind == PASS_RESIDUAL) passChunk(true, PASS_RESIDUAL, rows, at, v, scale, out);
      else if (kind == PASS_PRODUCT) passChunk(true, PASS_PRODUCT, rows, at, v, scale, out);
      else passChunk(true, PASS_DOTS, rows, at, v, scale, out);
    } else passChunk(false, kind, rows, at, v, scale, out);
  }
}

/** Brings the rows of a chunk into the first level cache. */
function bring(first: i32, rows: i32): void {
  const at = <usize>first << 3, to = tile + (resident ? <usize>first * rowBytes : 0);
  if (z == 0) {
    fetchRows(firstEntry + first, rows, to);
    for (let q: usize = 0, row = to; q < <usize>rows << 3; q += 8, row += rowBytes) store<u32>(records + at + q, <u32>row);
  } else {
    touch(records + at, rows, rowBytes);
    if (copied) copyRows(records + at, rows, rowBytes, to);
  }
}

/** The rows of a chunk, in groups of four, the last filled up with rows of zeros. */
@inline function passChunk(quantized: bool, kind: i32, rows: i32, at: usize, v: usize, scale: f32, out: usize): void {
  const groups = (rows + 3) >> 2, end = <usize>rows << 3, group = quantized ? groupBytes(stride >> 2) : stride << 2;
  const vectorScale = f32x4.splat(scale);
  let to = chunk, total = f32x4.splat(0), largest = total, rounding = total;
  for (let q: usize = 0; q < end; q += 32, to += group) {
    let from = records + at + q;
    if (q + 32 > end) { fillUp(from, end - q); from = tail; }
    let dots: v128, own = vectorScale;
    if (quantized) {
      own = secondOf4(from);
      dots = kind == PASS_DOTS ? int8Dots4(from, v, stride >> 2) : gatherInt8Dots4(from, to, v, stride >> 2);
      dots = f32x4.mul(f32x4.convert_i32x4_s(dots), f32x4.mul(own, vectorScale));
    } else {
      dots = kind == PASS_DOTS ? float32Dots4(from, v, stride) : gatherFloat32Dots4(from, to, v, stride);
    }
    const weight = firstOf4(weights + at + q);
    let weighed = f32x4.mul(dots, weight);
    if (kind == PASS_RESIDUAL) {
      const target = secondOf4(weights + at + q);
      total = fma(dots, target, total);
      if (quantized) rounding = fma(weight, f32x4.mul(own, own), rounding);
      weighed = f32x4.sub(target, weighed);
    } else total = fma(dots, weighed, total);
    if (kind != PASS_DOTS) {
      if (quantized) {
        weighed = f32x4.mul(weighed, own);
        largest = f32x4.pmax(largest, f32x4.abs(weighed));
      }
      v128.store(scalars + (q >> 1), weighed);
    }
  }
  if (kind == PASS_RESIDUAL) { sumTarget += <f64>sumLanes(total); sumRounding += <f64>sumLanes(rounding); }
  else sumSquare += <f64>sumLanes(total);
  if (kind == PASS_DOTS) return;
  if (quantized) {
    // Whole eights of them: what is behind the last group counts for nothing.
    const codes = scalars + (<usize>CHUNK << 2);
    const scalarScale = encode(scalars, (<usize>groups << 4) + 31 & ~31, fastLargestLane(largest), 32767, codes);
    addInt8Rows(codes, groups, chunk, out, stride >> 2, scalarScale);
  } else addFloat32Rows(scalars, groups, chunk, out, stride);
}

/** The last `bytes / 8` entries' records, then rows of zeros, at `tail`. */
function fillUp(from: usize, bytes: usize): void {
  for (let t: usize = 0; t < 32; t += 8) store<u64>(tail + t, t < bytes ? load<u64>(from + t) : <u64>zeros);
}
