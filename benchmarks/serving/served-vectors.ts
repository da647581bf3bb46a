/** What an index of a model holds, and the query vectors that Qdrant makes of a question. */
import { type AlsModel, type ServingQuestion, tasteSpace, type WorkerPool } from '@seesaw/als-core'

export interface ServedVectors {
  readonly items: number
  readonly factors: number
  /** Item vectors of the taste space, for inner products. */
  readonly taste: Float32Array<SharedArrayBuffer>
  /** Item factors, for cosines. */
  readonly similar: Float32Array<SharedArrayBuffer>
  query(question: ServingQuestion): Float64Array
}

export async function makeServedVectors(model: AlsModel, pool: WorkerPool): Promise<ServedVectors> {
  const { items, factors: k, itemFactors, userFactors, itemWeights } = model
  const space = await tasteSpace(model, { pool })
  const taste = await space.itemVectors(itemFactors, { pool })
  const users = await space.userVectors(userFactors, { pool })
  return {
    items,
    factors: k,
    taste,
    similar: itemFactors,
    query({ kind, metric, user, positive }) {
      if (kind === 'user') return Float64Array.from(users.subarray(user * k, (user + 1) * k))
      const vectors = metric === 'taste' ? taste : itemFactors
      const query = new Float64Array(k)
      for (const row of positive) {
        const vector = vectors.subarray(row * k, (row + 1) * k)
        const length = metric === 'taste' ? 1 : Math.hypot(...vector)
        const weight = metric === 'taste' ? (itemWeights?.[row] ?? 1) : 1
        for (let i = 0; i < k; i++) query[i] += (weight * vector[i]) / length
      }
      return query.map((value) => value / positive.length)
    },
  }
}
