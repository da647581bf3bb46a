/** Small dense float64 matrices, row-major in a Float64Array: the reference solver's algebra. */

export function identity(n: number): Float64Array {
  const matrix = new Float64Array(n * n)
  for (let i = 0; i < n; i++) matrix[i * n + i] = 1
  return matrix
}

export function transposed(a: Float64Array, n: number): Float64Array {
  const t = new Float64Array(n * n)
  for (let i = 0; i < n; i++) for (let j = 0; j < n; j++) t[j * n + i] = a[i * n + j]
  return t
}

/** Cholesky factor L (lower) of a symmetric matrix, A = L·Lᵀ, or nothing when A is not positive definite. */
export function cholesky(a: Float64Array, n: number): Float64Array | undefined {
  const l = new Float64Array(n * n)
  for (let i = 0; i < n; i++) {
    for (let j = 0; j <= i; j++) {
      let s = a[i * n + j]
      for (let t = 0; t < j; t++) s -= l[i * n + t] * l[j * n + t]
      if (i === j) {
        if (!(s > 0)) return undefined
        l[i * n + i] = Math.sqrt(s)
      } else {
        l[i * n + j] = s / l[j * n + j]
      }
    }
  }
  return l
}

/** Solves A·x = b in place with the Cholesky factor of A. */
export function solveCholesky(l: Float64Array, n: number, b: Float64Array): void {
  for (let i = 0; i < n; i++) {
    let s = b[i]
    for (let t = 0; t < i; t++) s -= l[i * n + t] * b[t]
    b[i] = s / l[i * n + i]
  }
  for (let i = n - 1; i >= 0; i--) {
    let s = b[i]
    for (let t = i + 1; t < n; t++) s -= l[t * n + i] * b[t]
    b[i] = s / l[i * n + i]
  }
}

/** Σ of the diagonal. */
export function trace(matrix: Float64Array, n: number): number {
  let sum = 0
  for (let i = 0; i < n; i++) sum += matrix[i * n + i]
  return sum
}

/** Inverse of a lower triangle, itself a lower triangle. */
export function invertLower(l: Float64Array, n: number): Float64Array {
  const inverse = new Float64Array(n * n)
  for (let j = 0; j < n; j++) {
    inverse[j * n + j] = 1 / l[j * n + j]
    for (let i = j + 1; i < n; i++) {
      let s = 0
      for (let t = j; t < i; t++) s -= l[i * n + t] * inverse[t * n + j]
      inverse[i * n + j] = s / l[i * n + i]
    }
  }
  return inverse
}
