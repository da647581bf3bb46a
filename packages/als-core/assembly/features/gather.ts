// Sums of rows that lie anywhere: what features predict of an item, and what items say of a feature.
import { clear, fma } from "../simd";

/** Entries whose rows are brought near together and then read from the first level cache, in strips of 32 numbers. */
// @ts-ignore: decorator
@inline const CHUNK: i32 = 32;

/** What the touching loads read; stored so that they are not optimised away. */
let touched: i32 = 0;

/**
 * out[r] = Σ g v over the entries from indptr[r] to indptr[r + 1], v the row of `vectors` that an entry's index names, g its value;
 * with `add` on top of what is there. The indices become addresses. A row of `stride` bytes, a multiple of 32.
 */
export function gatherRows(rows: i32, indptr: usize, indices: usize, values: usize, vectors: usize, stride: usize, out: usize, add: i32): void {
  const all = load<i32>(indptr + (<usize>rows << 2));
  let near = load<i32>(indptr);
  for (const last = indptr + (<usize>rows << 2); indptr < last; indptr += 4, out += stride) {
    let e = load<i32>(indptr), more = add;
    const end = load<i32>(indptr, 4);
    if (e == end && !add) clear(out, stride);
    while (e < end) {
      const next = min(end, e + CHUNK);
      if (near < next) {
        const to = min(all, max(next, near + CHUNK));
        bringNear(indices + (<usize>near << 2), to - near, vectors, stride);
        near = to;
      }
      addRows(indices + (<usize>e << 2), values + (<usize>e << 2), next - e, out, stride, more);
      more = 1; e = next;
    }
  }
}

/** Indices become addresses, and the lines there come into the cache by loads that nothing waits for. */
function bringNear(indices: usize, count: i32, vectors: usize, stride: usize): void {
  let sum: i32 = 0;
  for (const end = indices + (<usize>count << 2); indices < end; indices += 4) {
    let row = vectors + <usize>load<u32>(indices) * stride;
    store<u32>(indices, <u32>row);
    const last = row + stride;
    for (; row + 128 <= last; row += 128) sum |= load<i32>(row) | load<i32>(row, 64);
    for (; row < last; row += 64) sum |= load<i32>(row);
  }
  touched = sum;
}

function addRows(rows: usize, values: usize, count: i32, out: usize, stride: usize, more: i32): void {
  const end = rows + (<usize>count << 2), toValue = values - rows;
  let j: usize = 0;
  for (; j + 128 <= stride; j += 128) {
    const to = out + j;
    let s0 = f32x4.splat(0), s1 = s0, s2 = s0, s3 = s0, s4 = s0, s5 = s0, s6 = s0, s7 = s0;
    if (more) {
      s0 = v128.load(to); s1 = v128.load(to, 16); s2 = v128.load(to, 32); s3 = v128.load(to, 48);
      s4 = v128.load(to, 64); s5 = v128.load(to, 80); s6 = v128.load(to, 96); s7 = v128.load(to, 112);
    }
    for (let q = rows; q < end; q += 4) {
      const row = <usize>load<u32>(q) + j, g = v128.load32_splat(q + toValue);
      s0 = fma(g, v128.load(row), s0); s1 = fma(g, v128.load(row, 16), s1);
      s2 = fma(g, v128.load(row, 32), s2); s3 = fma(g, v128.load(row, 48), s3);
      s4 = fma(g, v128.load(row, 64), s4); s5 = fma(g, v128.load(row, 80), s5);
      s6 = fma(g, v128.load(row, 96), s6); s7 = fma(g, v128.load(row, 112), s7);
    }
    v128.store(to, s0); v128.store(to, s1, 16); v128.store(to, s2, 32); v128.store(to, s3, 48);
    v128.store(to, s4, 64); v128.store(to, s5, 80); v128.store(to, s6, 96); v128.store(to, s7, 112);
  }
  for (; j < stride; j += 32) {
    const to = out + j;
    let s0 = f32x4.splat(0), s1 = s0;
    if (more) { s0 = v128.load(to); s1 = v128.load(to, 16); }
    for (let q = rows; q < end; q += 4) {
      const row = <usize>load<u32>(q) + j, g = v128.load32_splat(q + toValue);
      s0 = fma(g, v128.load(row), s0); s1 = fma(g, v128.load(row, 16), s1);
    }
    v128.store(to, s0); v128.store(to, s1, 16);
  }
}
