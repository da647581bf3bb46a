import type { Schemas } from '@qdrant/js-client-rest'
import { PublishError } from '../errors.ts'
import type { Connection } from '../server/connection.ts'
import { isTemporary, reasonOf, retryAfter, statusOf } from '../server/retry.ts'
import { type Payloads, type Row, rowsFrom, type Vectors, vectorOf } from './input.ts'

export interface Upload {
  /** `vectors` or `users.vectors`, for messages. */
  name: string
  collection: string
  vectors: Vectors
  payloads: Payloads | undefined
  /** Names of the vectors each point gets; undefined for the one without a name. */
  vectorNames: string[] | undefined
  /** First row that is not yet on the server. */
  start: number
  streams: number
  batchSize: number
  /** Bytes of a request body; the server's limit is 32 MB. */
  maxBatchBytes: number
  wait: boolean
  signal: AbortSignal
  /** Cancels requests under way; fires some time after `signal`. */
  cancel: AbortSignal
  onRow(row: Row): void
  onBatch(batch: { from: number; to: number; watermark: number }): void
  onInFlight(change: 1 | -1): void
}

interface Batch {
  from: number
  to: number
  points: Schemas['PointStruct'][]
}

/**
 * Uploads all rows from `start` on. Each of the streams takes the next batch when its last one is done, so there are never more than
 * `streams` batches on their way and one being made.
 */
export async function upload(connection: Connection, options: Upload): Promise<void> {
  const batches = makeBatches(options)
  const stop = new AbortController()
  const done = watermark(options.start)
  const stream = async (): Promise<void> => {
    for (;;) {
      if (stop.signal.aborted || options.signal.aborted) return
      const { value: batch, done: finished } = await batches.next()
      if (finished) return
      options.onInFlight(1)
      try {
        await send(connection, options, batch)
        options.onBatch({ from: batch.from, to: batch.to, watermark: done(batch.from, batch.to) })
      } finally {
        options.onInFlight(-1)
      }
    }
  }
  const streams = Array.from({ length: options.streams }, () =>
    stream().catch((error) => {
      stop.abort()
      throw error
    }),
  )
  const outcomes = await Promise.allSettled(streams)
  await batches.return(undefined)
  options.signal.throwIfAborted()
  for (const outcome of outcomes) if (outcome.status === 'rejected') throw outcome.reason
}

/** Rows to batches of `batchSize` points and at most `maxBatchBytes`. */
async function* makeBatches(options: Upload): AsyncGenerator<Batch, undefined> {
  const { vectors, vectorNames, batchSize, maxBatchBytes } = options
  // Nine digits, sign, point, exponent and comma: at most 17 characters.
  const vectorBytes = vectors.dimension * 17 * (vectorNames?.length ?? 1) + 100
  let points: Schemas['PointStruct'][] = []
  let bytes = 0
  let from = options.start
  for await (const row of rowsFrom(options.name, vectors, options.payloads, options.start)) {
    options.onRow(row)
    // Sent by the run that this one goes on from.
    if (row.row < options.start) continue
    const { payload } = row
    const size = vectorBytes + (payload === undefined ? 0 : Buffer.byteLength(JSON.stringify(payload)))
    if (points.length > 0 && (points.length === batchSize || bytes + size > maxBatchBytes)) {
      yield { from, to: row.row, points }
      points = []
      bytes = 0
      from = row.row
    }
    const id = vectors.ids[row.row] as Schemas['ExtendedPointId']
    points.push({ id, vector: vectorOf(vectors, row.row, vectorNames), ...(payload !== undefined && { payload }) })
    bytes += size
  }
  if (points.length > 0) yield { from, to: from + points.length, points }
  return undefined
}

/**
 * One upsert. Writing a point twice leaves one point, so every retry is safe. A batch over the server's body limit or over its
 * whole write budget (429 without Retry-After: waiting would not help) is sent as two halves.
 */
async function send(connection: Connection, options: Upload, batch: Batch): Promise<void> {
  try {
    await connection.call(
      (api, init) =>
        api.upsertPoints({ collection_name: options.collection, wait: options.wait, points: batch.points }, init),
      { signal: options.cancel },
    )
  } catch (error) {
    if (options.cancel.aborted) throw error
    const tooLarge =
      statusOf(error) === 413 || (statusOf(error) === 429 && retryAfter(error) === undefined) || isOverLimit(error)
    if (tooLarge && batch.points.length > 1) {
      for (const half of halves(batch)) {
        options.signal.throwIfAborted()
        await send(connection, options, half)
      }
      return
    }
    throw new PublishError(
      `Uploading rows ${batch.from} to ${batch.to - 1} (ids ${String(batch.points[0].id)} to ${String(batch.points.at(-1)?.id)}) to ${options.collection} failed. ${reasonOf(error)}`,
      {
        step: 'upload',
        collection: options.collection,
        rows: { from: batch.from, to: batch.to },
        temporary: isTemporary(error),
        cause: error,
      },
    )
  }
}

/** The body limit (`service.max_request_size_mb`) and strict mode's `upsert_max_batchsize` both answer 400, and differ from other refusals by their words. */
function isOverLimit(error: unknown): boolean {
  return (
    statusOf(error) === 400 &&
    /JSON payload .*(larger than allowed|exceeded limit)|"upsert limit"/i.test(reasonOf(error))
  )
}

function halves({ from, to, points }: Batch): Batch[] {
  const middle = points.length >> 1
  return [
    { from, to: from + middle, points: points.slice(0, middle) },
    { from: from + middle, to, points: points.slice(middle) },
  ]
}

/** Batches finish out of order; the watermark is the end of the run of finished ones without a gap. */
function watermark(start: number): (from: number, to: number) => number {
  const finished = new Map<number, number>()
  let mark = start
  return (from, to) => {
    finished.set(from, to)
    for (let next = finished.get(mark); next !== undefined; next = finished.get(mark)) {
      finished.delete(mark)
      mark = next
    }
    return mark
  }
}
