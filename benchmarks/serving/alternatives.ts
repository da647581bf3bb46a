/** Other ways to answer the same questions, in process: folding the items in, and vectors divided by their length. */
import {
  type AlsModel,
  foldInUsers,
  matrixFromTriplets,
  Recommender,
  type ServingIndex,
  type ServingQuestion,
  type WorkerPool,
} from '@seesaw/als-core'

/** Answers by the vectors of users folded in from just the items that a question names: one half-sweep for all questions. */
export async function foldInIndex(
  model: AlsModel,
  questions: readonly ServingQuestion[],
  pool: WorkerPool,
): Promise<ServingIndex> {
  const rows: number[] = []
  const columns: number[] = []
  for (const [q, { positive }] of questions.entries()) {
    for (const item of positive) {
      rows.push(q)
      columns.push(item)
    }
  }
  const newcomers = matrixFromTriplets({ users: questions.length, items: model.items, rows, columns })
  const vectors = await foldInUsers(model, newcomers, { pool })
  const at = new Map(questions.map(({ user }, q) => [user, q]))
  const recommender = new Recommender(model, { pool })
  return {
    async answer({ user, exclude, limit }) {
      const q = at.get(user)!
      const vector = vectors.slice(q * model.factors, (q + 1) * model.factors)
      const { rows } = await recommender.recommendForVectors(vector, { limit: limit + exclude.length })
      return without(rows, exclude, limit)
    },
  }
}

/** Answers from taste vectors divided by their length to the power `lengthExponent`. */
export function scaledIndex(model: AlsModel, lengthExponent: number, pool: WorkerPool): ServingIndex {
  const recommender = new Recommender(model, { pool })
  return {
    async answer({ positive, exclude, limit }) {
      const { rows } = await recommender.blend([{ positive }], { limit: limit + exclude.length, lengthExponent })
      return without(rows, exclude, limit)
    },
  }
}

function without(rows: Uint32Array, exclude: Uint32Array, limit: number): Uint32Array {
  const out = new Set(exclude)
  return rows.filter((row) => !out.has(row)).subarray(0, limit)
}
