import type { MapPoints } from '../answers.ts'
import { principalComponents } from './principal-components.ts'
import type { Source } from './source.ts'

/** A larger catalogue shows those that most people know. */
const MOST = 20_000
/** Genres with a colour of their own. */
const COLOURS = 10
/** The map reaches from -WIDTH to WIDTH and from -HEIGHT to HEIGHT. */
const WIDTH = 1500
const HEIGHT = 1000

/** Two dimensions of the vectors' directions: the plane in which they differ most. Neighbours mostly lie together. */
export async function drawMap({ catalogue, vectors }: Pick<Source, 'catalogue' | 'vectors'>): Promise<MapPoints> {
  const rows = catalogue.byPopularity.subarray(0, MOST)
  const { data, dimension } = await vectors(rows)
  normalize(data, dimension)
  const [first, second] = principalComponents(data, dimension)
  const items = Array.from(rows, (row) => catalogue.item(row))
  const genres = catalogue.columns.genres
    .count()
    .slice(0, COLOURS)
    .map(({ value }) => value)
  const genreOf = new Map(genres.map((genre, place) => [genre, place]))
  return {
    ids: items.map(({ id }) => id),
    names: items.map(({ name, artists }) => [name, artists.join(', ')].filter(Boolean).join(' · ')),
    x: spread(first, WIDTH),
    y: spread(second, HEIGHT),
    genre: items.map(({ genres: [genre] }) => genreOf.get(genre ?? '') ?? genres.length),
    genres,
    popularity: items.map(({ popularity }) => Math.round(100 * popularity)),
  }
}

function normalize(vectors: Float32Array, k: number): void {
  for (let at = 0; at < vectors.length; at += k) {
    let squares = 0
    for (let i = at; i < at + k; i++) squares += vectors[i]! ** 2
    const length = Math.sqrt(squares) || 1
    for (let i = at; i < at + k; i++) vectors[i]! /= length
  }
}

/** Over the whole of an axis, in integers. */
function spread(values: Float64Array, edge: number): number[] {
  const [least, most] = values.reduce(
    ([low, high], value) => [Math.min(low!, value), Math.max(high!, value)],
    [Number.POSITIVE_INFINITY, Number.NEGATIVE_INFINITY],
  )
  const middle = (least! + most!) / 2
  const half = (most! - least!) / 2 || 1
  return Array.from(values, (value) => Math.round((edge * (value - middle)) / half))
}
