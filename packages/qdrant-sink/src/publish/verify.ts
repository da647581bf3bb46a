import { isDeepStrictEqual } from 'node:util'
import type { Schemas } from '@qdrant/js-client-rest'
import { PublishError } from '../errors.ts'
import { countPoints } from '../server/collections.ts'
import type { CallOptions, Connection } from '../server/connection.ts'
import type { Payload, PointId, Vectors } from './input.ts'

export type Distance = Schemas['Distance']

export interface Expected {
  collection: string
  vectors: Vectors
  /** The distance of the vector without a name, or of each named one. */
  distance: Distance | Record<string, Distance>
  /** Payloads of the sampled rows, as they were sent. */
  sample: Map<number, Payload | undefined>
  /** Largest difference of one value: 0 where the server keeps float32, more where it was told to keep less. */
  tolerance: number
}

/** Counts exactly, reads the sampled points back, and asks one query, before anything is swapped. */
export async function verify(connection: Connection, expected: Expected, options: CallOptions): Promise<void> {
  const { collection, vectors, sample } = expected
  const count = await countPoints(connection, collection, options)
  if (count !== vectors.ids.length) {
    throw failure(collection, `Expected ${vectors.ids.length} points in ${collection}, the server counts ${count}.`)
  }
  const rows = [...sample.keys()]
  for (let from = 0; from < rows.length; from += 100) {
    await compareRows(connection, expected, rows.slice(from, from + 100), options)
  }
  await tryQuery(connection, expected, rows[0], options)
}

/** Rows to read back: the first, the last, and others evenly between. */
export function sampleRows(total: number, size: number): Set<number> {
  const rows = new Set<number>()
  const count = Math.min(total, Math.max(1, size))
  for (let i = 0; i < count; i++) rows.add(count === 1 ? 0 : Math.round((i * (total - 1)) / (count - 1)))
  return rows
}

async function compareRows(
  connection: Connection,
  expected: Expected,
  rows: number[],
  options: CallOptions,
): Promise<void> {
  const { collection, vectors } = expected
  const ids = rows.map((row) => vectors.ids[row] as Schemas['ExtendedPointId'])
  const points = await connection.call<Schemas['Record'][]>(
    (api, init) => api.getPoints({ collection_name: collection, ids, with_vector: true, with_payload: true }, init),
    options,
  )
  const found = new Map(points.map((point) => [idKey(point.id), point]))
  for (const row of rows) {
    const id = vectors.ids[row]
    const point = found.get(idKey(id))
    if (point === undefined)
      throw failure(collection, `Expected point ${id} (row ${row}) in ${collection}, the server does not have it.`)
    compareVectors(expected, row, point.vector)
    const sent = JSON.parse(JSON.stringify(expected.sample.get(row) ?? {})) as Payload
    if (!isDeepStrictEqual(sent, point.payload ?? {})) {
      throw failure(
        collection,
        `Expected the payload of point ${id} (row ${row}) in ${collection} to be ${JSON.stringify(sent)}, the server has ${JSON.stringify(point.payload)}. ` +
          'If the payloads changed since an interrupted run, pass another `version`.',
      )
    }
  }
}

function compareVectors(expected: Expected, row: number, stored: unknown): void {
  const { collection, vectors, distance } = expected
  const values = vectors.data.subarray(row * vectors.dimension, (row + 1) * vectors.dimension)
  const named: [string, Distance, unknown][] =
    typeof distance === 'string'
      ? [['', distance, stored]]
      : Object.entries(distance).map(([name, kind]) => [
          name,
          kind,
          (stored as Record<string, unknown> | undefined)?.[name],
        ])
  for (const [name, kind, vector] of named) {
    // The server stores vectors for cosine at unit length.
    const scale = kind === 'Cosine' ? 1 / (Math.hypot(...values) || 1) : 1
    const tolerance = kind === 'Cosine' ? Math.max(expected.tolerance, 1e-6) : expected.tolerance
    // The server writes the shortest decimal of a float32, which as a float64 is not quite the number that was sent.
    const same =
      Array.isArray(vector) &&
      vector.length === values.length &&
      vector.every(
        (value, column) =>
          Math.abs(Math.fround(value) - values[column] * scale) <= tolerance * Math.max(1, Math.abs(values[column])),
      )
    if (!same) {
      const which = name && ` "${name}"`
      throw failure(
        collection,
        `The vector${which} of point ${vectors.ids[row]} (row ${row}) in ${collection} is not the one sent: expected [${preview(Array.from(values, (value) => value * scale))}], got [${preview(vector)}].`,
      )
    }
  }
}

async function tryQuery(connection: Connection, expected: Expected, row: number, options: CallOptions): Promise<void> {
  const { collection, vectors, distance } = expected
  const query = Array.from(vectors.data.subarray(row * vectors.dimension, (row + 1) * vectors.dimension))
  const using = typeof distance === 'string' ? undefined : Object.keys(distance)[0]
  const { points } = await connection.call<Schemas['QueryResponse']>(
    (api, init) => api.queryPoints({ collection_name: collection, query, limit: 1, ...(using && { using }) }, init),
    options,
  )
  if (points.length !== 1)
    throw failure(collection, `Expected one point from a first query on ${collection}, got ${points.length}.`)
}

function failure(collection: string, message: string): PublishError {
  return new PublishError(`${message} Nothing was swapped.`, { step: 'verify', collection })
}

function idKey(id: PointId): string {
  return String(id).toLowerCase().replaceAll('-', '')
}

function preview(values: unknown): string {
  if (!Array.isArray(values)) return String(values)
  return `${values
    .slice(0, 4)
    .map((value) => Number(value).toPrecision(6))
    .join(', ')}${values.length > 4 ? ', ...' : ''}`
}
