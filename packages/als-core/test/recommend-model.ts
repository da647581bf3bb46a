/** A small model with known factors, and the plain way to rank with it. */
import type { AlsModel, InteractionMatrix } from '../src/index.ts'
import { matrixFromTriplets } from '../src/index.ts'

export function random(seed: number): () => number {
  let state = seed
  return () => {
    state = (Math.imul(state, 1664525) + 1013904223) | 0
    return (state >>> 8) / 2 ** 24
  }
}

/** Factors whose norms vary by two orders of magnitude, as popular and rare items do. */
export function makeModel(users: number, items: number, factors: number, seed = 1): AlsModel {
  const next = random(seed)
  const fill = (rows: number) => {
    const values = new Float32Array(new SharedArrayBuffer(rows * factors * 4))
    for (let row = 0; row < rows; row++) {
      const scale = 2 ** (-7 * next())
      for (let i = 0; i < factors; i++) values[row * factors + i] = scale * (next() + next() + next() - 1.4)
    }
    return values
  }
  const interactionCounts = Uint32Array.from({ length: items }, () => Math.floor(1000 * next() ** 4))
  const userIds = Array.from({ length: users }, (_, user) => `u${user}`)
  const itemIds = Array.from({ length: items }, (_, item) => 1000 + 3 * item)
  const model = { factors, users, items, userFactors: fill(users), itemFactors: fill(items), interactionCounts }
  return { ...model, userIds, itemIds, options: {} as AlsModel['options'], history: [] }
}

export function makeInteractions(
  users: number,
  items: number,
  perUser: number,
  seed = 2,
  without?: InteractionMatrix,
): InteractionMatrix {
  const next = random(seed)
  const rows: number[] = []
  const columns: number[] = []
  for (let user = 0; user < users; user++) {
    const known = without?.csr.indices.subarray(without.csr.indptr[user], without.csr.indptr[user + 1])
    for (let i = 0; i < perUser; i++) {
      const item = Math.floor(items * next())
      if (known?.includes(item)) continue
      rows.push(user)
      columns.push(item)
    }
  }
  const values = Float32Array.from(rows, () => 1)
  return matrixFromTriplets({
    users,
    items,
    rows: Uint32Array.from(rows),
    columns: Uint32Array.from(columns),
    values,
    duplicates: 'max',
  })
}

/** Every row scored and sorted: the f64 inner product or cosine, rounded to f32, ties by lower row. */
export function plainTop(
  query: ArrayLike<number>,
  vectors: Float32Array,
  limit: number,
  {
    cosine = false,
    allowed = () => true,
    penalty = () => 0,
  }: { cosine?: boolean; allowed?: (row: number) => boolean; penalty?: (row: number) => number } = {},
): { row: number; score: number }[] {
  const k = query.length
  const norm = (v: ArrayLike<number>) => Math.sqrt(Array.from(v).reduce((sum, x) => sum + x * x, 0))
  const scored: { row: number; score: number }[] = []
  for (let row = 0; row < vectors.length / k; row++) {
    if (!allowed(row)) continue
    const vector = vectors.subarray(row * k, (row + 1) * k)
    let score = 0
    for (let i = 0; i < k; i++) score += query[i] * vector[i]
    if (cosine) score = norm(vector) > 0 && norm(query) > 0 ? score / (norm(query) * norm(vector)) : 0
    scored.push({ row, score: Math.fround(score - penalty(row)) })
  }
  return scored.sort((a, b) => b.score - a.score || a.row - b.row).slice(0, limit)
}
