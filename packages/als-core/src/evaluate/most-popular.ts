import type { InteractionMatrix } from '../matrix/interaction-matrix.ts'
import type { AlsModel } from '../model/als-model.ts'
import { resolveModelOptions } from '../model/options.ts'
import { sharedFloat32 } from '../pool/shared-arrays.ts'

/**
 * The baseline that recommends what most users have: a model of one factor, 1 for users and the number of interactions
 * for items, so that everything that works with a model works with it.
 */
export function mostPopular({ users, items, csc }: InteractionMatrix): AlsModel {
  const userFactors = sharedFloat32(users).fill(1)
  const interactionCounts = Uint32Array.from({ length: items }, (_, item) => csc.indptr[item + 1] - csc.indptr[item])
  const itemFactors = sharedFloat32(items)
  itemFactors.set(interactionCounts)
  const options = resolveModelOptions({ factors: 1, iterations: 0 })
  return { factors: 1, users, items, userFactors, itemFactors, interactionCounts, options, history: [] }
}
