import { cholesky } from '../linear-algebra/dense.ts'
import type { AlsModel } from '../model/als-model.ts'
import { entryTerms, lambdaOf, rowLambda, targetOf, weightOf } from '../model/objective.ts'

/** The system of one user's row, A_u x = Σ_j b_j y_j, ready to be solved in float64. */
export interface UserSystem {
  /** The lower triangle L of A_u = L·Lᵀ, k×k. */
  readonly root: Float64Array
  /** b_j = c·p of each of the user's items; 0 for those that are disliked. */
  readonly targets: number[]
  /** λ_u */
  readonly lambda: number
}

/**
 * A_u = α0·YᵀY + λ_u·I + Σ_j w_j y_j y_jᵀ over the items of a user.
 *
 * @param items rows of the user's items
 * @param values of these, as in the training's matrix
 * @param gram YᵀY of the item factors, k×k
 * @throws RangeError when it is not positive definite
 */
export function userSystem(
  { factors: k, items: count, itemFactors, itemWeights, options }: AlsModel,
  items: Uint32Array,
  values: ArrayLike<number>,
  gram: Float64Array,
): UserSystem {
  const lambda = items.length > 0 ? lambdaOf(rowLambda(options, count), items.length) : options.regularization
  const terms = entryTerms(options)
  const system = gram.map((value) => options.unobservedWeight * value)
  for (let i = 0; i < k; i++) system[i * k + i] += lambda
  const targets = Array.from(items, (row, n) => {
    const value = values[n] * (itemWeights ? itemWeights[row] : 1)
    const weight = weightOf(value, terms)
    const y = itemFactors.subarray(row * k, (row + 1) * k)
    for (let i = 0; i < k; i++) for (let j = 0; j <= i; j++) system[i * k + j] += weight * y[i] * y[j]
    return value > 0 ? targetOf(value, terms) : 0
  })
  const root = cholesky(system, k)
  if (root) return { root, targets, lambda }
  throw new RangeError('The system of this user is not positive definite: train with a larger regularization.')
}
