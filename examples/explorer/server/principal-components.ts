/** Enough for the two largest of a few hundred eigenvalues to come apart as far as a picture shows. */
const STEPS = 60

/**
 * The first two principal components of rows × k vectors (row-major), by orthogonal iteration on their covariance:
 * O(rows·k²) once, then O(k²) a step. Signs are chosen so that the largest part of an axis is positive: the same picture every time.
 */
export function principalComponents(vectors: Float32Array, k: number): [Float64Array, Float64Array] {
  const rows = vectors.length / k
  const mean = new Float64Array(k)
  for (let at = 0; at < vectors.length; at++) mean[at % k]! += vectors[at]! / rows
  const covariance = covarianceOf(vectors, mean, k)
  let first = Float64Array.from({ length: k }, (_, i) => 1 + Math.sin(i))
  let second = Float64Array.from({ length: k }, (_, i) => Math.cos(3 * i))
  for (let step = 0; step < STEPS; step++) {
    first = unit(multiply(covariance, first))
    second = multiply(covariance, second)
    const along = dot(first, second)
    second = unit(second.map((value, i) => value - along * first[i]!))
  }
  const project = (axis: Float64Array) =>
    Float64Array.from({ length: rows }, (_, row) => {
      let sum = 0
      for (let i = 0; i < k; i++) sum += (vectors[row * k + i]! - mean[i]!) * axis[i]!
      return sum
    })
  return [project(upright(first)), project(upright(second))]
}

function covarianceOf(vectors: Float32Array, mean: Float64Array, k: number): Float64Array {
  const covariance = new Float64Array(k * k)
  const centred = new Float64Array(k)
  for (let at = 0; at < vectors.length; at += k) {
    for (let i = 0; i < k; i++) centred[i] = vectors[at + i]! - mean[i]!
    for (let i = 0; i < k; i++) {
      const value = centred[i]!
      for (let j = 0; j <= i; j++) covariance[i * k + j]! += value * centred[j]!
    }
  }
  for (let i = 0; i < k; i++) for (let j = i + 1; j < k; j++) covariance[i * k + j] = covariance[j * k + i]!
  return covariance
}

function multiply(matrix: Float64Array, vector: Float64Array): Float64Array<ArrayBuffer> {
  const k = vector.length
  return Float64Array.from({ length: k }, (_, i) => dot(matrix.subarray(i * k, (i + 1) * k), vector))
}

function dot(a: Float64Array, b: Float64Array): number {
  let sum = 0
  for (let i = 0; i < a.length; i++) sum += a[i]! * b[i]!
  return sum
}

function unit(vector: Float64Array<ArrayBuffer>): Float64Array<ArrayBuffer> {
  const length = Math.sqrt(dot(vector, vector))
  // Vectors of one dimension have no second axis.
  return length < 1e-12 ? vector.fill(0) : vector.map((value) => value / length)
}

function upright(axis: Float64Array): Float64Array {
  const largest = axis.reduce((best, value) => (Math.abs(value) > Math.abs(best) ? value : best), 0)
  return largest < 0 ? axis.map((value) => -value) : axis
}
