// Conjugate gradients for the rows of one side.
//
// In the basis that the fixed side is brought to, the system of a row is
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
//
// With a prior q, which the row is regularised towards in place of zero, the right-hand side is Σ b z + q in the first form and
// Σ b t + D q in the second, q = λ P p in the basis of Z. The matrix stays.
import { enterRow } from "./entries";
import { beginRow, quantized, d, pass, PASS_DOTS, PASS_PRODUCT, PASS_RESIDUAL, stride, sumRounding, sumSquare, sumTarget, vectors } from "./pass";
import { dot, axpy, copy, clear, fma, sumLanes } from "../simd";

/** Beside what `measure` returns: y·r. */
let startDotResidual: f64 = 0;
/** |x|² of the row that was solved last. */
let squaredNorm: f32 = 0;

/**
 * Solves `rows` rows. `indptr`: rows + 1 offsets into the entries; `block`: rows × k, holds D⁻¹ times the start (x in the
 * whitened case, x itself when `diagonal` is given) and receives y or x; `diagonal`: 0 when the basis is whitened (D = I), else
 * 2 × k, a and e of D⁻² = a + λe; `lambda`: λ of each row; `priors`: rows × k, q of each row, 0 for none; in place they become
 * D q; `isWarm`: rows start from `block`, else at zero. `losses` (three f64 per row): what the row adds to the objective at its
 * solution, Σ b²/c aside; Σ e x² where `diagonal` is given; x·q.
 * `isResident`: all entries are in the areas; else there is one row, whose entries come by `fetchEntries`.
 * Returns -1, or the row whose system is not positive definite or not finite.
 */
export function solveRows(rows: i32, indptr: usize, block: usize, diagonal: usize, lambda: usize, priors: usize, isWarm: i32, isResident: i32, tolerance: f32, maxSteps: i32, losses: usize, steps: usize): i32 {
  let total = 0, failed = -1;
  const scaled = diagonal != 0, warm = isWarm != 0;
  for (let u = 0; u < rows; u++, losses += 24) {
    const begin = load<i32>(indptr + (<usize>u << 2));
    const entries = load<i32>(indptr + (<usize>u << 2), 4) - begin;
    const x = block + <usize>u * stride;
    if (entries == 0) { clear(x, stride); store<f64>(losses, 0); store<f64>(losses, 0, 8); store<f64>(losses, 0, 16); continue; }
    beginRow(begin, entries, scaled, isResident != 0);
    if (scaled) whiten(x, diagonal, load<f32>(lambda + (<usize>u << 2)), warm);
    const prior = priors ? priors + <usize>u * stride : 0;
    if (prior && scaled) multiplyByD(prior);
    const taken = solveRow(x, prior, warm, tolerance, maxSteps, losses);
    if (taken < 0) { failed = u; break; }
    total += taken;
    store<f64>(losses, prior ? <f64>dot(x, prior, stride) : 0, 16);
    if (scaled) store<f64>(losses, unwhiten(x, diagonal + stride), 8);
    // The rounding of Z adds Σ w u²/12 to the diagonal on average, u the scale of an entry's codes. Without that the loss is
    // within 5e-5 of the objective on S with ials, and above it by 1.2e-4 with it.
    if (quantized) store<f64>(losses, load<f64>(losses) - sumRounding / 12 * <f64>squaredNorm);
  }
  enterRow(0);
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

/** q becomes D q. */
function multiplyByD(q: usize): void {
  for (let t: usize = 0; t < stride; t += 16) v128.store(q + t, f32x4.mul(v128.load(q + t), v128.load(d + t)));
}

/** x = D y in place; returns Σ e x², |x|² goes to `squaredNorm`. */
function unwhiten(x: usize, e: usize): f64 {
  let squares = f32x4.splat(0), plain = squares;
  for (let t: usize = 0; t < stride; t += 16) {
    const value = f32x4.mul(v128.load(x + t), v128.load(d + t));
    v128.store(x + t, value);
    const square = f32x4.mul(value, value);
    squares = fma(square, v128.load(e + t), squares);
    plain = f32x4.add(plain, square);
  }
  squaredNorm = sumLanes(plain);
  return <f64>sumLanes(squares);
}

/**
 * Conjugate gradients from y = x (or 0) until |r| <= tolerance·|Σ b t|, `maxSteps` at most. `q`: the row's prior, 0 for none. The last step needs only
 * the inner products of a pass, not a new residual: half the work. Returns the steps taken, or -1.
 *
 * The objective of the row is f(y) = yᵀHy - 2 yᵀ(Σ b t + q), with r = Σ b t + q - H y: f = -yᵀ(Σ b t) - yᵀq - yᵀr at the start,
 * where yᵀ(Σ b t) = Σ b (t·y), and each step along p lowers it by α rᵀp.
 */
function solveRow(y: usize, q: usize, warm: bool, tolerance: f32, maxSteps: i32, loss: usize): i32 {
  const r = vectors, direction = r + stride, ap = direction + stride;
  if (!warm) clear(y, stride);
  negate(y, r);
  pass(PASS_RESIDUAL, y, r);
  let f = -sumTarget;
  if (q) {
    axpy(1, q, r, stride);
    f -= <f64>dot(y, q, stride);
  }
  let rr = measure(r, y);
  f -= startDotResidual;
  // Measured against the start's own objective, so that a tolerance means the same for light and heavy rows.
  const limit = tolerance * tolerance * (warm ? max<f32>(<f32>-f, rr) : rr);
  // The first direction is the residual, which most rows leave at that.
  let s = 0, p = r, pp = rr;
  while (s < maxSteps && rr > 0) {
    const last = s + 1 == maxSteps || rr <= limit;
    if (last) pass(PASS_DOTS, p, ap);
    else {
      copy(p, ap, stride);
      pass(PASS_PRODUCT, p, ap);
    }
    const curvature = <f32>(<f64>pp + sumSquare);
    // p·r = r·r
    const alpha = rr / curvature;
    if (!(curvature > 0) || !(abs(alpha) < Infinity)) return -1;
    squaredNorm = step(alpha, p, y);
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
  if (s == 0) squaredNorm = dot(y, y, stride);
  if (!(rr < Infinity) || !(abs(f) < Infinity)) return -1;
  store<f64>(loss, f);
  return s;
}

/** r = -y. */
@inline function negate(y: usize, r: usize): void {
  for (let t: usize = 0; t < stride; t += 16) v128.store(r + t, f32x4.neg(v128.load(y + t)));
}

/** r·r; y·r goes beside it. */
@inline function measure(r: usize, y: usize): f32 {
  let a0 = f32x4.splat(0), a1 = a0, b0 = a0, b1 = a0;
  for (let t: usize = 0; t < stride; t += 32) {
    const r0 = v128.load(r + t), r1 = v128.load(r + t, 16);
    a0 = fma(v128.load(y + t), r0, a0); a1 = fma(v128.load(y + t, 16), r1, a1);
    b0 = fma(r0, r0, b0); b1 = fma(r1, r1, b1);
  }
  startDotResidual = <f64>sumLanes(f32x4.add(a0, a1));
  return sumLanes(f32x4.add(b0, b1));
}

/** y += α p; returns y·y. */
@inline function step(alpha: f32, p: usize, y: usize): f32 {
  const a = f32x4.splat(alpha);
  let s0 = f32x4.splat(0), s1 = s0;
  for (let t: usize = 0; t < stride; t += 32) {
    const y0 = fma(a, v128.load(p + t), v128.load(y + t)), y1 = fma(a, v128.load(p + t, 16), v128.load(y + t, 16));
    v128.store(y + t, y0); v128.store(y + t, y1, 16);
    s0 = fma(y0, y0, s0); s1 = fma(y1, y1, s1);
  }
  return sumLanes(f32x4.add(s0, s1));
}
