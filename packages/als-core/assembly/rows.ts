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
import { gather, dots4, axpy4 } from "./tile";
import { dot, axpy, fma, sumLanes } from "./simd";

/** Brings entries [start, start + count) of the row under way to the indices, weights and targets areas. */
// @ts-ignore: decorator
@external("env", "fetchEntries")
declare function fetchEntries(start: i32, count: i32): void;

/** Copies the rows indices[0..count) of Z, which is outside this memory, to `to`, one after the other. */
// @ts-ignore: decorator
@external("env", "fetchRows")
declare function fetchRows(indices: usize, count: i32, to: usize): void;

// What is the same for all rows of a call: the fixed side and the scratch area.
let z: usize = 0, half: bool = false, outside: bool = false, stride: usize = 0;
let indices: usize = 0, weights: usize = 0, targets: usize = 0;
let tile: usize = 0, tileRows: i32 = 0, staging: usize = 0, identity: usize = 0;
let r: usize = 0, p: usize = 0, ap: usize = 0, d: usize = 0, scaledVector: usize = 0, sum: usize = 0;
let scaled: bool = false;
// The row under way.
let entries: i32 = 0, resident: bool = false;
// What a pass sums up beside its vector.
let sumTarget: f64 = 0, sumSquare: f64 = 0;

/** Where Z is and what it looks like. `format`: 0 float32, 1 bfloat16; `outside`: rows come by `fetchRows`. */
export function setFixedSide(zAt: usize, format: i32, isOutside: i32, k: i32): void {
  z = zAt; half = format == 1; outside = isOutside != 0; stride = <usize>k << 2;
}

/** Where the scratch areas are. `vectors`: room for six vectors; `staging`, `identity`: see `load`. */
export function setScratch(indicesAt: usize, weightsAt: usize, targetsAt: usize, tileAt: usize, rowsInTile: i32, vectors: usize, stagingAt: usize, identityAt: usize): void {
  indices = indicesAt; weights = weightsAt; targets = targetsAt; tile = tileAt; tileRows = rowsInTile;
  staging = stagingAt; identity = identityAt;
  r = vectors; p = r + stride; ap = p + stride; d = ap + stride; scaledVector = d + stride; sum = scaledVector + stride;
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
    if (entries == 0) { memory.fill(x, 0, stride); store<f64>(losses + (<usize>u << 4), 0); store<f64>(losses + (<usize>u << 4), 0, 8); continue; }
    if (isResident) {
      indices = firstIndices + (<usize>begin << 2); weights = firstWeights + (<usize>begin << 2); targets = firstTargets + (<usize>begin << 2);
    }
    scaled = m0 != 0;
    const warm = start > 0 && entries >= start;
    if (scaled) whiten(x, m0, load<f32>(lambda + (<usize>u << 2)), warm);
    resident = isResident != 0 && entries <= tileRows;
    if (resident) fillTile(0, entries);
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
  if (warm) {
    for (let t: usize = 0; t < stride; t += 16) v128.store(r + t, f32x4.neg(v128.load(y + t)));
    pass(PASS_RESIDUAL, y, r);
    f = -sumTarget - <f64>dot(y, r, stride);
  } else {
    memory.fill(y, 0, stride);
    memory.fill(r, 0, stride);
    pass(PASS_TARGET, y, r);
  }
  let rr = dot(r, r, stride);
  memory.copy(p, r, stride);
  // Measured against the start's own objective, so that a tolerance means the same for light and heavy rows.
  const limit = tolerance * tolerance * (warm ? max<f32>(<f32>-f, rr) : rr);
  let s = 0;
  while (s < maxSteps && rr > 0) {
    const pp = dot(p, p, stride);
    const last = s + 1 == maxSteps || rr <= limit;
    if (last) {
      pass(PASS_DOTS, p, ap);
    } else {
      memory.copy(ap, p, stride);
      pass(PASS_PRODUCT, p, ap);
    }
    const curvature = <f32>(<f64>pp + sumSquare);
    const alpha = rr / curvature;
    if (!(curvature > 0) || !(abs(alpha) < Infinity)) return -1;
    axpy(alpha, p, y, stride);
    f -= <f64>alpha * <f64>rr;
    s++;
    if (last) break;
    axpy(-alpha, ap, r, stride);
    const next = dot(r, r, stride);
    const beta = f32x4.splat(next / rr);
    rr = next;
    for (let t: usize = 0; t < stride; t += 16) v128.store(p + t, fma(beta, v128.load(p + t), v128.load(r + t)));
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

/** One pass over the row's entries: over the tile when they fit, else piece by piece. */
function pass(kind: i32, v: usize, out: usize): void {
  sumTarget = 0; sumSquare = 0;
  let from = v, to = out;
  if (scaled) {
    from = scaledVector; to = sum;
    for (let t: usize = 0; t < stride; t += 16) v128.store(from + t, f32x4.mul(v128.load(v + t), v128.load(d + t)));
    memory.fill(to, 0, stride);
  }
  if (resident) passTile(kind, entries, weights, targets, from, to);
  else if (capacity == 0) passPieces(kind, entries, from, to);
  else {
    for (let start = 0; start < entries; start += capacity) {
      const count = min(capacity, entries - start);
      fetchEntries(start, count);
      passPieces(kind, count, from, to);
    }
  }
  if (scaled && kind != PASS_DOTS) {
    for (let t: usize = 0; t < stride; t += 16) v128.store(out + t, fma(v128.load(to + t), v128.load(d + t), v128.load(out + t)));
  }
}

/** How many entries `fetchEntries` brings at a time; 0 when the areas hold all entries of the row under way. */
let capacity: i32 = 0;
export function setCapacity(entries: i32): void { capacity = entries; }

/** Rows of a piece: 64 KB at k = 128, read again from the second-level cache. */
// @ts-ignore: decorator
@inline const PIECE_ROWS: i32 = 256;

/** A row that is too long for the tile goes through it in pieces. */
function passPieces(kind: i32, count: i32, v: usize, out: usize): void {
  const most = min(PIECE_ROWS, tileRows);
  for (let q = 0; q < count; q += most) {
    const rows = min(most, count - q), at = <usize>q << 2;
    fillTile(at, rows);
    passTile(kind, rows, weights + at, targets + at, v, out);
  }
}

/** Fills the tile with `count` entries, from `at` bytes into the areas on. */
function fillTile(at: usize, count: i32): void {
  const bytes = half ? stride >> 1 : stride;
  if (outside) {
    fetchRows(indices + at, count, staging);
    gather(staging, identity, count, bytes, tile, false);
  } else gather(z, indices + at, count, bytes, tile, true);
}

function passTile(kind: i32, count: i32, w: usize, b: usize, v: usize, out: usize): void {
  if (half) passFormat(true, kind, count, w, b, v, out);
  else passFormat(false, kind, count, w, b, v, out);
}

@inline function passFormat(half: bool, kind: i32, count: i32, w: usize, b: usize, v: usize, out: usize): void {
  const groups = (count + 3) >> 2, group = half ? stride << 1 : stride << 2;
  let at = tile;
  let sum = f32x4.splat(0);
  if (kind == PASS_DOTS) {
    for (let g = 0; g < groups; g++, at += group, w += 16) {
      const dots = dots4(half, at, v, stride);
      sum = fma(f32x4.mul(dots, dots), v128.load(w), sum);
    }
    sumSquare += <f64>sumLanes(sum);
  } else if (kind == PASS_PRODUCT) {
    for (let g = 0; g < groups; g++, at += group, w += 16) {
      const dots = dots4(half, at, v, stride), s = f32x4.mul(dots, v128.load(w));
      sum = fma(dots, s, sum);
      axpy4(half, s, at, out, stride);
    }
    sumSquare += <f64>sumLanes(sum);
  } else if (kind == PASS_RESIDUAL) {
    for (let g = 0; g < groups; g++, at += group, w += 16, b += 16) {
      const dots = dots4(half, at, v, stride), target = v128.load(b);
      sum = fma(dots, target, sum);
      axpy4(half, f32x4.sub(target, f32x4.mul(dots, v128.load(w))), at, out, stride);
    }
    sumTarget += <f64>sumLanes(sum);
  } else {
    for (let g = 0; g < groups; g++, at += group, b += 16) {
      axpy4(half, v128.load(b), at, out, stride);
    }
  }
}
