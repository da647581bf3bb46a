// A tile: the rows of Z that one row of the sparse matrix touches, copied into contiguous memory so that every further
// pass reads the first or second level cache. Rows stand in groups of four, interleaved: sixteen bytes of each in turn,
// one cache line. A loop over a group needs one pointer, and all its loads are at constant offsets from it.
import { fma, sumLanes4 } from "./simd";

/** Rows whose cache lines are touched together. */
// @ts-ignore: decorator
@inline const TOUCH_ROWS: i32 = 64;

/** What the touching loads read; stored so that they are not optimised away. */
let touched: i32 = 0;

/**
 * WebAssembly has no prefetch instruction: this brings rows indices[from..to) of Z into the cache by loads that nothing
 * waits for.
 */
@inline function touch(z: usize, indices: usize, from: i32, to: i32, bytes: usize): void {
  let sum: i32 = 0;
  for (let q = from; q < to; q++) {
    const row = z + <usize>load<u32>(indices + (<usize>q << 2)) * bytes;
    for (let t: usize = 0; t < bytes; t += 64) sum |= load<i32>(row + t);
  }
  touched = sum;
}

/**
 * Copies rows indices[0..count) of Z, of `bytes` bytes each, to the tile; pads the last group with zeros. With `scattered`
 * their lines are touched a batch at a time first, so that they miss together instead of one after the other. Measured, one
 * conjugate-gradient step over random rows of 256 bytes, ns a row: of a 100 MB table 93 without, 75 with batches of 32, 69
 * with 64 and 71 with 128; of a 5 MB table 43, 52, 45 and 48. Touching the next row's while this one computes cost 40 more.
 */
export function gather(z: usize, indices: usize, count: i32, bytes: usize, tile: usize, scattered: bool): void {
  for (let q = 0; q < count; q += 4) {
    if (scattered && q % TOUCH_ROWS == 0) touch(z, indices, q, min(count, q + TOUCH_ROWS), bytes);
    const at = indices + (<usize>q << 2), end = tile + (bytes << 2);
    if (q + 4 <= count) {
      let r0 = z + <usize>load<u32>(at) * bytes, r1 = z + <usize>load<u32>(at, 4) * bytes;
      let r2 = z + <usize>load<u32>(at, 8) * bytes, r3 = z + <usize>load<u32>(at, 12) * bytes;
      for (; tile < end; tile += 64) {
        v128.store(tile, v128.load(r0)); v128.store(tile, v128.load(r1), 16);
        v128.store(tile, v128.load(r2), 32); v128.store(tile, v128.load(r3), 48);
        r0 += 16; r1 += 16; r2 += 16; r3 += 16;
      }
    } else {
      memory.fill(tile, 0, bytes << 2);
      for (let r: usize = 0; r < <usize>(count - q); r++) {
        let row = z + <usize>load<u32>(at + (r << 2)) * bytes;
        for (let d = tile + (r << 4); d < end; d += 64, row += 16) v128.store(d, v128.load(row));
      }
    }
  }
}

/** Inner products of the four rows of a group with p. In bfloat16 (`half`) sixteen bytes hold eight factors. */
@inline export function dots4(half: bool, group: usize, p: usize, stride: usize): v128 {
  let a0 = f32x4.splat(0), a1 = a0, a2 = a0, a3 = a0, b0 = a0, b1 = a0, b2 = a0, b3 = a0;
  if (half) {
    for (const end = p + stride; p < end; p += 32, group += 64) {
      const u = v128.load(p), v = v128.load(p, 16);
      let h = v128.load(group);
      a0 = fma(i32x4.shl(h, 16), u, a0); b0 = fma(h, v, b0);
      h = v128.load(group, 16);
      a1 = fma(i32x4.shl(h, 16), u, a1); b1 = fma(h, v, b1);
      h = v128.load(group, 32);
      a2 = fma(i32x4.shl(h, 16), u, a2); b2 = fma(h, v, b2);
      h = v128.load(group, 48);
      a3 = fma(i32x4.shl(h, 16), u, a3); b3 = fma(h, v, b3);
    }
  } else {
    for (const end = p + stride; p < end; p += 32, group += 128) {
      const u = v128.load(p), v = v128.load(p, 16);
      a0 = fma(v128.load(group), u, a0); a1 = fma(v128.load(group, 16), u, a1);
      a2 = fma(v128.load(group, 32), u, a2); a3 = fma(v128.load(group, 48), u, a3);
      b0 = fma(v128.load(group, 64), v, b0); b1 = fma(v128.load(group, 80), v, b1);
      b2 = fma(v128.load(group, 96), v, b2); b3 = fma(v128.load(group, 112), v, b3);
    }
  }
  return sumLanes4(f32x4.add(a0, b0), f32x4.add(a1, b1), f32x4.add(a2, b2), f32x4.add(a3, b3));
}

/** out += sᵀ·group: the four rows of a group, each times its lane of s. */
@inline export function axpy4(half: bool, s: v128, group: usize, out: usize, stride: usize): void {
  const s0 = i32x4.shuffle(s, s, 0, 0, 0, 0), s1 = i32x4.shuffle(s, s, 1, 1, 1, 1);
  const s2 = i32x4.shuffle(s, s, 2, 2, 2, 2), s3 = i32x4.shuffle(s, s, 3, 3, 3, 3);
  if (half) {
    for (const end = out + stride; out < end; out += 32, group += 64) {
      let o = v128.load(out), u = v128.load(out, 16);
      let h = v128.load(group);
      o = fma(s0, i32x4.shl(h, 16), o); u = fma(s0, h, u);
      h = v128.load(group, 16);
      o = fma(s1, i32x4.shl(h, 16), o); u = fma(s1, h, u);
      h = v128.load(group, 32);
      o = fma(s2, i32x4.shl(h, 16), o); u = fma(s2, h, u);
      h = v128.load(group, 48);
      o = fma(s3, i32x4.shl(h, 16), o); u = fma(s3, h, u);
      v128.store(out, o); v128.store(out, u, 16);
    }
  } else {
    for (const end = out + stride; out < end; out += 32, group += 128) {
      let o = v128.load(out), u = v128.load(out, 16);
      o = fma(s0, v128.load(group), o); u = fma(s0, v128.load(group, 64), u);
      o = fma(s1, v128.load(group, 16), o); u = fma(s1, v128.load(group, 80), u);
      o = fma(s2, v128.load(group, 32), o); u = fma(s2, v128.load(group, 96), u);
      o = fma(s3, v128.load(group, 48), o); u = fma(s3, v128.load(group, 112), u);
      v128.store(out, o); v128.store(out, u, 16);
    }
  }
}
