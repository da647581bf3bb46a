import type { CompressedRows } from '../matrix/interaction-matrix.ts'
import { type FeatureSlab, GATHERED_ENTRIES } from './feature-memory.ts'
import { BLOCK_ROWS } from './layout.ts'

/** The exports of the features' kernel; every argument is a byte address, a count or a number (see assembly/features). */
interface FeatureKernel {
  gatherRows(
    rows: number,
    indptr: number,
    indices: number,
    values: number,
    vectors: number,
    stride: number,
    out: number,
    add: number,
  ): void
  subtractRows(
    rows: number,
    y: number,
    p: number,
    lambda: number,
    e: number,
    stride: number,
    sums: number,
    totals: number,
  ): void
  startRows(
    rows: number,
    s: number,
    b: number,
    d: number,
    inverse: number,
    penalty: number,
    z: number,
    stride: number,
    sums: number,
    totals: number,
  ): void
  multiplyRows(rows: number, t: number, u: number, lambda: number, stride: number, sums: number, totals: number): void
  moveRows(
    rows: number,
    b: number,
    d: number,
    z: number,
    lengths: number,
    stride: number,
    sums: number,
    totals: number,
  ): void
}

/** Sparse rows whose values are numbers. */
export type FeatureRows = CompressedRows & { readonly values: Float32Array<SharedArrayBuffer> }

/** The features' kernel in a thread, over one slab. */
export interface FeatureView {
  readonly kernel: FeatureKernel
  readonly slab: FeatureSlab
  /** Bytes of a row. */
  readonly stride: number
  readonly f32: Float32Array
  /** Address of an area of this thread's scratch. */
  at(area: keyof FeatureSlab['areas']): number
  /** Rows of an array of the whole map, of `padded` columns, to an address, and back. */
  bring(array: Float32Array, padded: number, first: number, rows: number, to: number): void
  take(array: Float32Array, padded: number, first: number, rows: number, from: number): void
  /** Gathers the sums of rows [first, first + rows) from `vectors` to an address. */
  gather(matrix: FeatureRows, first: number, rows: number, vectors: number, to: number): void
  /** α and β of all columns of the map, of which those of the slab are taken. */
  setLengths(lengths: Float64Array): void
  /** A number for each row of a block to `scales`. */
  setScales(numbers: Float64Array, first: number, rows: number): void
  /** Sets the totals of a shard to zero: `rows` sums by column. */
  clearTotals(rows: number): void
  /** The totals to the columns of the slab, in each of `rows` rows of `padded` in a shard's part of `sums`. */
  writeTotals(sums: Float64Array, shard: number, padded: number, rows: number): void
}

export function viewFeatures(slab: FeatureSlab, slot: number): FeatureView {
  const { module, memory, first: column, width, areas } = slab
  const kernel = new WebAssembly.Instance(module, { env: { memory } }).exports as unknown as FeatureKernel
  const { buffer } = memory
  const f32 = new Float32Array(buffer)
  const f64 = new Float64Array(buffer)
  const i32 = new Int32Array(buffer)
  const u32 = new Uint32Array(buffer)
  const scratch = slab.scratch + slot * slab.scratchBytes
  const [indptr, indices, values, scales, lengths, totals] = (
    ['indptr', 'indices', 'values', 'scales', 'lengths', 'totals'] as const
  ).map((area) => scratch + areas[area])
  const stride = 4 * width

  // V8 copies between shared arrays eight bytes at a time where both sides are equally far from a multiple of eight.
  const gatherPiece = (
    matrix: FeatureRows,
    begin: number,
    end: number,
    rows: number,
    add: 0 | 1,
    from: number,
    to: number,
  ): void => {
    const shift = (4 * begin) & 7
    u32.set(matrix.indices.subarray(begin, end), (indices + shift) / 4)
    f32.set(matrix.values.subarray(begin, end), (values + shift) / 4)
    kernel.gatherRows(rows, indptr, indices + shift, values + shift, from, stride, to, add)
  }
  return {
    kernel,
    slab,
    stride,
    f32,
    at: (area) => scratch + areas[area],
    bring(array, padded, first, rows, to) {
      if (width === padded) f32.set(array.subarray(first * padded, (first + rows) * padded), to / 4)
      else {
        for (let r = 0, at = first * padded + column; r < rows; r++, at += padded) {
          f32.set(array.subarray(at, at + width), to / 4 + r * width)
        }
      }
    },
    take(array, padded, first, rows, from) {
      if (width === padded) array.set(f32.subarray(from / 4, from / 4 + rows * padded), first * padded)
      else {
        for (let r = 0, at = from / 4; r < rows; r++, at += width) {
          array.set(f32.subarray(at, at + width), (first + r) * padded + column)
        }
      }
    },
    gather(matrix, first, rows, vectors, to) {
      const begin = matrix.indptr[first]
      const end = matrix.indptr[first + rows]
      if (end - begin <= GATHERED_ENTRIES) {
        for (let r = 0; r <= rows; r++) i32[indptr / 4 + r] = matrix.indptr[first + r] - begin
        gatherPiece(matrix, begin, end, rows, 0, vectors, to)
        return
      }
      for (let at = begin; at < end; at += GATHERED_ENTRIES) {
        const next = Math.min(end, at + GATHERED_ENTRIES)
        i32[indptr / 4] = 0
        i32[indptr / 4 + 1] = next - at
        gatherPiece(matrix, at, next, 1, at === begin ? 0 : 1, vectors, to)
      }
    },
    setLengths(numbers) {
      const padded = numbers.length / 2
      for (let j = 0; j < width; j++) {
        f32[lengths / 4 + j] = numbers[column + j]
        f32[lengths / 4 + width + j] = numbers[padded + column + j]
      }
    },
    setScales(numbers, first, rows) {
      for (let r = 0; r < rows; r++) f32[scales / 4 + r] = numbers[first + r]
    },
    clearTotals(rows) {
      f64.fill(0, totals / 8, totals / 8 + rows * width)
    },
    writeTotals(sums, shard, padded, rows) {
      for (let row = 0; row < rows; row++) {
        const from = totals / 8 + row * width
        sums.set(f64.subarray(from, from + width), (shard * rows + row) * padded + column)
      }
    },
  }
}

/** How many rows from `first` on are gathered together. */
export function gatheredRows(indptr: Float64Array, first: number, end: number): number {
  const begin = indptr[first]
  let next = first + 1
  while (next < end && next - first < BLOCK_ROWS && indptr[next + 1] - begin <= GATHERED_ENTRIES) next++
  return next - first
}
