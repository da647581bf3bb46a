/** Random points and random requests, as the builders of @seesaw/qdrant-sink make them. */
import {
  atLeastAsPopularAs,
  blend,
  type Condition,
  crowdFavourites,
  type Filter,
  filter,
  hasId,
  hiddenGems,
  isEmpty,
  match,
  matchAny,
  matchExcept,
  type NamedVectors,
  type Payload,
  type QueryRequest,
  type RequestOptions,
  range,
  rarerThan,
  type Strategy,
  similar,
} from '@seesaw/qdrant-sink'
import { makeBatches } from '../../packages/qdrant-sink/src/points/batch.ts'
import { PayloadReader } from '../../packages/qdrant-sink/src/points/payload.ts'
import { pointSource } from '../../packages/qdrant-sink/src/points/source.ts'

type Random = () => number

interface Point {
  id: number
  vector: Record<string, number[]>
  payload: Payload
}

export interface Catalogue {
  vectors: NamedVectors
  payloads(row: number): Payload
  /** The points of `vectors`, as `publish` writes them. */
  published: Point[]
  /** More points, not made by `publish`: of every length, down to zero. */
  raw: Point[]
}

export interface EngineCase {
  kind: string
  body: QueryRequest
}

const dimension = 12
const genres = ['Electronic', 'Jazz', 'Rock', 'Folk']
const lengths = [1, 1e-2, 1e-3, 3.6e-4, 3.46e-4, 3.44e-4, 3.3e-4, 1e-4, 1e-5, 1e-10, 1e-30, 0, 1e3, 1e10]

export async function makeCatalogue(random: Random): Promise<Catalogue> {
  const rows = 300
  const ids = Uint32Array.from({ length: rows }, (_, row) => row + 1)
  const data = (): Float32Array => Float32Array.from({ length: rows * dimension }, () => random() * 2 - 1)
  const named: NamedVectors['named'] = {
    similar: { data: data(), dimension },
    taste: { data: data(), dimension, distance: 'Dot' },
  }
  const all = Array.from({ length: rows }, () => payload(random))
  const payloads = (row: number): Payload => all[row]
  const published: Point[] = []
  const source = pointSource('vectors', { ids, named }, 'float32')
  const reader = new PayloadReader('vectors', rows, payloads)
  const options = {
    source,
    payloads: reader,
    idField: undefined,
    start: 0,
    batchSize: 500,
    maxBatchBytes: 1e9,
    onPoint() {},
  }
  for await (const { body } of makeBatches(options)) published.push(...JSON.parse(body.toString()).points)
  const raw = lengths.map((length, i): Point => {
    const vector = Array.from({ length: dimension }, () => random() * 2 - 1)
    const scaled = vector.map((value) => (value * length) / Math.hypot(...vector))
    return { id: 1000 + i, vector: { similar: scaled, taste: scaled }, payload: payload(random) }
  })
  return { vectors: { ids, named }, payloads, published, raw }
}

function payload(random: Random): Payload {
  const pick = (count: number): number => Math.floor(random() * count)
  return {
    ...(random() < 0.9 && { year: 1960 + pick(60) }),
    genres: genres.filter(() => random() < 0.4),
    country: random() < 0.1 ? null : `Country ${pick(5)}`,
    ...(random() < 0.9 && { interaction_count: Math.floor(5 / (random() + 1e-3)) }),
  }
}

/** One of all kinds of requests, with or without filter, offset and threshold. */
export function makeRequest(random: Random, ids: number[]): EngineCase {
  const pick = <T>(list: readonly T[]): T => list[Math.floor(random() * list.length)]
  const some = (count: number): number[] => Array.from({ length: count }, () => pick(ids))
  const vector = (): number[] => Array.from({ length: dimension }, () => random() * 2 - 1)
  const using = pick(['similar', 'taste'])
  const options: RequestOptions = {
    using,
    limit: 1 + Math.floor(random() * 30),
    payload: false,
    ...(random() < 0.2 && { offset: 1 + Math.floor(random() * 5) }),
    ...(random() < 0.5 && { filter: makeFilter(random, ids) }),
  }
  const threshold = random() < 0.3 && { scoreThreshold: using === 'similar' ? random() * 0.5 : random() * 3 }
  const example = random() < 0.5 ? pick(ids) : vector()
  const examples = (count: number): (number | number[])[] => some(count).map((id) => (random() < 0.7 ? id : vector()))
  const negative = random() < 0.5 ? examples(1 + Math.floor(random() * 3)) : []
  const kind = pick(['similar', 'diverse', 'average', 'best score', 'sum of scores', 'formula', 'popularity'] as const)
  switch (kind) {
    case 'similar':
      return { kind, body: similar(example, { ...options, ...threshold }) }
    case 'diverse':
      return { kind, body: similar(example, { ...options, diversity: random() }) }
    case 'average':
      return {
        kind,
        body: blend({ positive: examples(1 + Math.floor(random() * 5)), negative, ...options, ...threshold }),
      }
    case 'best score':
    case 'sum of scores': {
      const strategy: Strategy = kind === 'best score' ? 'best_score' : 'sum_scores'
      const positive = negative.length > 0 && random() < 0.2 ? [] : examples(1 + Math.floor(random() * 4))
      return { kind, body: blend({ positive, negative, strategy, ...options, ...threshold }) }
    }
    case 'popularity':
      return { kind, body: similar(example, { ...options, rescore: pick([hiddenGems, crowdFavourites])(random()) }) }
    case 'formula': {
      const defaults = { interaction_count: 0, year: 1990 }
      return {
        kind,
        body: similar(example, { ...options, ...threshold, rescore: { formula: makeFormula(random, 3), defaults } }),
      }
    }
  }
}

function makeFilter(random: Random, ids: number[]): Filter {
  const pick = <T>(list: readonly T[]): T => list[Math.floor(random() * list.length)]
  const year = (): number => 1960 + Math.floor(random() * 60)
  const conditions: (() => Condition)[] = [
    () => match('genres', pick(genres)),
    () => match('country', 'Country 1'),
    () =>
      matchAny(
        'genres',
        genres.filter(() => random() < 0.5),
      ),
    () => matchExcept('country', ['Country 1', 'Country 2']),
    () => matchExcept('genres', ['Jazz']),
    () => range('year', pick([{ gte: year() }, { lt: year() }, { gt: 1970, lte: year() }])),
    () => rarerThan(1 + Math.floor(random() * 50)),
    () => atLeastAsPopularAs(1 + Math.floor(random() * 20)),
    () => isEmpty(pick(['genres', 'country', 'year', 'nothing'])),
    () => hasId(ids.filter(() => random() < 0.5)),
  ]
  const some = (): Condition[] => Array.from({ length: 1 + Math.floor(random() * 2) }, () => pick(conditions)())
  return filter({
    ...(random() < 0.5 && { must: some() }),
    ...(random() < 0.3 && { mustNot: some() }),
    ...(random() < 0.3 && { should: [...some(), filter({ must: some() })] }),
  })
}

function makeFormula(random: Random, depth: number): NonNullable<RequestOptions['rescore']>['formula'] {
  const inner = () => makeFormula(random, depth - 1)
  const positive = () => ({ sum: [1, { abs: inner() }] })
  const leaves = [
    () => '$score',
    () => Math.round(random() * 100) / 10,
    () => 'interaction_count',
    () => 'year',
    () => match('genres', 'Jazz'),
  ]
  const nodes = [
    () => ({ sum: [inner(), inner()] }),
    () => ({ mult: [inner(), inner()] }),
    () => ({ neg: inner() }),
    () => ({ abs: inner() }),
    () => ({ div: { left: inner(), right: positive() } }),
    () => ({ sqrt: positive() }),
    () => ({ log10: positive() }),
    () => ({ ln: positive() }),
    () => ({ pow: { base: positive(), exponent: 0.5 } }),
  ]
  const list = depth === 0 ? leaves : [...leaves, ...nodes, ...nodes]
  return list[Math.floor(random() * list.length)]()
}
