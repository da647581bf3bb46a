import { EigenvalueDecomposition, Matrix } from 'ml-matrix'

/** A = Q·diag(values)·Qᵀ of a symmetric n×n matrix; the eigenvectors are the columns of Q. */
export function symmetricEigen(a: Float64Array, n: number): { values: Float64Array; vectors: Float64Array } {
  const rows = Array.from({ length: n }, (_, i) => Array.from(a.subarray(i * n, (i + 1) * n)))
  const eigen = new EigenvalueDecomposition(new Matrix(rows), { assumeSymmetric: true })
  const vectors = new Float64Array(n * n)
  for (let i = 0; i < n; i++) for (let j = 0; j < n; j++) vectors[i * n + j] = eigen.eigenvectorMatrix.get(i, j)
  return { values: Float64Array.from(eigen.realEigenvalues), vectors }
}
