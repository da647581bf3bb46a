import { countInteractions } from '../matrix/entries.ts'
import type { InteractionMatrix } from '../matrix/interaction-matrix.ts'
import type { AlsModel } from '../model/als-model.ts'
import { resolveModelOptions } from '../model/options.ts'
import { sharedFloat32 } from '../pool/shared-arrays.ts'
import { allowedItems, type Baseline, excludedRows, recommendEach } from './baseline.ts'

/**
 * The baseline that recommends what most users have. It is a model as well, of one factor, 1 for users and the number of
 * interactions for items, so that everything that works with a model works with it.
 */
export function mostPopular(train: InteractionMatrix): AlsModel & Baseline {
  const { users, items } = train
  const userFactors = sharedFloat32(users).fill(1)
  const interactionCounts = countInteractions(train)
  const itemFactors = sharedFloat32(items)
  itemFactors.set(interactionCounts)
  const byCount = Uint32Array.from({ length: items }, (_, item) => item).sort(
    (a, b) => interactionCounts[b] - interactionCounts[a] || a - b,
  )
  const options = resolveModelOptions({ factors: 1, iterations: 0 })
  const model = { factors: 1, users, items, userFactors, itemFactors, interactionCounts, options, history: [] }
  return {
    ...model,
    recommend: async (asked, { limit = 10, exclude, allow, signal } = {}) => {
      const width = Math.min(limit, items)
      const allowed = allowedItems(items, allow)
      return recommendEach(asked, width, signal, (user, { rows, scores }) => {
        const own = new Set(excludedRows(train, exclude, user))
        let count = 0
        for (const item of byCount) {
          if (count === width) break
          if (own.has(item) || allowed?.[item] === 0) continue
          rows[count] = item
          scores[count++] = interactionCounts[item]
        }
        return count
      })
    },
  }
}
