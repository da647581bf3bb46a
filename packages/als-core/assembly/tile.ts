// A tile: the rows of Z that one row of the sparse matrix touches, copied into contiguous memory so that every further
// pass reads the first or second level cache. Rows stand in groups of four, interleaved: sixteen bytes of each in turn,
// one cache line. A loop over a group needs one pointer, and all its loads are at constant offsets from it.
import { fma, sumLanes4 } from "./simd";

/** What the touching loads read; stored by `gather` so that they are not optimised away. */
let touched: i32 = 0;

/**
 * Copies rows indices[0..count) of Z to the tile; pads the last group with zeros. Z is float32, or bfloat16 in the order
 * of `toBfloat16`. WebAssembly has no prefetch instruction, so the cache lines of a batch of rows are first touched by
 * loads that nothing waits for: they miss together instead of one after the other.
 */
@inline export function gather(z: usize, half: bool, indices: usize, count: i32, stride: usize, tile: usize): void {
  const bytes = half ? stride >> 1 : stride;
  const group = stride << 2;
  let ahead = 0;
  let sum: i32 = 0;
  for (let q = 0; q < count; q += 4, tile += group) {
    if (q >= ahead) {
      const limit = min(count, q + TOUCH_ROWS);
      for (; ahead < limit; ahead++) {
        const row = z + <usize>load<u32>(indices + (<usize>ahead << 2)) * bytes;
        for (let t: usize = 0; t < bytes; t += 64) sum |= load<i32>(row + t);
      }
    }
    const at = indices + (<usize>q << 2);
    if (q + 4 <= count) {
      const r0 = z + <usize>load<u32>(at) * bytes, r1 = z + <usize>load<u32>(at, 4) * bytes;
      const r2 = z + <usize>load<u32>(at, 8) * bytes, r3 = z + <usize>load<u32>(at, 12) * bytes;
      let d = tile;
      if (half) {
        const high = i32x4.splat(0xffff0000);
        for (let t: usize = 0; t < bytes; t += 16, d += 128) {
          const a = v128.load(r0 + t), b = v128.load(r1 + t), c = v128.load(r2 + t), e = v128.load(r3 + t);
          v128.store(d, i32x4.shl(a, 16)); v128.store(d, i32x4.shl(b, 16), 16);
          v128.store(d, i32x4.shl(c, 16), 32); v128.store(d, i32x4.shl(e, 16), 48);
          v128.store(d, v128.and(a, high), 64); v128.store(d, v128.and(b, high), 80);
          v128.store(d, v128.and(c, high), 96); v128.store(d, v128.and(e, high), 112);
        }
      } else {
        for (let t: usize = 0; t < bytes; t += 16, d += 64) {
          v128.store(d, v128.load(r0 + t)); v128.store(d, v128.load(r1 + t), 16);
          v128.store(d, v128.load(r2 + t), 32); v128.store(d, v128.load(r3 + t), 48);
        }
      }
    } else {
      memory.fill(tile, 0, group);
      for (let r: usize = 0; r < <usize>(count - q); r++) {
        const row = z + <usize>load<u32>(at + (r << 2)) * bytes;
        let d = tile + (r << 4);
        if (half) {
          for (let t: usize = 0; t < bytes; t += 16, d += 128) {
            const a = v128.load(row + t);
            v128.store(d, i32x4.shl(a, 16));
            v128.store(d, v128.and(a, i32x4.splat(0xffff0000)), 64);
          }
        } else {
          for (let t: usize = 0; t < bytes; t += 16, d += 64) v128.store(d, v128.load(row + t));
        }
      }
    }
  }
  touched = sum;
}

/** Rows whose lines are touched together: measured on random rows of 256 bytes of a 100 MB table, 125 ns a row without, 88 with 8, 76 with 32. */
// @ts-ignore: decorator
@inline const TOUCH_ROWS: i32 = 32;

/** Multiplies every row of the tile by the vector d, element by element. */
export function scaleTile(tile: usize, groups: i32, stride: usize, d: usize): void {
  for (let g = 0; g < groups; g++) {
    for (let t: usize = 0; t < stride; t += 16, tile += 64) {
      const v = v128.load(d + t);
      v128.store(tile, f32x4.mul(v128.load(tile), v)); v128.store(tile, f32x4.mul(v128.load(tile, 16), v), 16);
      v128.store(tile, f32x4.mul(v128.load(tile, 32), v), 32); v128.store(tile, f32x4.mul(v128.load(tile, 48), v), 48);
    }
  }
}

/** Inner products of the four rows of a group with p. */
@inline export function dots4(group: usize, p: usize, stride: usize): v128 {
  let a0 = f32x4.splat(0), a1 = a0, a2 = a0, a3 = a0, b0 = a0, b1 = a0, b2 = a0, b3 = a0;
  for (const end = p + stride; p < end; p += 32, group += 128) {
    const u = v128.load(p), v = v128.load(p, 16);
    a0 = fma(v128.load(group), u, a0); a1 = fma(v128.load(group, 16), u, a1);
    a2 = fma(v128.load(group, 32), u, a2); a3 = fma(v128.load(group, 48), u, a3);
    b0 = fma(v128.load(group, 64), v, b0); b1 = fma(v128.load(group, 80), v, b1);
    b2 = fma(v128.load(group, 96), v, b2); b3 = fma(v128.load(group, 112), v, b3);
  }
  return sumLanes4(f32x4.add(a0, b0), f32x4.add(a1, b1), f32x4.add(a2, b2), f32x4.add(a3, b3));
}

/** out += sᵀ·group: the four rows of a group, each times its lane of s. */
@inline export function axpy4(s: v128, group: usize, out: usize, stride: usize): void {
  const s0 = i32x4.shuffle(s, s, 0, 0, 0, 0), s1 = i32x4.shuffle(s, s, 1, 1, 1, 1);
  const s2 = i32x4.shuffle(s, s, 2, 2, 2, 2), s3 = i32x4.shuffle(s, s, 3, 3, 3, 3);
  for (const end = out + stride; out < end; out += 32, group += 128) {
    let o = v128.load(out), u = v128.load(out, 16);
    o = fma(s0, v128.load(group), o); u = fma(s0, v128.load(group, 64), u);
    o = fma(s1, v128.load(group, 16), o); u = fma(s1, v128.load(group, 80), u);
    o = fma(s2, v128.load(group, 32), o); u = fma(s2, v128.load(group, 96), u);
    o = fma(s3, v128.load(group, 48), o); u = fma(s3, v128.load(group, 112), u);
    v128.store(out, o); v128.store(out, u, 16);
  }
}
