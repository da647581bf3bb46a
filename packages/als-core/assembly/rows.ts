// Conjugate gradients for the rows of one side.
//
// In the basis that `rotate` brings the fixed side to, the system of a row is
//
//     (D⁻² + Σ w z zᵀ) x = Σ b z          over the row's entries, D diagonal
//
// or, with t = D z and x = D y,
//
//     (I + Σ w t tᵀ) y = Σ b t
//
// so that plain conjugate gradients on y are preconditioned ones on x. A row costs two multiply-adds per entry and factor
// in a pass, and nothing of the order k². D is applied to the vectors of a pass, not to the entries: t·p = z·(D p) and
// Σ s t = D Σ s z.
import { CHUNK, touch, copyRows } from "./places";
import { dots4, gatherDots4, addRows } from "./float-rows";
import { encodeVector, encode, largestLane, codeDots4, gatherCodeDots4, addCodes } from "./code-rows";
import { dot, axpy, copy, clear, fma, sumLanes } from "./simd";

/** Brings entries [start, start + count) of the row under way to the areas: their places, units, weights and targets. */
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
let z: usize = 0, columns: usize = 0, coded: bool = false, stride: usize = 0, rowBytes: usize = 0;
let places: usize = 0, units: usize = 0, weights: usize = 0, targets: usize = 0;
let tile: usize = 0, tileRows: i32 = 0, chunk: usize = 0, scalars: usize = 0, tail: usize = 0, integers: usize = 0;
let r: usize = 0, direction: usize = 0, ap: usize = 0, d: usize = 0, scaledVector: usize = 0, sum: usize = 0, zeros: usize = 0;
let scaled: bool = false;
// The row under way: its first entry in the areas, whether the places of its rows stay from pass to pass, whether a pass has
// had them, and whether that copies them to the tile.
let firstEntry: i32 = 0, entries: i32 = 0, resident: bool = false, gathered: bool = false, copied: bool = false;
// What a pass sums up beside its vector.
let sumTarget: f64 = 0, sumSquare: f64 = 0, startDotResidual: f64 = 0, sumRounding: f64 = 0;

/** Where Z is, 0 when its rows come by `fetchRows`, and the place and unit of each column. `format`: 0 float32, 1 int8. */
export function setFixedSide(zAt: usize, columnsAt: usize, format: i32, k: i32): void {
  z = zAt; columns = columnsAt; coded = format == 1; stride = <usize>k << 2; rowBytes = coded ? <usize>k : stride;
}

/**
 * Where the scratch areas are. `vectors`: eight, the last all zeros; `chunkAt`: CHUNK rows of Z as float32, and 8 bytes for
 * each and 32 more.
 */
export function setScratch(placesAt: usize, unitsAt: usize, weightsAt: usize, targetsAt: usize, tileAt: usize, rowsInTile: i32, vectors: usize, chunkAt: usize): void {
  places = placesAt; units = unitsAt; weights = weightsAt; targets = targetsAt; tile = tileAt; tileRows = rowsInTile;
  chunk = chunkAt; scalars = chunk + <usize>CHUNK * stride; tail = scalars + (<usize>CHUNK << 3);
  r = vectors; direction = r + stride; ap = direction + stride; d = ap + stride; scaledVector = d + stride;
  sum = scaledVector + stride; integers = sum + stride; zeros = integers + stride;
}

/** Places and units of `count` entries from their columns at `indices`. */
export function placeEntries(indices: usize, count: i32): void {
  let at = places, unit = units;
  for (const end = indices + (<usize>count << 2); indices < end; indices += 4, at += 4, unit += 4) {
    const column = columns + (<usize>load<u32>(indices) << 3);
    store<u32>(at, <u32>(z + <usize>load<u32>(column) * rowBytes));
    store<u32>(unit, load<u32>(column, 4));
  }
}

/** w and b of each entry from its value v: hkv w = α|v| - 1, ials w = α|v| (`shift` 1 or 0); b = α v where v > 0, else 0. */
export function weighValues(values: usize, count: i32, alpha: f32, shift: f32): void {
  const zero = f32x4.splat(0), al = f32x4.splat(alpha), sh = f32x4.splat(shift);
  for (let t: usize = 0; t < <usize>count << 2; t += 16) {
    const c = f32x4.mul(v128.load(values + t), al);
    v128.store(weights + t, f32x4.sub(f32x4.abs(c), sh));
    v128.store(targets + t, f32x4.max(c, zero));
  }
}

/** The same for the 256 values of a codebook, to a table of w and b in turn. */
export function weighCodebook(codebook: usize, alpha: f32, shift: f32, table: usize): void {
  for (const end = codebook + 1024; codebook < end; codebook += 4, table += 8) {
    const c = load<f32>(codebook) * alpha;
    store<f32>(table, abs(c) - shift);
    store<f32>(table, max<f32>(c, 0), 4);
  }
}

/** w and b of each entry from its one-byte code. */
export function weighCodes(codes: usize, count: i32, table: usize): void {
  for (let q: usize = 0; q < <usize>count; q++) {
    const entry = table + (<usize>load<u8>(codes + q) << 3);
    store<u32>(weights + (q << 2), load<u32>(entry));
    store<u32>(targets + (q << 2), load<u32>(entry, 4));
  }
}

/**
 * Solves `rows` rows. `indptr`: rows + 1 offsets into the entries; `block`: rows × k, holds D⁻¹ times the start (x in the
 * whitened case, x itself when `diagonal` is given) and receives y or x; `diagonal`: 0 when the basis is whitened (D = I), else
 * 2 × k, a and e of D⁻² = a + λe; `lambda`: λ of each row; `start`: 0 starts all rows at zero, else rows of at least `start`
 * entries are started from `block`. `losses` (two f64 a row): what the row adds to the objective at its solution, Σ b²/c
 * aside, and Σ e x² where `diagonal` is given.
 * `isResident`: all entries are in the areas; else there is one row, whose entries come by `fetchEntries`.
 * Returns -1, or the row whose system is not positive definite or not finite.
 */
export function solveRows(rows: i32, indptr: usize, block: usize, diagonal: usize, lambda: usize, start: i32, isResident: i32, tolerance: f32, maxSteps: i32, losses: usize, steps: usize): i32 {
  const allPlaces = places, allUnits = units, allWeights = weights, allTargets = targets;
  let total = 0, failed = -1;
  scaled = diagonal != 0;
  for (let u = 0; u < rows; u++, losses += 16) {
    const begin = load<i32>(indptr + (<usize>u << 2));
    entries = load<i32>(indptr + (<usize>u << 2), 4) - begin;
    const x = block + <usize>u * stride;
    if (entries == 0) { clear(x, stride); store<f64>(losses, 0); store<f64>(losses, 0, 8); continue; }
    firstEntry = 0;
    if (isResident) {
      const at = <usize>begin << 2;
      firstEntry = begin;
      places = allPlaces + at; units = allUnits + at; weights = allWeights + at; targets = allTargets + at;
    }
    const warm = start > 0 && entries >= start;
    if (scaled) whiten(x, diagonal, load<f32>(lambda + (<usize>u << 2)), warm);
    const fitting = isResident != 0 && entries <= tileRows;
    resident = isResident != 0 && (z != 0 || fitting);
    copied = fitting && z != 0 && <usize>entries * rowBytes > COPIED;
    gathered = false;
    const taken = solveRow(x, warm, tolerance, maxSteps, losses);
    if (taken < 0) { failed = u; break; }
    total += taken;
    if (scaled) store<f64>(losses, unwhiten(x, diagonal + stride), 8);
    // The rounding of Z adds Σ w u²/12 to the diagonal on average, u the unit of an entry's codes. Without that the loss is
    // within 5e-5 of the objective on S with ials, and above it by 1.2e-4 with it.
    if (coded) store<f64>(losses, load<f64>(losses) - sumRounding / 12 * <f64>dot(x, x, stride));
  }
  places = allPlaces; units = allUnits; weights = allWeights; targets = allTargets;
  store<i32>(steps, load<i32>(steps) + total);
  return failed;
}

/** D = (a + λe)^(-1/2), and y = D⁻¹ x. */
function whiten(x: usize, diagonal: usize, lambda: f32, warm: bool): void {
  const l = f32x4.splat(lambda), one = f32x4.splat(1);
  for (let t: usize = 0; t < stride; t += 16) {
    const root = f32x4.sqrt(fma(v128.load(diagonal + stride + t), l, v128.load(diagonal + t)));
    v128.store(d + t, f32x4.div(one, root));
    if (warm) v128.store(x + t, f32x4.mul(v128.load(x + t), root));
  }
}

/** x = D y in place; returns Σ e x². */
function unwhiten(x: usize, e: usize): f64 {
  let squares = f32x4.splat(0);
  for (let t: usize = 0; t < stride; t += 16) {
    const value = f32x4.mul(v128.load(x + t), v128.load(d + t));
    v128.store(x + t, value);
    squares = fma(f32x4.mul(value, value), v128.load(e + t), squares);
  }
  return <f64>sumLanes(squares);
}

/**
 * Conjugate gradients from y = x (or 0) until |r| <= tolerance·|Σ b t|, `maxSteps` at most. The last step needs only
 * the inner products of a pass, not a new residual: half the work. Returns the steps taken, or -1.
 *
 * The objective of the row is f(y) = yᵀHy - 2 yᵀ Σ b t, with r = Σ b t - H y: f = -yᵀ(Σ b t) - yᵀr at the start, where
 * yᵀ(Σ b t) = Σ b (t·y), and each step along p lowers it by α rᵀr.
 */
function solveRow(y: usize, warm: bool, tolerance: f32, maxSteps: i32, loss: usize): i32 {
  clear(r, stride);
  sumRounding = 0;
  if (!warm) clear(y, stride);
  pass(PASS_RESIDUAL, y, r);
  let rr = subtract(y);
  let f = -sumTarget - startDotResidual;
  // Measured against the start's own objective, so that a tolerance means the same for light and heavy rows.
  const limit = tolerance * tolerance * (warm ? max<f32>(<f32>-f, rr) : rr);
  // The first direction is the residual, which most rows leave at that.
  let s = 0, p = r, pp = rr;
  while (s < maxSteps && rr > 0) {
    const last = s + 1 == maxSteps || rr <= limit;
    if (last) {
      pass(PASS_DOTS, p, ap);
    } else {
      copy(p, ap, stride);
      pass(PASS_PRODUCT, p, ap);
    }
    const curvature = <f32>(<f64>pp + sumSquare);
    const alpha = rr / curvature;
    if (!(curvature > 0) || !(abs(alpha) < Infinity)) return -1;
    axpy(alpha, p, y, stride);
    f -= <f64>alpha * <f64>rr;
    s++;
    if (last) break;
    if (p == r) { copy(r, direction, stride); p = direction; }
    axpy(-alpha, ap, r, stride);
    const next = dot(r, r, stride);
    const beta = f32x4.splat(next / rr);
    rr = next;
    for (let t: usize = 0; t < stride; t += 16) v128.store(p + t, fma(beta, v128.load(p + t), v128.load(r + t)));
    pp = dot(p, p, stride);
  }
  if (!(rr < Infinity) || !(abs(f) < Infinity)) return -1;
  store<f64>(loss, f);
  return s;
}

/** r -= y; returns r·r, and y·r in `startDotResidual`. */
@inline function subtract(y: usize): f32 {
  let a0 = f32x4.splat(0), a1 = a0, b0 = a0, b1 = a0;
  for (let t: usize = 0; t < stride; t += 32) {
    const y0 = v128.load(y + t), y1 = v128.load(y + t, 16);
    const r0 = f32x4.sub(v128.load(r + t), y0), r1 = f32x4.sub(v128.load(r + t, 16), y1);
    v128.store(r + t, r0); v128.store(r + t, r1, 16);
    a0 = fma(y0, r0, a0); a1 = fma(y1, r1, a1);
    b0 = fma(r0, r0, b0); b1 = fma(r1, r1, b1);
  }
  startDotResidual = <f64>sumLanes(f32x4.add(a0, a1));
  return sumLanes(f32x4.add(b0, b1));
}

// @ts-ignore: decorator
@inline const PASS_RESIDUAL: i32 = 0; // out += Σ (b - w t·v) t, sumTarget = Σ b t·v
// @ts-ignore: decorator
@inline const PASS_PRODUCT: i32 = 1; // out += Σ w (t·v) t, sumSquare = Σ w (t·v)²
// @ts-ignore: decorator
@inline const PASS_DOTS: i32 = 2; // sumSquare = Σ w (t·v)²

/** One pass over the row's entries. */
function pass(kind: i32, v: usize, out: usize): void {
  sumTarget = 0; sumSquare = 0;
  let from = v, to = out;
  if (scaled) {
    from = scaledVector; to = sum;
    for (let t: usize = 0; t < stride; t += 16) v128.store(from + t, f32x4.mul(v128.load(v + t), v128.load(d + t)));
    clear(to, stride);
  }
  const unit: f32 = coded ? encodeVector(from, stride, integers) : 1;
  if (coded) from = integers;
  if (capacity == 0) passEntries(kind, entries, from, unit, to);
  else {
    for (let start = 0; start < entries; start += capacity) {
      const count = min(capacity, entries - start);
      fetchEntries(start, count);
      passEntries(kind, count, from, unit, to);
    }
  }
  gathered = resident;
  if (scaled && kind != PASS_DOTS) {
    for (let t: usize = 0; t < stride; t += 16) v128.store(out + t, fma(v128.load(to + t), v128.load(d + t), v128.load(out + t)));
  }
}

/** How many entries `fetchEntries` brings at a time; 0 when the areas hold all entries of the row under way. */
let capacity: i32 = 0;
export function setCapacity(entries: i32): void { capacity = entries; }

/** Chunk by chunk, so that a chunk is summed up from the first level cache where its inner products have brought it. */
function passEntries(kind: i32, count: i32, v: usize, unit: f32, out: usize): void {
  for (let first = 0; first < count; first += CHUNK) {
    const rows = min(CHUNK, count - first), at = <usize>first << 2;
    if (!gathered) bring(first, rows);
    if (coded) passChunk(true, kind, rows, at, v, unit, out);
    else passChunk(false, kind, rows, at, v, unit, out);
  }
}

/** Brings the rows of a chunk into the first level cache. */
function bring(first: i32, rows: i32): void {
  const at = <usize>first << 2, to = tile + (resident ? <usize>first * rowBytes : 0);
  if (z == 0) {
    fetchRows(firstEntry + first, rows, to);
    for (let q: usize = 0, row = to; q < <usize>rows << 2; q += 4, row += rowBytes) store<u32>(places + at + q, <u32>row);
  } else {
    touch(places + at, rows, rowBytes);
    if (copied) copyRows(places + at, rows, rowBytes, to);
  }
}

/** The rows of a chunk, in groups of four, the last filled up with rows of zeros. */
@inline function passChunk(coded: bool, kind: i32, rows: i32, at: usize, v: usize, unit: f32, out: usize): void {
  const groups = (rows + 3) >> 2, end = <usize>rows << 2, group = coded ? stride << 1 : stride << 2;
  const vectorUnit = f32x4.splat(unit);
  let to = chunk, total = f32x4.splat(0), largest = total, rounding = total;
  for (let q: usize = 0; q < end; q += 16, to += group) {
    let from = places + at + q, unitsAt = units + at + q;
    if (q + 16 > end) { fillUp(at + q, end - q); from = tail; unitsAt = tail + 16; }
    let dots: v128, own = vectorUnit;
    if (coded) {
      own = v128.load(unitsAt);
      dots = kind == PASS_DOTS ? codeDots4(from, v, stride >> 2) : gatherCodeDots4(from, to, v, stride >> 2);
      dots = f32x4.mul(f32x4.convert_i32x4_s(dots), f32x4.mul(own, vectorUnit));
    } else {
      dots = kind == PASS_DOTS ? dots4(from, v, stride) : gatherDots4(from, to, v, stride);
    }
    const weight = v128.load(weights + at + q);
    let weighed = f32x4.mul(dots, weight);
    if (kind == PASS_RESIDUAL) {
      const target = v128.load(targets + at + q);
      total = fma(dots, target, total);
      if (coded) rounding = fma(weight, f32x4.mul(own, own), rounding);
      weighed = f32x4.sub(target, weighed);
    } else total = fma(dots, weighed, total);
    if (kind != PASS_DOTS) {
      if (coded) {
        weighed = f32x4.mul(weighed, own);
        largest = f32x4.pmax(largest, f32x4.abs(weighed));
      }
      v128.store(scalars + q, weighed);
    }
  }
  if (kind == PASS_RESIDUAL) { sumTarget += <f64>sumLanes(total); sumRounding += <f64>sumLanes(rounding); }
  else sumSquare += <f64>sumLanes(total);
  if (kind == PASS_DOTS) return;
  if (coded) {
    // Whole eights of them: what is behind the last group counts for nothing.
    const codes = scalars + (<usize>CHUNK << 2);
    const scalarUnit = encode(scalars, (<usize>groups << 4) + 31 & ~31, largestLane(largest), 32767, codes);
    addCodes(codes, groups, chunk, out, stride >> 2, scalarUnit);
  } else addRows(scalars, groups, chunk, out, stride);
}

/** The last `bytes / 4` entries' places and units, then rows of zeros, at `tail`. */
function fillUp(at: usize, bytes: usize): void {
  for (let t: usize = 0; t < 16; t += 4) {
    store<u32>(tail + t, t < bytes ? load<u32>(places + at + t) : <u32>zeros);
    store<f32>(tail + t, t < bytes ? load<f32>(units + at + t) : 0, 16);
  }
}
