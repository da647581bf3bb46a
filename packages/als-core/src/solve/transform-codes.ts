import type { KernelShare } from './kernel-view.ts'
import { padFactors } from './layout.ts'

/** W as int16 codes with a scale for each row and column: W = diag(rowScales)·codes·diag(columnScales). */
export interface TransformCodes {
  /** padded × padded: for each eight columns, for each two rows, the two codes of each column in turn. */
  readonly codes: Int16Array
  /** For each row of W, which multiplies a column of the fixed side and brings that to length 1. */
  readonly rowScales: Float32Array
  readonly columnScales: Float32Array
}

/** NORM of assembly/solve/int16-product.ts. */
const NORM = 46_300

/**
 * Encodes W (k×k) for the product with a fixed side whose Gram matrix is `gram`. The columns of that side are scaled to equal
 * length first, so that none is lost in the rounding of another; a product then errs by about 1e-4 of its row's length, a
 * twentieth of what rounding it to int8 does.
 */
export function encodeTransform(transform: Float64Array, gram: Float64Array, k: number): TransformCodes {
  const padded = padFactors(k)
  const lengths = Float64Array.from({ length: k }, (_, t) => Math.sqrt(gram[t * k + t]) || 1)
  const squares = new Float64Array(k)
  const largest = new Float64Array(k)
  for (let t = 0; t < k; t++) {
    const length = lengths[t]
    for (let j = 0; j < k; j++) {
      const value = Math.abs(transform[t * k + j] * length)
      squares[j] += value * value
      largest[j] = Math.max(largest[j], value)
    }
  }
  const columnScales = new Float32Array(padded)
  const inverse = new Float64Array(k)
  for (let j = 0; j < k; j++) {
    columnScales[j] = Math.max(Math.sqrt(squares[j]) / NORM, largest[j] / 32_767)
    inverse[j] = columnScales[j] > 0 ? 1 / columnScales[j] : 0
  }
  const codes = new Int16Array(padded * padded)
  for (let t = 0; t < k; t++) {
    const length = lengths[t]
    const pair = (t >> 1) * 16 + (t & 1)
    for (let j = 0; j < k; j++) {
      codes[(j >> 3) * 8 * padded + pair + (j & 7) * 2] = Math.round(transform[t * k + j] * length * inverse[j])
    }
  }
  const rowScales = new Float32Array(padded)
  for (let t = 0; t < k; t++) rowScales[t] = 1 / lengths[t]
  return { codes, rowScales, columnScales }
}

/** Puts the codes where the kernel's integer product reads them. */
export function loadTransform(
  { layout, memory }: KernelShare,
  { codes, rowScales, columnScales }: TransformCodes,
): void {
  new Int16Array(memory.buffer, layout.transform).set(codes)
  new Float32Array(memory.buffer, layout.transformRowScales).set(rowScales)
  new Float32Array(memory.buffer, layout.transformColumnScales).set(columnScales)
}
