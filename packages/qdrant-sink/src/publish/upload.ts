import { PublishError } from '../errors.ts'
import { type Batch, type BatchOptions, halves, makeBatches } from '../points/batch.ts'
import { describeId } from '../points/point-id.ts'
import type { Connection } from '../server/connection.ts'
import { isTemporary, reasonOf, statusOf } from '../server/errors.ts'
import { isOverBudget } from '../server/retry.ts'

export interface Upload extends BatchOptions {
  collection: string
  concurrency: number
  wait: boolean
  signal: AbortSignal
  /** Cancels requests under way; fires some time after `signal`. */
  cancel: AbortSignal
  onBatch(batch: { from: number; to: number; watermark: number }): void
  onInFlight(change: 1 | -1): void
}

/**
 * Uploads all rows from `start` on. Each of `concurrency` streams takes the next batch when its last one is done, so that there are never
 * more batches on their way than that, and one being made.
 */
export async function upload(connection: Connection, options: Upload): Promise<void> {
  const batches = makeBatches(options)
  const stop = new AbortController()
  const done = watermark(options.start)
  const stream = async (): Promise<void> => {
    let batch: Batch | undefined
    while (!stop.signal.aborted && !options.signal.aborted) {
      batch = (await batches.next(batch)).value
      if (batch === undefined) return
      options.onInFlight(1)
      try {
        await send(connection, options, batch)
        options.onBatch({ from: batch.from, to: batch.to, watermark: done(batch.from, batch.to) })
      } finally {
        options.onInFlight(-1)
      }
    }
  }
  const streams = Array.from({ length: options.concurrency }, () =>
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

/**
 * One upsert. Writing a point twice leaves one point, so every retry is safe. A batch over the server's body limit or over its
 * whole write budget (429 without Retry-After: waiting would not help) is sent as two halves.
 */
async function send(connection: Connection, options: Upload, batch: Batch): Promise<void> {
  const { collection, wait, signal, cancel } = options
  try {
    await connection.call((api, init) => api.upsertPoints({ collection_name: collection, wait, points: [] }, init), {
      body: batch.body,
      signal: cancel,
    })
  } catch (error) {
    if (cancel.aborted) throw error
    const tooLarge = statusOf(error) === 413 || isOverBudget(error) || isOverLimit(error)
    if (tooLarge && batch.ends.length > 1) {
      for (const half of halves(batch)) {
        signal.throwIfAborted()
        await send(connection, options, half)
      }
      return
    }
    const { from, to, ids } = batch
    throw new PublishError(
      `Uploading rows ${from} to ${to - 1} (ids ${describeId(ids[0])} to ${describeId(ids.at(-1))}) to ${collection} failed. ${reasonOf(error)}`,
      { step: 'upload', collection, rows: { from, to }, temporary: isTemporary(error), cause: error },
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
