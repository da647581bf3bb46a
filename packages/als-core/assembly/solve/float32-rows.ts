// Rows of Z in float32, four at a time. `rows` points at the records of four rows (see entries.ts), `stride` is the length of a
// row and of a vector in bytes.
import { fma, sumLanes4 } from "../simd";

/** Inner products of four rows with p. */
@inline export function float32Dots4(rows: usize, p: usize, stride: usize): v128 {
  let r0 = <usize>load<u32>(rows), r1 = <usize>load<u32>(rows, 8), r2 = <usize>load<u32>(rows, 16), r3 = <usize>load<u32>(rows, 24);
  let a0 = f32x4.splat(0), a1 = a0, a2 = a0, a3 = a0, b0 = a0, b1 = a0, b2 = a0, b3 = a0;
  for (const end = p + stride; p < end; p += 32) {
    const u = v128.load(p), v = v128.load(p, 16);
    a0 = fma(v128.load(r0), u, a0); b0 = fma(v128.load(r0, 16), v, b0);
    a1 = fma(v128.load(r1), u, a1); b1 = fma(v128.load(r1, 16), v, b1);
    a2 = fma(v128.load(r2), u, a2); b2 = fma(v128.load(r2, 16), v, b2);
    a3 = fma(v128.load(r3), u, a3); b3 = fma(v128.load(r3, 16), v, b3);
    r0 += 32; r1 += 32; r2 += 32; r3 += 32;
  }
  return sumLanes4(f32x4.add(a0, b0), f32x4.add(a1, b1), f32x4.add(a2, b2), f32x4.add(a3, b3));
}

/**
 * The same, and copies the rows to a group for `addFloat32Rows`: for each eight factors, the first four of each row in turn, then
 * the second. A loop over a group needs one pointer, and all its loads are at constant offsets from it.
 */
@inline export function gatherFloat32Dots4(rows: usize, group: usize, p: usize, stride: usize): v128 {
  let r0 = <usize>load<u32>(rows), r1 = <usize>load<u32>(rows, 8), r2 = <usize>load<u32>(rows, 16), r3 = <usize>load<u32>(rows, 24);
  let a0 = f32x4.splat(0), a1 = a0, a2 = a0, a3 = a0, b0 = a0, b1 = a0, b2 = a0, b3 = a0;
  for (const end = p + stride; p < end; p += 32, group += 128) {
    const u = v128.load(p), v = v128.load(p, 16);
    let h = v128.load(r0); v128.store(group, h); a0 = fma(h, u, a0);
    h = v128.load(r1); v128.store(group, h, 16); a1 = fma(h, u, a1);
    h = v128.load(r2); v128.store(group, h, 32); a2 = fma(h, u, a2);
    h = v128.load(r3); v128.store(group, h, 48); a3 = fma(h, u, a3);
    h = v128.load(r0, 16); v128.store(group, h, 64); b0 = fma(h, v, b0);
    h = v128.load(r1, 16); v128.store(group, h, 80); b1 = fma(h, v, b1);
    h = v128.load(r2, 16); v128.store(group, h, 96); b2 = fma(h, v, b2);
    h = v128.load(r3, 16); v128.store(group, h, 112); b3 = fma(h, v, b3);
    r0 += 32; r1 += 32; r2 += 32; r3 += 32;
  }
  return sumLanes4(f32x4.add(a0, b0), f32x4.add(a1, b1), f32x4.add(a2, b2), f32x4.add(a3, b3));
}

/**
 * out += Σ s·row over `groups` groups, s a number for each row. Eight factors at a time stay in registers over all groups,
 * a sum for each row of a group; with the sums in memory, the loads wait for the stores of the group before.
 */
@inline export function addFloat32Rows(s: usize, groups: i32, chunk: usize, out: usize, stride: usize): void {
  const group = stride << 2;
  for (const end = out + stride; out < end; out += 32, chunk += 128) {
    let a0 = v128.load(out), a1 = v128.load(out, 16);
    let b0 = f32x4.splat(0), b1 = b0, c0 = b0, c1 = b0, d0 = b0, d1 = b0;
    let at = chunk, q = s;
    for (const last = s + (<usize>groups << 4); q < last; q += 16, at += group) {
      let w = v128.load32_splat(q);
      a0 = fma(w, v128.load(at), a0); a1 = fma(w, v128.load(at, 64), a1);
      w = v128.load32_splat(q, 4);
      b0 = fma(w, v128.load(at, 16), b0); b1 = fma(w, v128.load(at, 80), b1);
      w = v128.load32_splat(q, 8);
      c0 = fma(w, v128.load(at, 32), c0); c1 = fma(w, v128.load(at, 96), c1);
      w = v128.load32_splat(q, 12);
      d0 = fma(w, v128.load(at, 48), d0); d1 = fma(w, v128.load(at, 112), d1);
    }
    v128.store(out, f32x4.add(f32x4.add(a0, b0), f32x4.add(c0, d0)));
    v128.store(out, f32x4.add(f32x4.add(a1, b1), f32x4.add(c1, d1)), 16);
  }
}
