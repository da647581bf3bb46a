import { blend, type Condition, match, type QueryRequest, range } from '@seesaw/qdrant-sink'
import { vectorNames } from '../../pipeline/served-vectors.ts'
import type { Dial } from '../answers.ts'
import { type Catalogue, type ItemFilter, wordFields } from './catalogue.ts'
import type { Question } from './source.ts'

/** The published vectors: their names, or '' for one without a name. */
export type PublishedVectors = readonly string[]

/** The positions of the dial that published vectors can answer. */
export function dialsOf(vectors: PublishedVectors): Dial[] {
  return [
    ...(vectors.includes(vectorNames.similar) || vectors.includes('') ? ['likeness' as const] : []),
    ...(vectors.includes(vectorNames.taste) ? ['taste' as const] : []),
  ]
}

/** The request that asks a question of an alias. */
export function toRequest(
  { positive, negative, dial, filter, limit }: Question,
  catalogue: Catalogue,
  alias: string,
  vectors: PublishedVectors,
): QueryRequest {
  const using = vectorFor(dial, vectors)
  const must = conditionsOf(filter)
  const ids = (rows: readonly number[]) => rows.map((row) => catalogue.idOf(row))
  const weighted = dial === 'taste' && vectors.includes(vectorNames.example)
  return blend({
    positive: ids(positive),
    negative: ids(negative),
    limit,
    ...(using && { using }),
    ...(weighted && { examplesFrom: { alias, vector: vectorNames.example } }),
    ...(must.length > 0 && { filter: { must } }),
  })
}

/** The name of the vector that a dial asks; undefined for one without a name. */
export function vectorFor(dial: Dial, vectors: PublishedVectors): string | undefined {
  if (dial === 'taste') return vectorNames.taste
  return vectors.includes(vectorNames.similar) ? vectorNames.similar : undefined
}

export function conditionsOf(filter: ItemFilter): Condition[] {
  const { from, to, interactions } = filter
  const words = Object.entries(wordFields) as [keyof typeof wordFields, string][]
  return [
    ...words.flatMap(([field, column]) => (filter[field] === undefined ? [] : [match(column, filter[field])])),
    ...rangeOf('year', from, to),
    ...rangeOf('interaction_count', interactions.min, interactions.max),
  ]
}

function rangeOf(field: string, gte: number | undefined, lte: number | undefined): Condition[] {
  if (gte === undefined && lte === undefined) return []
  return [range(field, { ...(gte !== undefined && { gte }), ...(lte !== undefined && { lte }) })]
}
