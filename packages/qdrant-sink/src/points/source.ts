import { createHash } from 'node:crypto'
import { AscendingIds, checkIds } from './check-ids.ts'
import { checkValues, type Datatype, fieldsOf, type VectorField } from './field.ts'
import { describeId, type Ids } from './point-id.ts'
import type { NamedVectorBatch, NamedVectors, VectorBatch, VectorInput, Vectors } from './vectors.ts'

/** Points from row `from` to row `to`; row r has place r - first in ids and data. */
export interface PointBlock {
  from: number
  to: number
  first: number
  ids: Ids
  /** One array for each field. */
  data: Float32Array[]
  /** Of a stream. */
  numbers?: VectorBatch['numbers']
}

/** Points to publish, whether in arrays or in a stream. */
export interface PointSource {
  /** `vectors` or `users.vectors`, for messages. */
  name: string
  points: number
  fields: VectorField[]
  /** True when reading a row means reading all rows from there on. */
  streamed: boolean
  /** A hash of ids, vectors and `settings`; payloads are not in it, they come one at a time. */
  fingerprint(settings: unknown): string
  /** Points from row `start` on, checked. */
  blocks(start: number): AsyncGenerator<PointBlock> | Generator<PointBlock>
}

/**
 * Refuses what the server would refuse in the middle of the load, or what would make the final count differ; of arrays at once, of a stream
 * when it is read.
 *
 * @throws TypeError, RangeError
 */
export function pointSource(name: string, input: VectorInput, datatype: Datatype): PointSource {
  const fields = fieldsOf(name, input, datatype)
  return 'batches' in input ? streamSource(name, input, fields) : arraySource(name, input, fields)
}

function arraySource(name: string, input: Vectors | NamedVectors, fields: VectorField[]): PointSource {
  const { ids } = input
  if (typeof ids !== 'object' || ids === null || !(ids.length >= 0) || typeof ids.at !== 'function')
    throw new TypeError(
      `${name}.ids is ${describeId(ids)}, expected a column of ids: an array, or \`length\` and \`at(row)\`.`,
    )
  const points = ids.length
  const data = fields.map((field) => ('named' in input ? input.named[field.name].data : input.data))
  if (points === 0)
    throw new RangeError(`${name} has no points, expected at least one. An empty collection would serve nothing.`)
  for (const [i, field] of fields.entries()) checkValues(name, field, ids, data[i], 0)
  checkIds(`${name}.ids`, ids)
  return {
    name,
    points,
    fields,
    streamed: false,
    fingerprint: (settings) => hashOf(ids, fields, data, settings),
    *blocks(start) {
      if (start < points) yield { from: start, to: points, first: 0, ids, data }
    },
  }
}

function streamSource(
  name: string,
  stream: Extract<VectorInput, { batches: unknown }>,
  fields: VectorField[],
): PointSource {
  const { points } = stream
  if (!Number.isInteger(points) || points < 1)
    throw new RangeError(
      `${name}.points is ${points}, expected a positive integer: how many points the stream has in all.`,
    )
  if (typeof stream.fingerprint !== 'string' || stream.fingerprint === '')
    throw new TypeError(
      `${name}.fingerprint is ${JSON.stringify(stream.fingerprint)}, expected a text that changes with ids or vectors.`,
    )
  return {
    name,
    points,
    fields,
    streamed: true,
    fingerprint: (settings) =>
      createHash('sha256')
        .update(JSON.stringify([stream.fingerprint, points, fields, settings]))
        .digest('hex')
        .slice(0, 32),
    async *blocks(start) {
      const order = new AscendingIds(`${name}.ids`, true)
      let row = start
      for await (const batch of stream.batches(start) as AsyncIterable<VectorBatch | NamedVectorBatch>) {
        const { ids, numbers } = batch
        if (row + ids.length > points)
          throw new RangeError(
            `${name} has more than the ${points} points that \`points\` says. Count the source again.`,
          )
        const data = fields.map((field) => ('named' in batch ? batch.named[field.name] : batch.data))
        for (const [i, field] of fields.entries()) checkValues(name, field, ids, data[i], row)
        for (let i = 0; i < ids.length; i++) order.add(ids.at(i), row + i)
        if (ids.length > 0) yield { from: row, to: row + ids.length, first: row, ids, data, numbers }
        row += ids.length
      }
      if (row < points)
        throw new RangeError(
          `${name} ended after ${row} points, expected the ${points} that \`points\` says. Count the source again.`,
        )
    },
  }
}

/** Over ids and vectors, 1 to 2 GB/s. */
function hashOf(ids: Ids, fields: VectorField[], data: Float32Array[], settings: unknown): string {
  const hash = createHash('sha256').update(JSON.stringify([ids.length, fields, settings]))
  const step = 1 << 16
  for (let from = 0; from < ids.length; from += step) {
    const to = Math.min(ids.length, from + step)
    const part: string[] = []
    for (let row = from; row < to; row++) {
      const id = ids.at(row)
      part.push(typeof id === 'string' ? JSON.stringify(id) : String(id))
    }
    hash.update(part.join())
    for (const [i, { dimension }] of fields.entries()) {
      const values = data[i].subarray(from * dimension, to * dimension)
      hash.update(new Uint8Array(values.buffer, values.byteOffset, values.byteLength))
    }
  }
  return hash.digest('hex').slice(0, 32)
}
