import { checkFeatures, type FeatureMatrix } from '../features/feature-matrix.ts'
import { transpose } from '../matrix/compressed-rows.ts'
import type { InteractionMatrix } from '../matrix/interaction-matrix.ts'
import { allowedItems, type Baseline, excludedRows, recommendEach } from './baseline.ts'
import { Tally } from './tally.ts'

/**
 * The baseline "content kNN": a user's score for an item is the sum of its similarities to the user's items, the similarity
 * of two items the inner product of their features, which is their cosine where rows have length 1. It knows nothing of who
 * has what else, and everything of an item that nobody has. Items that score 0 or less are not listed.
 *
 * @throws MatrixError when the features are not those of the matrix's items
 */
export function contentNeighbours(train: InteractionMatrix, features: FeatureMatrix): Baseline {
  const { csr, items } = train
  checkFeatures('features', features, items, 'items')
  const itemsOf = transpose(features, features.features)
  const interests = new Tally(features.features)
  const scores = new Tally(items)
  return {
    recommend: async (users, { limit = 10, exclude, allow, signal } = {}) => {
      const allowed = allowedItems(items, allow)
      return recommendEach(users, limit, signal, (user, list) => {
        // Σ_j g_j·g_i over the user's items j is (Σ_j g_j)·g_i: the user's interests first, then the items that share them.
        for (let e = csr.indptr[user]; e < csr.indptr[user + 1]; e++) {
          const item = csr.indices[e]
          for (let f = features.indptr[item]; f < features.indptr[item + 1]; f++) {
            interests.add(features.indices[f], features.values[f])
          }
        }
        interests.takeAll((feature, interest) => {
          for (let e = itemsOf.indptr[feature]; e < itemsOf.indptr[feature + 1]; e++) {
            scores.add(itemsOf.indices[e], interest * itemsOf.values[e])
          }
        })
        for (const item of excludedRows(train, exclude, user)) scores.clear(item)
        return scores.takeList(list, allowed)
      })
    },
  }
}
