// Dense float64 algebra on k×k matrices, once per half-sweep: products, Cholesky, the symmetric eigenproblem. Matrices are
// row-major; a row is `stride` doubles long, a multiple of 4, and zero beyond column n.

@inline function fma64(a: v128, b: v128, c: v128): v128 {
  if (ASC_FEATURE_RELAXED_SIMD) return f64x2.relaxed_madd(a, b, c);
  return f64x2.add(f64x2.mul(a, b), c);
}
@inline function at(a: usize, row: i32, column: i32, stride: i32): usize {
  return a + ((<usize>row * <usize>stride + <usize>column) << 3);
}
@inline function dotRange(a: usize, b: usize, from: i32, to: i32): f64 {
  let s0 = f64x2.splat(0), s1 = s0;
  for (let t = <usize>(from & ~3) << 3, end = <usize>to << 3; t < end; t += 32) {
    s0 = fma64(v128.load(a + t), v128.load(b + t), s0);
    s1 = fma64(v128.load(a + t, 16), v128.load(b + t, 16), s1);
  }
  s0 = f64x2.add(s0, s1);
  return f64x2.extract_lane(s0, 0) + f64x2.extract_lane(s0, 1);
}
@inline function axpyRange(s: f64, x: usize, y: usize, from: i32, to: i32): void {
  const v = f64x2.splat(s);
  for (let t = <usize>(from & ~3) << 3, end = <usize>to << 3; t < end; t += 32) {
    v128.store(y + t, fma64(v, v128.load(x + t), v128.load(y + t)));
    v128.store(y + t, fma64(v, v128.load(x + t, 16), v128.load(y + t, 16)), 16);
  }
}

/** Zeros that `product` need not multiply, to be added up. */
// @ts-ignore: decorator
@inline const A_LOWER: i32 = 1, A_UPPER: i32 = 2, B_LOWER: i32 = 4, B_UPPER: i32 = 8;

/**
 * C = A·B, four rows by four columns in registers. `triangles`: which of A and B are triangular. `panel`, room for n rows of 32
 * bytes, takes four columns of B at a time, which would fall into few sets of the first level cache.
 */
export function product(a: usize, b: usize, c: usize, n: i32, stride: i32, triangles: i32, panel: usize): void {
  const bytes = <usize>stride << 3;
  for (let j = 0; j < stride; j += 4) {
    for (let t = 0, from = at(b, 0, j, stride), to = panel; t < n; t++, from += bytes, to += 32) {
      v128.store(to, v128.load(from)); v128.store(to, v128.load(from, 16), 16);
    }
    for (let i = 0; i < n; i += 4) {
      const a0 = at(a, i, 0, stride);
      const a1 = i + 1 < n ? a0 + bytes : a0, a2 = i + 2 < n ? a1 + bytes : a0, a3 = i + 3 < n ? a2 + bytes : a0;
      let c00 = f64x2.splat(0), c01 = c00, c10 = c00, c11 = c00, c20 = c00, c21 = c00, c30 = c00, c31 = c00;
      const first = max(triangles & A_UPPER ? i : 0, triangles & B_LOWER ? j : 0);
      const last = min(n, min(triangles & A_LOWER ? i + 4 : n, triangles & B_UPPER ? j + 4 : n));
      let p = panel + (<usize>first << 5);
      for (let t = <usize>first << 3, end = <usize>max(first, last) << 3; t < end; t += 8, p += 32) {
        const b0 = v128.load(p), b1 = v128.load(p, 16);
        let s = v128.load64_splat(a0 + t);
        c00 = fma64(s, b0, c00); c01 = fma64(s, b1, c01);
        s = v128.load64_splat(a1 + t);
        c10 = fma64(s, b0, c10); c11 = fma64(s, b1, c11);
        s = v128.load64_splat(a2 + t);
        c20 = fma64(s, b0, c20); c21 = fma64(s, b1, c21);
        s = v128.load64_splat(a3 + t);
        c30 = fma64(s, b0, c30); c31 = fma64(s, b1, c31);
      }
      const o = at(c, i, j, stride);
      v128.store(o, c00); v128.store(o, c01, 16);
      if (i + 1 < n) { v128.store(o + bytes, c10); v128.store(o + bytes, c11, 16); }
      if (i + 2 < n) { v128.store(o + 2 * bytes, c20); v128.store(o + 2 * bytes, c21, 16); }
      if (i + 3 < n) { v128.store(o + 3 * bytes, c30); v128.store(o + 3 * bytes, c31, 16); }
    }
  }
}

/** L of A = L·Lᵀ, in place, zero above the diagonal. Returns -1, or the column where A is not positive definite. */
export function cholesky(a: usize, n: i32, stride: i32): i32 {
  for (let i = 0; i < n; i++) {
    const row = at(a, i, 0, stride);
    memory.fill(at(a, i, i + 1, stride), 0, <usize>(stride - i - 1) << 3);
    for (let j = 0; j <= i; j++) {
      // Row j of L is zero beyond column j, so that whole vectors may be read; its own column j is taken out again.
      const other = at(a, j, 0, stride);
      let s = load<f64>(row + (<usize>j << 3));
      let dots: f64 = 0;
      const whole = j & ~3;
      if (whole > 0) dots = dotRange(row, other, 0, whole);
      for (let t = whole; t < j; t++) dots += load<f64>(row + (<usize>t << 3)) * load<f64>(other + (<usize>t << 3));
      s -= dots;
      if (i == j) {
        if (!(s > 0)) return i;
        store<f64>(row + (<usize>i << 3), Math.sqrt(s));
      } else store<f64>(row + (<usize>j << 3), s / load<f64>(other + (<usize>j << 3)));
    }
  }
  return -1;
}

/** The inverse of lower triangular L. */
export function invertLower(l: usize, inverse: usize, n: i32, stride: i32): void {
  for (let i = 0; i < n; i++) {
    const row = at(inverse, i, 0, stride);
    memory.fill(row, 0, <usize>stride << 3);
    for (let t = 0; t < i; t++) axpyRange(-load<f64>(at(l, i, t, stride)), at(inverse, t, 0, stride), row, 0, t + 1);
    const d = 1 / load<f64>(at(l, i, i, stride));
    for (let j = 0; j < i; j++) store<f64>(row + (<usize>j << 3), load<f64>(row + (<usize>j << 3)) * d);
    store<f64>(row + (<usize>i << 3), d);
  }
}

// The symmetric eigenproblem: Householder reduction to tridiagonal form, implicit QL on the tridiagonal matrix, with its rotations
// written down, and the rotations and reflections applied to the identity (Golub and Van Loan, 8.3). They are applied to a
// slice of columns or rows at a time, which stays in the cache (a third of the time at n = 512), and from one matrix to
// another, so that a slice can be done again if the thread that had it dies.

/** Columns or rows of a slice. */
// @ts-ignore: decorator
@inline const SLICE: i32 = 32;

/** Row of the tridiagonal matrix that QL works on, and its steps there so far. */
let qlRow: i32 = 0, qlSteps: i32 = 0;

/**
 * Begins: A becomes the reflections of its reduction, `vectors` the identity and `values` the diagonal. `work` is 5 strides of
 * doubles.
 */
export function beginEigen(a: usize, n: i32, stride: i32, vectors: usize, values: usize, work: usize): void {
  const row = <usize>stride << 3;
  memory.fill(work, 0, row * 5);
  tridiagonalize(a, n, stride, values, work, work + row, work + 2 * row);
  memory.fill(vectors, 0, row * <usize>n);
  for (let i = 0; i < n; i++) store<f64>(at(vectors, i, i, stride), 1);
  qlRow = 0; qlSteps = 0;
}

/**
 * Goes on with QL until `rotations`, room for `most` of 24 bytes, is full. Returns how many there are; 0 when `values` are the
 * eigenvalues; -1 when QL does not converge.
 */
export function nextRotations(n: i32, values: usize, work: usize, rotations: usize, most: i32): i32 {
  let count = 0;
  for (; qlRow < n; qlRow++, qlSteps = 0) {
    for (; ; qlSteps++) {
      let m = qlRow;
      for (; m < n - 1; m++) {
        const size = Math.abs(load<f64>(values + (<usize>m << 3))) + Math.abs(load<f64>(values + (<usize>m << 3), 8));
        if (Math.abs(load<f64>(work + (<usize>m << 3))) <= 1.1e-16 * size) break;
      }
      if (m == qlRow) break;
      if (qlSteps == 60) return -1;
      if (count + m - qlRow > most) return count;
      count = qlStep(values, work, qlRow, m, rotations, count);
    }
  }
  return count;
}

/**
 * A = H·T·Hᵀ; the diagonal of T in `diagonal`, the one below in `off`. Reflection j, I - β v vᵀ, is left in row j of A
 * from column j + 1 on. The update of one column and the product with the next reflection are one pass over A.
 */
function tridiagonalize(a: usize, n: i32, stride: i32, diagonal: usize, off: usize, betas: usize, work: usize): void {
  const row = <usize>stride << 3;
  const v = work, w = work + row, p = work + 2 * row;
  let pending = false;
  for (let j = 0; j < n; j++) {
    const x = at(a, j, 0, stride);
    if (pending) {
      const vj = load<f64>(v + (<usize>j << 3)), wj = load<f64>(w + (<usize>j << 3));
      axpyRange(-vj, w, x, j, n);
      axpyRange(-wj, v, x, j, n);
    }
    store<f64>(diagonal + (<usize>j << 3), load<f64>(x + (<usize>j << 3)));
    if (j == n - 1) break;
    // The reflection that leaves only the first of x[j+1..].
    for (let t = j & ~3; t <= j; t++) store<f64>(x + (<usize>t << 3), 0);
    const first = x + (<usize>(j + 1) << 3);
    const head = load<f64>(first);
    const norm = Math.sqrt(dotRange(x, x, j + 1, n));
    const rest = norm * norm - head * head;
    let beta: f64 = 0;
    if (j < n - 2 && rest > 1e-300 && norm > 0) {
      const alpha = head > 0 ? -norm : norm;
      store<f64>(first, head - alpha);
      beta = 2 / dotRange(x, x, j + 1, n);
      store<f64>(off + (<usize>j << 3), alpha);
    } else store<f64>(off + (<usize>j << 3), head);
    store<f64>(betas + (<usize>j << 3), beta);
    // Rows j+1..: the pending update, and p = β A v.
    for (let i = j + 1; i < n; i++) {
      const target = at(a, i, 0, stride);
      const product = pending
        ? updateRow(-load<f64>(v + (<usize>i << 3)), w, -load<f64>(w + (<usize>i << 3)), v, target, x, j + 1, n)
        : dotRange(target, x, j + 1, n);
      store<f64>(p + (<usize>i << 3), beta * product);
    }
    // w = p - β/2 (v·p) v
    memory.copy(v, x, row);
    for (let t = 0; t <= j; t++) { store<f64>(v + (<usize>t << 3), 0); store<f64>(p + (<usize>t << 3), 0); }
    memory.copy(w, p, row);
    axpyRange(-0.5 * beta * dotRange(v, p, j + 1, n), v, w, j + 1, n);
    pending = beta != 0;
  }
}

/** target += s·x + u·y; returns the inner product of target and v. */
@inline function updateRow(s: f64, x: usize, u: f64, y: usize, target: usize, v: usize, from: i32, to: i32): f64 {
  const sv = f64x2.splat(s), uv = f64x2.splat(u);
  let d0 = f64x2.splat(0), d1 = d0;
  for (let t = <usize>(from & ~3) << 3, end = <usize>to << 3; t < end; t += 32) {
    const a0 = fma64(sv, v128.load(x + t), fma64(uv, v128.load(y + t), v128.load(target + t)));
    const a1 = fma64(sv, v128.load(x + t, 16), fma64(uv, v128.load(y + t, 16), v128.load(target + t, 16)));
    v128.store(target + t, a0); v128.store(target + t, a1, 16);
    d0 = fma64(a0, v128.load(v + t), d0); d1 = fma64(a1, v128.load(v + t, 16), d1);
  }
  return sum64(f64x2.add(d0, d1));
}

/** One implicit QL step on rows l..m of the tridiagonal matrix; writes its rotations down. */
function qlStep(d: usize, e: usize, l: i32, m: i32, rotations: usize, count: i32): i32 {
  const dl = load<f64>(d + (<usize>l << 3)), el = load<f64>(e + (<usize>l << 3));
  let g = (load<f64>(d + (<usize>l << 3), 8) - dl) / (2 * el);
  let r = Math.sqrt(g * g + 1);
  g = load<f64>(d + (<usize>m << 3)) - dl + el / (g + (g >= 0 ? r : -r));
  let s: f64 = 1, c: f64 = 1, p: f64 = 0;
  for (let i = m - 1; i >= l; i--) {
    const di = d + (<usize>i << 3), ei = e + (<usize>i << 3);
    const f = s * load<f64>(ei), b = c * load<f64>(ei);
    r = Math.sqrt(f * f + g * g);
    store<f64>(ei, r, 8);
    if (r == 0) {
      store<f64>(di, load<f64>(di, 8) - p, 8);
      store<f64>(e + (<usize>m << 3), 0);
      return count;
    }
    s = f / r; c = g / r;
    g = load<f64>(di, 8) - p;
    r = (load<f64>(di) - g) * s + 2 * c * b;
    p = s * r;
    store<f64>(di, g + p, 8);
    g = c * r - b;
    const o = rotations + <usize>count * 24;
    store<f64>(o, c); store<f64>(o, s, 8); store<i32>(o, i, 16);
    count++;
  }
  store<f64>(d + (<usize>l << 3), dl - p);
  store<f64>(e + (<usize>l << 3), g);
  store<f64>(e + (<usize>m << 3), 0);
  return count;
}

/** `to` = `from` in a slice of columns, with rotations applied to rows i and i + 1. */
export function applyRotations(from: usize, to: usize, n: i32, stride: i32, rotations: usize, count: i32, slice: i32): void {
  const row = <usize>stride << 3, first = <usize>(slice * SLICE) << 3, bytes = min(row - first, <usize>SLICE << 3);
  for (let i = 0; i < n; i++) memory.copy(at(to, i, slice * SLICE, stride), at(from, i, slice * SLICE, stride), bytes);
  for (let q = 0; q < count; q++) {
    const o = rotations + <usize>q * 24;
    const c = v128.load64_splat(o), s = v128.load64_splat(o, 8), minus = f64x2.neg(s);
    let t = to + <usize>load<i32>(o, 16) * row + first;
    for (const end = t + bytes; t < end; t += 32) {
      const x = v128.load(t), y = v128.load(t + row), x1 = v128.load(t, 16), y1 = v128.load(t + row, 16);
      v128.store(t + row, fma64(s, x, f64x2.mul(c, y))); v128.store(t + row, fma64(s, x1, f64x2.mul(c, y1)), 16);
      v128.store(t, fma64(minus, y, f64x2.mul(c, x))); v128.store(t, fma64(minus, y1, f64x2.mul(c, x1)), 16);
    }
  }
}

/**
 * `to` = `from` in a slice of rows, each row z made (I - β v vᵀ) z for the reflections in A's rows, last to first; four rows at a
 * time. Both have n rows rounded up to a multiple of four.
 */
export function applyReflections(from: usize, to: usize, n: i32, stride: i32, a: usize, work: usize, slice: i32): void {
  const row = <usize>stride << 3, betas = work + row, last = min(stride, (slice + 1) * SLICE);
  memory.copy(at(to, slice * SLICE, 0, stride), at(from, slice * SLICE, 0, stride), <usize>(last - slice * SLICE) * row);
  for (let i = slice * SLICE; i < last; i += 4) {
    const z0 = to + <usize>i * row, z1 = z0 + row, z2 = z1 + row, z3 = z2 + row;
    for (let j = n - 3; j >= 0; j--) {
      const beta = load<f64>(betas + (<usize>j << 3));
      if (beta == 0) continue;
      const v = at(a, j, 0, stride), begin = <usize>((j + 1) & ~3) << 3;
      let s0 = f64x2.splat(0), s1 = s0, s2 = s0, s3 = s0, r0 = s0, r1 = s0, r2 = s0, r3 = s0;
      for (let t = begin; t < row; t += 32) {
        const x = v128.load(v + t), y = v128.load(v + t, 16);
        s0 = fma64(x, v128.load(z0 + t), s0); r0 = fma64(y, v128.load(z0 + t, 16), r0);
        s1 = fma64(x, v128.load(z1 + t), s1); r1 = fma64(y, v128.load(z1 + t, 16), r1);
        s2 = fma64(x, v128.load(z2 + t), s2); r2 = fma64(y, v128.load(z2 + t, 16), r2);
        s3 = fma64(x, v128.load(z3 + t), s3); r3 = fma64(y, v128.load(z3 + t, 16), r3);
      }
      s0 = f64x2.splat(-beta * sum64(f64x2.add(s0, r0))); s1 = f64x2.splat(-beta * sum64(f64x2.add(s1, r1)));
      s2 = f64x2.splat(-beta * sum64(f64x2.add(s2, r2))); s3 = f64x2.splat(-beta * sum64(f64x2.add(s3, r3)));
      for (let t = begin; t < row; t += 16) {
        const x = v128.load(v + t);
        v128.store(z0 + t, fma64(s0, x, v128.load(z0 + t))); v128.store(z1 + t, fma64(s1, x, v128.load(z1 + t)));
        v128.store(z2 + t, fma64(s2, x, v128.load(z2 + t))); v128.store(z3 + t, fma64(s3, x, v128.load(z3 + t)));
      }
    }
  }
}

@inline function sum64(v: v128): f64 {
  return f64x2.extract_lane(v, 0) + f64x2.extract_lane(v, 1);
}
