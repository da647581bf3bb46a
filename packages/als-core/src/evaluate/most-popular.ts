import { countInteractions } from '../matrix/entries.ts'
import type { InteractionMatrix } from '../matrix/interaction-matrix.ts'
import type { AlsModel } from '../model/als-model.ts'
import { resolveModelOptions } from '../model/options.ts'
import { sharedFloat32 } from '../pool/shared-arrays.ts'

/**
 * The baseline that recommends what most users have: a model of one factor, 1 for users and the number of interactions
 * for items, so that everything that works with a model works with it.
 */
export function mostPopular(matrix: InteractionMatrix): AlsModel {
  const { users, items } = matrix
  const userFactors = sharedFloat32(users).fill(1)
  const interactionCounts = countInteractions(matrix)
  const itemFactors = sharedFloat32(items)
  itemFactors.set(interactionCounts)
  const options = resolveModelOptions({ factors: 1, iterations: 0 })
  return { factors: 1, users, items, userFactors, itemFactors, interactionCounts, options, history: [] }
}
