import type { Schemas } from '@qdrant/js-client-rest'
import { meets, passes, valuesOf } from './filter.ts'
import {
  type Id,
  idKey,
  normalized,
  Refusal,
  type Storage,
  type StoredCollection,
  type StoredPoint,
} from './storage.ts'

interface Scored {
  point: StoredPoint
  score: number
}

type Request = Pick<
  Schemas['QueryRequest'],
  'prefetch' | 'query' | 'using' | 'filter' | 'score_threshold' | 'limit' | 'offset' | 'lookup_from'
>

/** Answers a query exactly, by looking at every point. */
export function search(storage: Storage, name: string, request: Schemas['QueryRequest']): Schemas['ScoredPoint'][] {
  const collection = storage.find(name)
  return run(storage, collection, request).map((scored) => renderScored(scored, request))
}

export function searchGroups(
  storage: Storage,
  name: string,
  request: Schemas['QueryGroupsRequest'],
): Schemas['GroupsResult'] {
  const collection = storage.find(name)
  const size = request.group_size ?? 3
  const groups = new Map<string | number, Scored[]>()
  for (const scored of run(storage, collection, { ...request, limit: collection.points.size, offset: 0 })) {
    for (const value of new Set(valuesOf(scored.point.payload, request.group_by))) {
      if (typeof value !== 'string' && typeof value !== 'number') continue
      const hits = groups.get(value) ?? []
      if (hits.length < size) hits.push(scored)
      groups.set(value, hits)
    }
  }
  const first = [...groups].slice(0, request.limit ?? 10)
  return { groups: first.map(([id, hits]) => ({ id, hits: hits.map((scored) => renderScored(scored, request)) })) }
}

function run(storage: Storage, collection: StoredCollection, request: Request): Scored[] {
  const limit = request.limit ?? 10
  const offset = request.offset ?? 0
  const prefetches = [request.prefetch ?? []].flat() as Schemas['Prefetch'][]
  const fetched = prefetches.map((prefetch) => run(storage, collection, prefetch as Request))
  const candidates: Scored[] =
    fetched.length > 0
      ? distinct(fetched.flat())
      : [...collection.points.values()].map((point) => ({ point, score: 0 }))
  const passing = candidates.filter(({ point }) => passes(point, request.filter as Schemas['Filter'] | null))
  return rank(storage, collection, request, passing, limit + offset).slice(offset, offset + limit)
}

function rank(
  storage: Storage,
  collection: StoredCollection,
  request: Request,
  candidates: Scored[],
  limit: number,
): Scored[] {
  const query = normalised(request.query)
  if (query === undefined) return byScore(candidates)
  const threshold = request.score_threshold ?? Number.NEGATIVE_INFINITY
  if ('formula' in query) {
    const { formula, defaults } = query as Schemas['FormulaQuery']
    const rescored = candidates.map(({ point, score }) => ({
      point,
      score: evaluate(formula, point, score, defaults ?? {}),
    }))
    return byScore(rescored.filter(({ score }) => score >= threshold))
  }
  const using = request.using ?? ''
  const params = collection.vectors.get(using)
  if (!params) throw new Refusal(400, `Wrong input: Not existing vector name error: ${using}`)
  const lookup = request.lookup_from as Schemas['LookupLocation'] | null | undefined
  const source = lookup ? storage.find(lookup.collection) : collection
  const sourceUsing = lookup?.vector ?? using
  const own = lookup ? source.name === collection.name : true
  const resolve = (input: unknown): Float32Array => resolveVector(source, sourceUsing, params, input)
  const exclude = new Set<string>()
  const refer = (input: unknown): Float32Array => {
    if (own && !Array.isArray(input)) exclude.add(idKey(input as Id))
    return resolve(input)
  }
  const vectorOf = ({ point }: Scored): Float32Array => point.vectors.get(using) as Float32Array
  // Unlike a formula's, a likeness equal to the threshold does not pass.
  const rankedBy = (score: (vector: Float32Array) => number): Scored[] =>
    byScore(
      candidates
        .filter(({ point }) => !exclude.has(idKey(point.id)) && point.vectors.has(using))
        .map((scored) => ({ point: scored.point, score: score(vectorOf(scored)) }))
        .filter(({ score }) => score > threshold),
    )

  if ('recommend' in query) {
    const { positive, negative, strategy } = query.recommend as Schemas['RecommendInput']
    const positives = (positive ?? []).map(refer)
    const negatives = (negative ?? []).map(refer)
    if (strategy === undefined || strategy === null || strategy === 'average_vector') {
      if (positives.length === 0)
        throw new Refusal(400, 'Bad request: At least one positive vector ID required with this strategy')
      const target = averageTarget(positives, negatives)
      return rankedBy((vector) => similarity(params, target, vector))
    }
    if (positives.length + negatives.length === 0)
      throw new Refusal(400, 'Wrong input: Recommend query requires at least one example')
    return rankedBy((vector) => {
      const near = (example: Float32Array): number => similarity(params, example, vector)
      const plus = positives.map(near)
      const minus = negatives.map(near)
      return strategy === 'sum_scores' ? sum(plus) - sum(minus) : bestScore(plus, minus)
    })
  }
  if (!('nearest' in query))
    throw new Refusal(400, `Bad request: the stand-in does not know this query: ${JSON.stringify(query).slice(0, 200)}`)
  const { nearest, mmr } = query as Schemas['NearestQuery']
  const target = refer(nearest)
  const ranked = rankedBy((vector) => similarity(params, target, vector))
  return mmr
    ? diversify(ranked, mmr as Schemas['Mmr'], limit, (a, b) => similarity(params, vectorOf(a), vectorOf(b)))
    : ranked
}

/** A bare id or vector is short for `{ nearest }`. */
function normalised(query: unknown): Record<string, unknown> | undefined {
  if (query === null || query === undefined) return undefined
  return typeof query === 'object' && !Array.isArray(query) ? (query as Record<string, unknown>) : { nearest: query }
}

function resolveVector(
  source: StoredCollection,
  using: string,
  params: Schemas['VectorParams'],
  input: unknown,
): Float32Array {
  if (Array.isArray(input)) {
    if (input.length !== params.size)
      throw new Refusal(400, `Wrong input: Vector dimension error: expected dim: ${params.size}, got ${input.length}`)
    return Float32Array.from(input as number[])
  }
  const point = source.points.get(idKey(input as Id))
  if (!point) throw new Refusal(404, `Not found: No point with id ${input} found`)
  const vector = point.vectors.get(using)
  if (!vector) throw new Refusal(400, `Wrong input: Not existing vector name error: ${using}`)
  return vector
}

/** avg(positive), and with negatives 2·avg(positive) - avg(negative). */
function averageTarget(positives: Float32Array[], negatives: Float32Array[]): Float32Array {
  const plus = mean(positives)
  if (negatives.length === 0) return plus
  const minus = mean(negatives)
  return plus.map((value, column) => 2 * value - minus[column])
}

function mean(vectors: Float32Array[]): Float32Array {
  return vectors[0].map((_, column) => sum(vectors.map((vector) => vector[column])) / vectors.length)
}

/** The nearest example decides: σ of a positive, -σ of a negative, with σ(x) = (x / (1 + |x|) + 1) / 2. */
function bestScore(plus: number[], minus: number[]): number {
  const best = Math.max(...plus, Number.NEGATIVE_INFINITY)
  const worst = Math.max(...minus, Number.NEGATIVE_INFINITY)
  const sigmoid = (x: number): number => 0.5 * (x / (1 + Math.abs(x)) + 1)
  return best > worst ? sigmoid(best) : -sigmoid(worst)
}

/** Maximal marginal relevance: (1 - diversity)·relevance - diversity·(likeness to the nearest one chosen). */
function diversify(
  ranked: Scored[],
  { diversity, candidates_limit: most }: Schemas['Mmr'],
  limit: number,
  like: (a: Scored, b: Scored) => number,
): Scored[] {
  const weight = diversity ?? 0.5
  const pool = ranked.slice(0, most ?? limit)
  const chosen: Scored[] = []
  while (pool.length > 0 && chosen.length < limit) {
    let best = 0
    let bestScore = Number.NEGATIVE_INFINITY
    for (let i = 0; i < pool.length; i++) {
      const closest = chosen.length === 0 ? 0 : Math.max(...chosen.map((other) => like(pool[i], other)))
      const score = (1 - weight) * pool[i].score - weight * closest
      if (score > bestScore) [best, bestScore] = [i, score]
    }
    chosen.push(...pool.splice(best, 1))
  }
  return chosen
}

function evaluate(
  expression: Schemas['Expression'],
  point: StoredPoint,
  score: number,
  defaults: Record<string, unknown>,
): number {
  const value = (inner: Schemas['Expression']): number => evaluate(inner, point, score, defaults)
  if (typeof expression === 'number') return expression
  if (typeof expression === 'string') {
    if (expression.startsWith('$score')) return score
    const found = valuesOf(point.payload, expression)[0] ?? defaults[expression]
    if (typeof found !== 'number')
      throw new Refusal(
        400,
        `Bad request: Expected number value for ${expression} in the payload and/or in the formula defaults.`,
      )
    return found
  }
  if ('sum' in expression) return sum(expression.sum.map(value))
  if ('mult' in expression) return expression.mult.map(value).reduce((product, factor) => product * factor, 1)
  if ('neg' in expression) return -value(expression.neg)
  if ('abs' in expression) return Math.abs(value(expression.abs))
  if ('div' in expression) return value(expression.div.left) / value(expression.div.right)
  if ('sqrt' in expression) return Math.sqrt(value(expression.sqrt))
  if ('pow' in expression) return value(expression.pow.base) ** value(expression.pow.exponent)
  if ('exp' in expression) return Math.exp(value(expression.exp))
  if ('log10' in expression) return Math.log10(value(expression.log10))
  if ('ln' in expression) return Math.log(value(expression.ln))
  // A condition counts 1 where it holds.
  return meets(point, expression as Schemas['Condition']) ? 1 : 0
}

function similarity({ distance }: Schemas['VectorParams'], a: Float32Array, b: Float32Array): number {
  if (distance !== 'Dot' && distance !== 'Cosine')
    throw new Refusal(400, `Bad request: the stand-in knows Dot and Cosine, not ${distance}`)
  // Stored vectors have unit length, a query's is made so.
  const target = distance === 'Cosine' ? normalized(a) : a
  let dot = 0
  for (let i = 0; i < a.length; i++) dot += target[i] * b[i]
  return dot
}

function renderScored(
  { point, score }: Scored,
  request: Pick<Schemas['QueryRequest'], 'with_payload' | 'with_vector'>,
): Schemas['ScoredPoint'] {
  return { ...render(point, request), version: point.version, score }
}

/** A point with what was asked for of its payload and its vectors. */
export function render(
  point: StoredPoint,
  { with_payload: fields, with_vector: vectors }: Pick<Schemas['QueryRequest'], 'with_payload' | 'with_vector'>,
): Schemas['Record'] {
  const payload = Array.isArray(fields)
    ? Object.fromEntries(Object.entries(point.payload).filter(([key]) => (fields as string[]).includes(key)))
    : point.payload
  const all = vectorsOf(point)
  const some = Array.isArray(vectors) && !Array.isArray(all) ? select(all, vectors) : all
  return {
    id: point.id as number | string,
    ...(fields && { payload }),
    ...(vectors && { vector: some as Schemas['VectorStructOutput'] }),
  }
}

function select(vectors: Record<string, number[]>, names: string[]): Record<string, number[]> {
  return Object.fromEntries(Object.entries(vectors).filter(([name]) => names.includes(name)))
}

export function vectorsOf({ vectors }: StoredPoint): number[] | Record<string, number[]> {
  const unnamed = vectors.get('')
  return unnamed
    ? Array.from(unnamed)
    : Object.fromEntries([...vectors].map(([name, values]) => [name, Array.from(values)]))
}

function byScore(scored: Scored[]): Scored[] {
  return scored.sort((a, b) => b.score - a.score || compareIds(a.point.id, b.point.id))
}

function compareIds(a: Id, b: Id): number {
  return a < b ? -1 : a > b ? 1 : 0
}

function distinct(scored: Scored[]): Scored[] {
  return [...new Map(scored.map((one) => [idKey(one.point.id), one])).values()]
}

function sum(values: number[]): number {
  return values.reduce((total, value) => total + value, 0)
}
