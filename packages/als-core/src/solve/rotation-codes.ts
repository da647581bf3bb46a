import { padFactors } from './layout.ts'

/** W as int16 codes with a unit for each column: W = diag(scales) · codes · diag(units). */
export interface RotationCodes {
  /** padded × padded: for each eight columns, for each two rows, the two codes of each column in turn. */
  readonly codes: Int16Array
  /** For each row of W, which multiplies a column of the fixed side: that comes to length 1 by it. */
  readonly scales: Float32Array
  readonly units: Float32Array
}

/** NORM of assembly/solve/code-product.ts. */
const NORM = 46_300

/**
 * Encodes W (k×k) for the product with a fixed side whose Gram matrix is `gram`. The columns of that side are brought to equal
 * length first, so that none drowns in the rounding of another; a product then errs by about 1e-4 of its row's length, a
 * twentieth of what rounding it to int8 does.
 */
export function encodeRotation(rotation: Float64Array, gram: Float64Array, k: number): RotationCodes {
  const padded = padFactors(k)
  const lengths = Float64Array.from({ length: k }, (_, t) => Math.sqrt(gram[t * k + t]) || 1)
  const squares = new Float64Array(k)
  const largest = new Float64Array(k)
  for (let t = 0; t < k; t++) {
    const length = lengths[t]
    for (let j = 0; j < k; j++) {
      const value = Math.abs(rotation[t * k + j] * length)
      squares[j] += value * value
      largest[j] = Math.max(largest[j], value)
    }
  }
  const units = new Float32Array(padded)
  const perUnit = new Float64Array(k)
  for (let j = 0; j < k; j++) {
    units[j] = Math.max(Math.sqrt(squares[j]) / NORM, largest[j] / 32_767)
    perUnit[j] = units[j] > 0 ? 1 / units[j] : 0
  }
  const codes = new Int16Array(padded * padded)
  for (let t = 0; t < k; t++) {
    const length = lengths[t]
    const pair = (t >> 1) * 16 + (t & 1)
    for (let j = 0; j < k; j++) {
      codes[(j >> 3) * 8 * padded + pair + (j & 7) * 2] = Math.round(rotation[t * k + j] * length * perUnit[j])
    }
  }
  const scales = new Float32Array(padded)
  for (let t = 0; t < k; t++) scales[t] = 1 / lengths[t]
  return { codes, scales, units }
}
