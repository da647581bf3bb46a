import type { Schemas } from '@qdrant/js-client-rest'
import { PublishError } from '../errors.ts'
import { toleranceOf, type VectorField } from '../points/field.ts'
import { parsePayload, samePayload } from '../points/payload.ts'
import { describeId } from '../points/point-id.ts'
import { countPoints } from '../server/collections.ts'
import type { CallOptions, Connection } from '../server/connection.ts'
import type { SampledPoint } from './sample.ts'

export interface Expected {
  collection: string
  points: number
  fields: VectorField[]
  sample: SampledPoint[]
}

/** Points of one request. */
const READ_BACK = 100

/** Counts exactly, reads the sampled points back, and asks one query, before anything is swapped. */
export async function verify(connection: Connection, expected: Expected, options: CallOptions): Promise<void> {
  const { collection, points, sample } = expected
  const count = await countPoints(connection, collection, options)
  if (count !== points) {
    const hint = count < points ? ' Two ids of a stream may be one point, such as a UUID in two spellings.' : ''
    throw failure(collection, `${collection} has ${count} points on the server, expected ${points}.${hint}`)
  }
  for (let from = 0; from < sample.length; from += READ_BACK)
    await comparePoints(connection, expected, sample.slice(from, from + READ_BACK), options)
  await tryQuery(connection, expected, options)
}

async function comparePoints(
  connection: Connection,
  { collection, fields }: Expected,
  sample: SampledPoint[],
  options: CallOptions,
): Promise<void> {
  const ids = sample.map(({ point }) => point as Schemas['ExtendedPointId'])
  const points = await connection.call<Schemas['Record'][]>(
    (api, init) => api.getPoints({ collection_name: collection, ids, with_vector: true, with_payload: true }, init),
    options,
  )
  const found = new Map(points.map((point) => [String(point.id), point]))
  for (const sent of sample) {
    const { row, id, point } = sent
    const which = `point ${point} (row ${row}, id ${describeId(id)}) in ${collection}`
    const stored = found.get(String(point))
    if (stored === undefined) throw failure(collection, `The ${which} is missing on the server.`)
    for (const [i, field] of fields.entries()) {
      const vector = field.name === '' ? stored.vector : (stored.vector as Record<string, unknown> | null)?.[field.name]
      if (sameVector(field, sent.vectors[i], vector)) continue
      const name = field.name && ` "${field.name}"`
      const values = `[${preview(vector)}], expected [${preview(Array.from(sent.vectors[i]))}]`
      throw failure(collection, `The vector${name} of ${which} is not the one sent: it is ${values}.`)
    }
    if (!samePayload(parsePayload(sent.payload), stored.payload ?? {})) {
      throw failure(
        collection,
        `The payload of ${which} is ${describe(stored.payload)}, expected ${sent.payload ?? 'none'}. ` +
          'If the payloads changed since an interrupted run, pass another `version`.',
      )
    }
  }
}

/** The server writes the shortest decimal of a float32, which as a float64 is not quite the number that was sent. */
function sameVector(field: VectorField, sent: Float32Array, stored: unknown): boolean {
  return (
    Array.isArray(stored) &&
    stored.length === sent.length &&
    stored.every((value, i) => Math.abs(Math.fround(value) - sent[i]) <= toleranceOf(field, sent[i]))
  )
}

async function tryQuery(connection: Connection, expected: Expected, options: CallOptions): Promise<void> {
  const { collection, fields, sample } = expected
  for (const [i, { name: using }] of fields.entries()) {
    const query = Array.from(sample[0].vectors[i])
    const { points } = await connection.call<Schemas['QueryResponse']>(
      (api, init) => api.queryPoints({ collection_name: collection, query, limit: 1, ...(using && { using }) }, init),
      options,
    )
    if (points.length !== 1)
      throw failure(collection, `A first query on ${collection} gives ${points.length} points, expected one.`)
  }
}

function failure(collection: string, message: string): PublishError {
  return new PublishError(`${message} Nothing was swapped.`, { step: 'verify', collection })
}

function describe(payload: unknown): string {
  return JSON.stringify(payload, (_key, value) => (typeof value === 'bigint' ? `${value}` : value))
}

function preview(values: unknown): string {
  if (!Array.isArray(values)) return String(values)
  const first = values.slice(0, 4).map((value) => Number(value).toPrecision(6))
  return `${first.join(', ')}${values.length > 4 ? ', ...' : ''}`
}
