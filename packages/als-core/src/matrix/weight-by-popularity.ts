import { sharedFloat32 } from '../pool/shared-arrays.ts'
import { countInteractions, valueAt } from './entries.ts'
import { matrixFromCsr } from './from-csr.ts'
import type { InteractionMatrix } from './interaction-matrix.ts'

/**
 * The same pairs with less weight on what everybody has: value r of an item with n entries becomes r·(n/n̄)^-exponent,
 * times the one factor that keeps the mean of |r|. An exponent of 0 changes nothing; 0.25 is worth 0.004 of Recall@20
 * on Gowalla and Amazon CDs (docs/quality.md); 0.5 takes most of that back.
 *
 * @param exponent From 0 to 1. Default 0.25.
 * @throws RangeError when the exponent is not in that range.
 */
export function weightByPopularity(matrix: InteractionMatrix, exponent = 0.25): InteractionMatrix {
  if (!(exponent >= 0 && exponent <= 1)) throw new RangeError(`exponent is ${exponent}, expected a number from 0 to 1.`)
  const { users, items, entries, csr, codebook } = matrix
  const weights = Float64Array.from(countInteractions(matrix), (count) =>
    count === 0 ? 1 : ((count * items) / entries) ** -exponent,
  )
  const values = sharedFloat32(entries)
  let before = 0
  let after = 0
  for (let e = 0; e < entries; e++) {
    const value = valueAt(csr, codebook, e)
    values[e] = value * weights[csr.indices[e]]
    before += Math.abs(value)
    after += Math.abs(values[e])
  }
  for (let e = 0; e < entries; e++) values[e] *= before / after
  return matrixFromCsr({ users, items, indptr: csr.indptr, indices: csr.indices, values })
}
