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
import { CHUNK, touch, gather4, dots4, gatherDots4, addRows } from "./tile";
import { dot, axpy, copy, clear, fma, sumLanes } from "./simd";

/** Brings entries [start, start + count) of the row under way to the indices, weights and targets areas. */
// @ts-ignore: decorator
@external("env", "fetchEntries")
declare function fetchEntries(start: i32, count: i32): void;

/** Copies the rows of Z, which is outside this memory, that columns indices[0..count) have to `to`, one after the other. */
// @ts-ignore: decorator
@external("env", "fetchRows")
declare function fetchRows(indices: usize, count: i32, to: usize): void;

// What is the same for all rows of a call: the fixed side and the scratch area.
let z: usize = 0, rank: usize = 0, half: bool = false, stride: usize = 0;
let indices: usize = 0, weights: usize = 0, targets: usize = 0;
let tile: usize = 0, tileRows: i32 = 0, staging: usize = 0, places: usize = 0, scalars: usize = 0;
let r: usize = 0, direction: usize = 0, ap: usize = 0, d: usize = 0, scaledVector: usize = 0, sum: usize = 0, zeros: usize = 0;
let scaled: bool = false;
// The row under way: whether its rows of Z fit the tile, and are in it.
let entries: i32 = 0, resident: bool = false, gathered: bool = false;
// What a pass sums up beside its vector.
let sumTarget: f64 = 0, sumSquare: f64 = 0;

/** Where Z is, 0 when its rows come by `fetchRows`, and the place of each column in it. `format`: 0 float32, 1 bfloat16. */
export function setFixedSide(zAt: usize, rankAt: usize, format: i32, k: i32): void {
  z = zAt; rank = rankAt; half = format == 1; stride = <usize>k << 2;
}

/** Where the scratch areas are. `vectors`: seven, the last all zeros; `chunk`: see `place`; `staging`: a chunk of rows. */
export function setScratch(indicesAt: usize, weightsAt: usize, targetsAt: usize, tileAt: usize, rowsInTile: i32, vectors: usize, chunk: usize, stagingAt: usize): void {
  indices = indicesAt; weights = weightsAt; targets = targetsAt; tile = tileAt; tileRows = rowsInTile;
  places = chunk; scalars = chunk + (<usize>CHUNK << 2); staging = stagingAt;
  r = vectors; direction = r + stride; ap = direction + stride; d = ap + stride; scaledVector = d + stride; sum = scaledVector + stride; zeros = sum + stride;
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

/** The same for one-byte codes and a codebook of 256 values. */
export function weighCodes(codes: usize, count: i32, codebook: usize, alpha: f32, shift: f32): void {
  for (let q: usize = 0; q < <usize>count; q++) {
    const c = load<f32>(codebook + (<usize>load<u8>(codes + q) << 2)) * alpha;
    store<f32>(weights + (q << 2), abs(c) - shift);
    store<f32>(targets + (q << 2), max<f32>(c, 0));
  }
}

/**
 * Solves `rows` rows. `indptr`: rows + 1 offsets into the entries; `block`: rows × k, holds D⁻¹ times the start (x in the
 * whitened case, x itself when `m0` is given) and receives y or x; `m0`: the k eigenvalues α0Λ, or 0 when the basis is
 * whitened (D = I); `lambda`: λ of each row; `start`: 0 starts all rows at zero, else rows of at least `start` entries
 * are started from `block`. `losses` (two f64 a row): what the row adds to
 * the objective at its solution, Σ b²/c aside, and |x|² where `m0` is given.
 * `resident`: all entries are in the areas; else there is one row, whose entries come by `fetchEntries`.
 * Returns -1, or the row whose system is not positive definite or not finite.
 */
export function solveRows(rows: i32, indptr: usize, block: usize, m0: usize, lambda: usize, start: i32, isResident: i32, tolerance: f32, maxSteps: i32, losses: usize, steps: usize): i32 {
  const firstIndices = indices, firstWeights = weights, firstTargets = targets;
  let total = 0;
  for (let u = 0; u < rows; u++) {
    const begin = load<i32>(indptr + (<usize>u << 2));
    entries = load<i32>(indptr + (<usize>u << 2), 4) - begin;
    const x = block + <usize>u * stride;
    if (entries == 0) { clear(x, stride); store<f64>(losses + (<usize>u << 4), 0); store<f64>(losses + (<usize>u << 4), 0, 8); continue; }
    if (isResident) {
      indices = firstIndices + (<usize>begin << 2); weights = firstWeights + (<usize>begin << 2); targets = firstTargets + (<usize>begin << 2);
    }
    scaled = m0 != 0;
    const warm = start > 0 && entries >= start;
    if (scaled) whiten(x, m0, load<f32>(lambda + (<usize>u << 2)), warm);
    resident = isResident != 0 && entries <= tileRows;
    gathered = false;
    const taken = solveRow(x, warm, tolerance, maxSteps, losses + (<usize>u << 4));
    if (taken < 0) { indices = firstIndices; weights = firstWeights; targets = firstTargets; return u; }
    total += taken;
    if (scaled) { multiplyInto(x, d); store<f64>(losses + (<usize>u << 4), <f64>dot(x, x, stride), 8); }
  }
  indices = firstIndices; weights = firstWeights; targets = firstTargets;
  store<i32>(steps, load<i32>(steps) + total);
  return -1;
}

/** D = (α0Λ + λ)^(-1/2), and y = D⁻¹ x. */
function whiten(x: usize, m0: usize, lambda: f32, warm: bool): void {
  const l = f32x4.splat(lambda), one = f32x4.splat(1);
  for (let t: usize = 0; t < stride; t += 16) {
    const root = f32x4.sqrt(f32x4.add(v128.load(m0 + t), l));
    v128.store(d + t, f32x4.div(one, root));
    if (warm) v128.store(x + t, f32x4.mul(v128.load(x + t), root));
  }
}

function multiplyInto(x: usize, by: usize): void {
  for (let t: usize = 0; t < stride; t += 16) v128.store(x + t, f32x4.mul(v128.load(x + t), v128.load(by + t)));
}

/**
 * Conjugate gradients from y = x (or 0) until |r| <= tolerance·|Σ b t|, `maxSteps` at most. The last step needs only
 * the inner products of a pass, not a new residual: half the work. Returns the steps taken, or -1.
 *
 * The objective of the row is f(y) = yᵀHy - 2 yᵀ Σ b t, with r = Σ b t - H y: f = -yᵀ(Σ b t) - yᵀr at the start, where
 * yᵀ(Σ b t) = Σ b (t·y), and each step along p lowers it by α rᵀr.
 */
function solveRow(y: usize, warm: bool, tolerance: f32, maxSteps: i32, loss: usize): i32 {
  let f: f64 = 0;
  clear(r, stride);
  if (warm) {
    pass(PASS_RESIDUAL, y, r);
    axpy(-1, y, r, stride);
    f = -sumTarget - <f64>dot(y, r, stride);
  } else {
    clear(y, stride);
    pass(PASS_TARGET, y, r);
  }
  let rr = dot(r, r, stride);
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
  if (!(rr < Infinity)) return -1;
  store<f64>(loss, f);
  return s;
}

// @ts-ignore: decorator
@inline const PASS_RESIDUAL: i32 = 0; // out += Σ (b - w t·v) t, sumTarget = Σ b t·v
// @ts-ignore: decorator
@inline const PASS_PRODUCT: i32 = 1; // out += Σ w (t·v) t, sumSquare = Σ w (t·v)²
// @ts-ignore: decorator
@inline const PASS_DOTS: i32 = 2; // sumSquare = Σ w (t·v)²
// @ts-ignore: decorator
@inline const PASS_TARGET: i32 = 3; // out += Σ b t

/** One pass over the row's entries. */
function pass(kind: i32, v: usize, out: usize): void {
  sumTarget = 0; sumSquare = 0;
  let from = v, to = out;
  if (scaled) {
    from = scaledVector; to = sum;
    for (let t: usize = 0; t < stride; t += 16) v128.store(from + t, f32x4.mul(v128.load(v + t), v128.load(d + t)));
    clear(to, stride);
  }
  if (capacity == 0) passEntries(kind, entries, from, to);
  else {
    for (let start = 0; start < entries; start += capacity) {
      const count = min(capacity, entries - start);
      fetchEntries(start, count);
      passEntries(kind, count, from, to);
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
function passEntries(kind: i32, count: i32, v: usize, out: usize): void {
  const bytes = half ? stride >> 1 : stride;
  for (let first = 0; first < count; first += CHUNK) {
    const rows = min(CHUNK, count - first), at = <usize>first << 2;
    const chunk = resident ? tile + <usize>first * bytes : tile;
    if (!gathered) place(indices + at, rows, bytes);
    if (half) passChunk(true, kind, rows, weights + at, targets + at, chunk, v, out);
    else passChunk(false, kind, rows, weights + at, targets + at, chunk, v, out);
  }
}

/** Where the rows of a chunk are, the last group filled up with rows of zeros, and their lines in the cache. */
function place(indices: usize, rows: i32, bytes: usize): void {
  let q: usize = 0;
  const end = <usize>rows << 2;
  if (z == 0) {
    fetchRows(indices, rows, staging);
    for (let row = staging; q < end; q += 4, row += bytes) store<u32>(places + q, <u32>row);
  } else {
    for (; q < end; q += 4) {
      const place = <usize>load<u32>(rank + (<usize>load<u32>(indices + q) << 2));
      store<u32>(places + q, <u32>(z + place * bytes));
    }
    touch(places, rows, bytes);
  }
  for (; q & 15; q += 4) store<u32>(places + q, <u32>zeros);
}

@inline function passChunk(half: bool, kind: i32, rows: i32, w: usize, b: usize, chunk: usize, v: usize, out: usize): void {
  const groups = (rows + 3) >> 2, group = half ? stride << 1 : stride << 2, end = <usize>groups << 4;
  let at = chunk;
  if (kind == PASS_TARGET) {
    if (!gathered) for (let q: usize = 0; q < end; q += 16, at += group) gather4(places + q, at, group >> 2);
    addRows(half, b, groups, chunk, out, stride);
    return;
  }
  let sum = f32x4.splat(0);
  for (let q: usize = 0; q < end; q += 16, at += group) {
    const dots = gathered ? dots4(half, at, v, stride) : gatherDots4(half, places + q, at, v, stride);
    const weight = v128.load(w + q), weighed = f32x4.mul(dots, weight);
    if (kind == PASS_RESIDUAL) {
      const target = v128.load(b + q);
      sum = fma(dots, target, sum);
      v128.store(scalars + q, f32x4.sub(target, weighed));
    } else {
      sum = fma(dots, weighed, sum);
      v128.store(scalars + q, weighed);
    }
  }
  if (kind == PASS_RESIDUAL) sumTarget += <f64>sumLanes(sum);
  else sumSquare += <f64>sumLanes(sum);
  if (kind != PASS_DOTS) addRows(half, scalars, groups, chunk, out, stride);
}
