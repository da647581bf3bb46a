import type { InteractionMatrix } from '../matrix/interaction-matrix.ts'
import { sharedFloat32, sharedUint32 } from '../pool/shared-arrays.ts'
import { createBatch, type RecommendationBatch } from '../recommend/recommendations.ts'
import { type Baseline, type BaselineOptions, excludedRows } from './baseline.ts'
import { rowRandom } from './row-random.ts'
import type { SplitOptions } from './split.ts'

/** The baseline that recommends items at random, all alike: what a list is worth that knows nothing. A user's list follows from the seed. */
export function randomItems(train: InteractionMatrix, { seed = 42 }: SplitOptions = {}): Baseline {
  const { items } = train
  return { recommend: async (users, options = {}) => recommend(users, options) }

  function recommend(
    users: ArrayLike<number>,
    { limit = 10, exclude, allow, signal }: BaselineOptions,
  ): RecommendationBatch {
    const choices = allow ? Uint32Array.from(allow) : Uint32Array.from({ length: items }, (_, item) => item)
    const width = Math.min(limit, choices.length)
    const rows = sharedUint32(users.length * width)
    const counts = sharedUint32(users.length)
    for (let q = 0; q < users.length; q++) {
      signal?.throwIfAborted()
      const own = new Set(excludedRows(train, exclude, users[q]))
      const random = rowRandom(seed, users[q])
      // Fisher and Yates, as far as the list needs.
      const swapped: [number, number][] = []
      for (let from = 0; from < choices.length && counts[q] < width; from++) {
        const at = from + Math.floor(random() * (choices.length - from))
        ;[choices[from], choices[at]] = [choices[at], choices[from]]
        swapped.push([from, at])
        if (!own.has(choices[from])) rows[q * width + counts[q]++] = choices[from]
      }
      // Back, so that a list does not depend on the users before.
      for (const [a, b] of swapped.reverse()) [choices[a], choices[b]] = [choices[b], choices[a]]
    }
    return createBatch(width, counts, rows, sharedFloat32(users.length * width), undefined)
  }
}
