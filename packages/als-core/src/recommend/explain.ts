import { solveCholesky } from '../linear-algebra/dense.ts'
import { valueAt } from '../matrix/entries.ts'
import type { InteractionMatrix } from '../matrix/interaction-matrix.ts'
import type { AlsModel } from '../model/als-model.ts'
import { type FeatureContribution, featureContributions, type KnownRow, predictRow } from './known-features.ts'
import { userSystem } from './user-system.ts'

/** Why an item is recommended to a user. */
export interface Explanation {
  /** The sum of all contributions, of the user's items and of what is known of the user: the user's score of the item once the user's row is solved exactly. */
  score: number
  /** The score by the model's own factors, whose user row is from before the last half-sweep over the items. */
  modelScore: number
  /** What each of the user's items adds, largest first. Disliked items add nothing directly; they shape the rest. */
  contributions: Contribution[]
  /**
   * What each of the item's features adds, largest first, where they were given: together the score that these alone predict. The
   * rest of the score is what the item's own interactions have changed, nothing for an item that nobody has.
   */
  itemFeatures?: FeatureContribution[]
  /** What each of the user's features adds, largest first, where they were given. */
  userFeatures?: FeatureContribution[]
}

/** What one of the user's items adds to a score. A class for the reason that `RankingMetrics` gives. */
export class Contribution {
  readonly row: number
  readonly id: number | string
  readonly contribution: number

  constructor(row: number, id: number | string, contribution: number) {
    this.row = row
    this.id = id
    this.contribution = contribution
  }
}

/**
 * The contribution of each of a user's items to a score (Hu, Koren, Volinsky 2008, section 5).
 *
 * With A_u the matrix of the user's row system, x_u = A_u⁻¹ (Σ_j c_uj p_uj y_j + λ_u Σ_f f_u a_f), a_f the vectors of the user's
 * features, so that x_u·y_i = Σ_j (y_iᵀ A_u⁻¹ y_j) c_uj p_uj + Σ_f λ_u f_u (y_iᵀ A_u⁻¹ a_f): one solve of A_u z = y_i, then z·y_j
 * for each item j and z·a_f for each feature. The item's features predict x_u·Bᵀg_i = Σ_f g_f (x_u·b_f). All in float64.
 *
 * @param gram YᵀY of the item factors, k×k
 * @param item undefined for an item that the model does not have: its vector is then that of its features
 */
export function explain(
  model: AlsModel,
  { csr, codebook }: InteractionMatrix,
  gram: Float64Array,
  user: number,
  item: number | undefined,
  known: { readonly item?: KnownRow | undefined; readonly user?: KnownRow | undefined } = {},
): Explanation {
  const { factors: k, itemFactors, userFactors } = model
  const rows = csr.indices.subarray(csr.indptr[user], csr.indptr[user + 1])
  const values = Array.from(rows, (_, n) => valueAt(csr, codebook, csr.indptr[user] + n))
  const { root, targets, lambda } = userSystem(model, rows, values, gram)
  const z =
    item === undefined ? predictRow(known.item!, k) : Float64Array.from(itemFactors.subarray(item * k, (item + 1) * k))
  let modelScore = 0
  for (let i = 0; i < k; i++) modelScore += userFactors[user * k + i] * z[i]
  solveCholesky(root, k, z)
  const contributions = Array.from(rows, (row, n) => {
    let similarity = 0
    for (let i = 0; i < k; i++) similarity += z[i] * itemFactors[row * k + i]
    return new Contribution(row, model.itemIds?.at(row) ?? row, targets[n] === 0 ? 0 : similarity * targets[n])
  }).sort((a, b) => b.contribution - a.contribution || a.row - b.row)
  let score = contributions.reduce((sum, { contribution }) => sum + contribution, 0)
  if (!known.item && !known.user) return { score, modelScore, contributions }
  const userFeatures = known.user && featureContributions(known.user, z, lambda)
  for (const { contribution } of userFeatures ?? []) score += contribution
  const itemFeatures = known.item && featureContributions(known.item, solveUser(), 1)
  return {
    score,
    modelScore,
    contributions,
    ...(itemFeatures && { itemFeatures }),
    ...(userFeatures && { userFeatures }),
  }

  /** x_u */
  function solveUser(): Float64Array {
    const x = known.user ? predictRow(known.user, k).map((value) => lambda * value) : new Float64Array(k)
    for (const [n, row] of rows.entries()) for (let i = 0; i < k; i++) x[i] += targets[n] * itemFactors[row * k + i]
    solveCholesky(root, k, x)
    return x
  }
}
