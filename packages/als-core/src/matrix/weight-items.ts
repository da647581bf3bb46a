import { number } from '../checks/values.ts'
import { sharedFloat32 } from '../pool/shared-arrays.ts'
import { countInteractions, valueAt } from './entries.ts'
import type { InteractionMatrix } from './interaction-matrix.ts'

/** What the popularity of items does to the values of a matrix: w(n) = (n·scale)^-exponent for an item of n entries. */
export interface PopularityWeights {
  readonly exponent: number
  readonly scale: number
}

/**
 * Weights that give less to what everybody has: value r of an item of n entries becomes r·w(n). The scale keeps the mean of
 * |r|. On Gowalla and Amazon CDs an exponent of 0.25 is worth 0.004 of Recall@20 (docs/quality.md); 0.5 takes most of that
 * back.
 */
export function popularityWeights({ csc, codebook, items }: InteractionMatrix, exponent: number): PopularityWeights {
  let before = 0
  let after = 0
  for (let item = 0; item < items; item++) {
    const count = csc.indptr[item + 1] - csc.indptr[item]
    if (count === 0) continue
    let sum = 0
    for (let e = csc.indptr[item]; e < csc.indptr[item + 1]; e++) {
      sum += Math.abs(valueAt(csc, codebook, e))
    }
    before += sum
    after += sum * count ** -exponent
  }
  // (scale^-exponent)·after = before.
  return { exponent, scale: exponent === 0 || before === 0 ? 1 : (after / before) ** (1 / exponent) }
}

/** The weight of each item: w of its entries in `matrix`, 1 for an item without. */
export function itemWeightsOf(
  matrix: Pick<InteractionMatrix, 'csc' | 'items'>,
  { exponent, scale }: PopularityWeights,
): Float32Array<SharedArrayBuffer> {
  const weights = sharedFloat32(matrix.items)
  for (const [item, count] of countInteractions(matrix).entries()) {
    weights[item] = count > 0 ? (count * scale) ** -exponent : 1
  }
  return weights
}

/** The same pairs with each value times the weight of its item; 8 bytes per entry, the rest is shared with `matrix`. */
export function weightItems(matrix: InteractionMatrix, weights: ArrayLike<number>): InteractionMatrix {
  const { csr, csc, codebook, entries, items } = matrix
  const ofUsers = sharedFloat32(entries)
  const ofItems = sharedFloat32(entries)
  for (let e = 0; e < entries; e++) ofUsers[e] = valueAt(csr, codebook, e) * weights[csr.indices[e]]
  for (let item = 0; item < items; item++) {
    for (let e = csc.indptr[item]; e < csc.indptr[item + 1]; e++) ofItems[e] = valueAt(csc, codebook, e) * weights[item]
  }
  return { ...matrix, codebook: undefined, csr: { ...csr, values: ofUsers }, csc: { ...csc, values: ofItems } }
}

/**
 * A matrix whose popular items weigh less: `weightItems` by `popularityWeights`. `train` does the same by its option
 * `popularityExponent`, and then the model knows the weights for folding in, blending and explaining.
 *
 * @param exponent From 0 to 1. Default 0.25.
 * @throws RangeError when the exponent is not in that range.
 */
export function weightByPopularity(matrix: InteractionMatrix, exponent = 0.25): InteractionMatrix {
  number('exponent', exponent, 0, 1)
  return weightItems(matrix, itemWeightsOf(matrix, popularityWeights(matrix, exponent)))
}
