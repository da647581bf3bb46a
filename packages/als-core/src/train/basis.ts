import { transposed } from '../linear-algebra/dense.ts'
import type { DenseKernel } from '../linear-algebra/dense-kernel.ts'
import { padFactors } from './layout.ts'

/**
 * The change of basis of a half-sweep. A side is kept in the basis in which it was last solved: its factors are X = X̂·P.
 *
 * With G = FᵀF of the fixed side F = F̂·P_F, the rows of the other side solve (α0·G + λI + Σ w f fᵀ) x = Σ b f. In the new
 * basis the first part is the identity ('whitened', one λ for all rows) or diagonal ('spectral', a λ for each row).
 */
export interface Basis {
  /** W (k×k): Z = F̂·W, the fixed side in the new basis. */
  readonly rotation: Float64Array
  /** R (k×k): X̂·R, the previous solution in the new basis, where the rows start. Absent: they start at X̂. */
  readonly restart?: Float64Array
  /** P of the solution in the new basis. */
  readonly toFactors: Float64Array
  /** When the basis is spectral, the diagonal of a row's system is `observed` + λ·`lambda`. */
  readonly diagonal?: { readonly observed: Float64Array; readonly lambda: Float64Array }
  /** Trace of G: the squared norm of the fixed side. */
  readonly squaredNorm: number
}

/** The Gram matrix of the fixed side is singular and nothing regularises it. */
export class SingularError extends Error {
  override readonly name = 'SingularError'
}

export interface BasisInput {
  /** F̂ᵀF̂, k×k. */
  readonly gram: Float64Array
  readonly k: number
  /** P of the fixed side and of the previous solution; absent: the identity. */
  readonly fixedToFactors?: Float64Array
  readonly solvedToFactors?: Float64Array
  /** α0 */
  readonly unobservedWeight: number
  /** λ when it is the same for all rows. */
  readonly lambda?: number
}

/**
 * With α0·G + λI = L·Lᵀ: W = P_F·L⁻ᵀ, P = L⁻¹, R = P_X·L. With G = Q·Λ·Qᵀ and S = (Λ·λ1)^(-1/4), λ1 the largest of Λ:
 * W = P_F·Q·S, P = S·Qᵀ, R = P_X·Q·S⁻¹, and the diagonal is (α0Λ + λI)·S². Rounding Z to 8 bits costs all columns alike, and a
 * column counts by its length and by that of the solution's, about Λ^(1/2) both: with S the sum is smallest. The loss on S with
 * ials is 7e-5 above that of exact rows, with columns of length 1 1.2e-4, with Z = F·Q 2.2e-4.
 * Both precondition the conjugate gradients alike; the Cholesky factor is much cheaper, but serves one λ only.
 *
 * A Cholesky factor is continuous in G: from one iteration to the next P_X·L is the identity but for 0.05 in the third
 * half-sweep on S and 0.004 in the tenth (root mean square of a column), and rows that start at X̂ itself lose nothing: the
 * loss is 4e-5 lower after 15 iterations. It saves two of five products with k×k matrices, 15 % of an iteration.
 * Eigenvectors may change places, and need R.
 */
export function changeBasis(dense: DenseKernel, input: BasisInput): Basis {
  const { gram: gramInBasis, k, fixedToFactors, solvedToFactors, unobservedWeight, lambda } = input
  const triangle = fixedToFactors && isLower(fixedToFactors, k) ? 'lower' : undefined
  const gram = fixedToFactors
    ? dense.product(
        dense.product(transposed(fixedToFactors, k), gramInBasis, triangle && { a: 'upper' }),
        fixedToFactors,
        triangle && { b: 'lower' },
      )
    : gramInBasis
  let squaredNorm = 0
  for (let i = 0; i < k; i++) squaredNorm += gram[i * k + i]
  if (!Number.isFinite(squaredNorm)) {
    throw new SingularError('The factors are no longer finite: the training diverged. Raise regularization.')
  }
  if (lambda === undefined) {
    const { values, vectors } = dense.eigen(gram)
    const largest = values.reduce((a, b) => Math.max(a, b), 0)
    // A direction that the fixed side does not have is left as it is: nothing but rounding lies in it.
    const scales = values.map((value) => (value > 1e-14 * largest ? (value * largest) ** (1 / 4) : 1))
    const q = transposed(vectors, k)
    const rotation = fixedToFactors ? dense.product(fixedToFactors, q) : q
    const restart = solvedToFactors ? dense.product(solvedToFactors, q) : q
    return {
      rotation: rotation.map((value, at) => value / scales[at % k]),
      restart: restart.map((value, at) => value * scales[at % k]),
      toFactors: vectors.map((value, at) => value / scales[Math.floor(at / k)]),
      diagonal: {
        observed: values.map((value, j) => (unobservedWeight * Math.max(0, value)) / scales[j] ** 2),
        lambda: scales.map((scale) => 1 / scale ** 2),
      },
      squaredNorm,
    }
  }
  const system = gram.map((value) => unobservedWeight * value)
  for (let i = 0; i < k; i++) system[i * k + i] += lambda
  const lower = dense.cholesky(system)
  if (!lower) {
    throw new SingularError(
      `The Gram matrix of the fixed side is singular with regularization ${lambda}: fewer independent rows than factors. Raise regularization, or lower factors below ${k}.`,
    )
  }
  const inverse = dense.invertLower(lower)
  const inverseTransposed = transposed(inverse, k)
  return {
    rotation: fixedToFactors
      ? dense.product(fixedToFactors, inverseTransposed, { a: triangle, b: 'upper' })
      : inverseTransposed,
    ...(!solvedToFactors && { restart: lower }),
    toFactors: inverse,
    squaredNorm,
  }
}

/** Whether a k×k matrix is lower triangular: a P that came of a Cholesky factor. */
function isLower(matrix: Float64Array, k: number): boolean {
  for (let i = 0; i < k; i++) for (let j = i + 1; j < k; j++) if (matrix[i * k + j] !== 0) return false
  return true
}

/** A k×k matrix in float32, padded with zeros: how the kernel wants it. */
export function padded(matrix: Float64Array, k: number): Float32Array {
  const width = padFactors(k)
  const out = new Float32Array(width * width)
  for (let i = 0; i < k; i++) for (let j = 0; j < k; j++) out[i * width + j] = matrix[i * k + j]
  return out
}
