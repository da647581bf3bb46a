import type { InteractionMatrix } from '../matrix/interaction-matrix.ts'
import { type Baseline, excludedRows, recommendEach } from './baseline.ts'
import { rowRandom } from './row-random.ts'
import type { SplitOptions } from './split.ts'

/** The baseline that recommends items at random, all alike: what a list is worth that knows nothing. A user's list follows from the seed. */
export function randomItems(train: InteractionMatrix, { seed = 42 }: SplitOptions = {}): Baseline {
  const { items } = train
  return {
    recommend: async (users, { limit = 10, exclude, allow, signal } = {}) => {
      const choices = allow ? Uint32Array.from(allow) : Uint32Array.from({ length: items }, (_, item) => item)
      const width = Math.min(limit, choices.length)
      return recommendEach(users, width, signal, (user, { rows }) => {
        const own = new Set(excludedRows(train, exclude, user))
        const random = rowRandom(seed, user)
        // Fisher and Yates, as far as the list needs.
        const swapped: [number, number][] = []
        let count = 0
        for (let from = 0; from < choices.length && count < width; from++) {
          const at = from + Math.floor(random() * (choices.length - from))
          ;[choices[from], choices[at]] = [choices[at], choices[from]]
          swapped.push([from, at])
          if (!own.has(choices[from])) rows[count++] = choices[from]
        }
        // Back, so that a list does not depend on the users before.
        for (const [a, b] of swapped.reverse()) [choices[a], choices[b]] = [choices[b], choices[a]]
        return count
      })
    },
  }
}
