import { OptionError } from '../checks/option-error.ts'
import type { IdColumn } from '../matrix/interaction-matrix.ts'
import { sharedFloat32 } from '../pool/shared-arrays.ts'
import { normOf } from '../rank/index-shards.ts'
import { checkConfidence, type Examples } from './average-vectors.ts'
import { Contribution } from './explain.ts'
import type { ItemMetric } from './item-metric.ts'
import type { SideRows } from './side-rows.ts'

/** Why an item is near a blend. */
export interface BlendExplanation {
  /** The score of the item in the blend's list: the sum of all contributions. */
  score: number
  /** What each example adds, largest first; negative examples mostly add negative amounts. */
  contributions: Contribution[]
}

/**
 * A blend's query is a weighted sum of the vectors of its examples, q = Σ_p a_p·v_p, and a score is linear in it: example p
 * adds a_p·v_p·y_j, divided by |q|·|y_j| where the score is a cosine. In float64, from float32 vectors.
 */
export async function explainBlend(
  { confidence, ...some }: Examples,
  item: number,
  { examples, ranker, score: metric, toQueries }: ItemMetric,
  itemRows: SideRows,
  ids: IdColumn | undefined,
): Promise<BlendExplanation> {
  const positive = itemRows.toList(some.positive)
  const negative = itemRows.toList(some.negative ?? [])
  if (positive.length === 0) throw new OptionError('There is no positive example: expected at least one item.')
  checkConfidence(0, positive, confidence)
  const { vectors, factors: k, normalize, weights } = examples
  const rows = [...positive, ...negative]
  const means = sharedFloat32(rows.length * k)
  for (const [n, row] of rows.entries()) {
    const toward = n < positive.length
    const share = toward ? (negative.length > 0 ? 2 : 1) / positive.length : -1 / negative.length
    const norm = normalize ? normOf(vectors, row * k, k) || 1 : 1
    const weight = (share * (toward && confidence ? confidence[n] : 1) * (weights ? weights[row] : 1)) / norm
    for (let i = 0; i < k; i++) means[n * k + i] = weight * vectors[row * k + i]
  }
  const queries = await toQueries(means)
  const target = ranker.index.factors.subarray(item * k, (item + 1) * k)
  const lengths = metric === 'cosine' ? normOf(target, 0, k) * normOfSum(queries, k) || 1 : 1
  const contributions = rows.map((row, n) => {
    let product = 0
    for (let i = 0; i < k; i++) product += queries[n * k + i] * target[i]
    return new Contribution(row, ids?.at(row) ?? row, product / lengths)
  })
  const score = contributions.reduce((sum, { contribution }) => sum + contribution, 0)
  return { score, contributions: contributions.sort((a, b) => b.contribution - a.contribution || a.row - b.row) }
}

function normOfSum(vectors: Float32Array, k: number): number {
  let squares = 0
  for (let i = 0; i < k; i++) {
    let sum = 0
    for (let at = i; at < vectors.length; at += k) sum += vectors[at]
    squares += sum * sum
  }
  return Math.sqrt(squares)
}
