import type { Heartbeat } from '../generation/heartbeat.ts'
import { PayloadReader } from '../points/payload.ts'
import { describeCollection } from '../server/collections.ts'
import { createIndexes, deferIndexing, restoreIndexing } from './collection.ts'
import { waitUntilReady } from './ready.ts'
import type { Part, Run } from './run.ts'
import { Sample } from './sample.ts'
import { checkStrictMode } from './strict-mode.ts'
import { upload } from './upload.ts'
import { verify } from './verify.ts'

/** Brings one collection from empty, or from where a dead run left it, to complete, indexed and verified. */
export async function fill(run: Run, part: Part): Promise<void> {
  const { connection, settings, progress, signal } = run
  const { collection, source } = part
  const { points, fields } = source
  const heartbeat = part.heartbeat as Heartbeat
  const { record } = heartbeat
  const start = record.watermark
  run.resumed += start
  progress.resume(start)

  const description = await describeCollection(connection, collection, { signal })
  const limits = description?.config.strict_mode_config as Parameters<typeof checkStrictMode>[1]
  checkStrictMode(collection, limits, {
    points,
    indexes: Object.keys(part.indexes).length,
    vectorBytes: 4 * points * fields.reduce((sum, { dimension }) => sum + dimension, 0),
  })
  progress.enter('index', collection)
  await createIndexes(connection, collection, part.indexes, { signal })
  if (start < points) record.indexingThreshold = await deferIndexing(connection, collection, record, { signal })

  progress.enter('upload', collection)
  const payloads = new PayloadReader(source.name, points, part.payloads)
  const sample = new Sample(source, settings.verifySample, start)
  await sample.takeBefore(start, payloads, part.idField)
  await upload(connection, {
    source,
    payloads,
    idField: part.idField,
    collection,
    start,
    concurrency: settings.concurrency,
    batchSize: Math.min(
      settings.batchSize,
      (limits?.enabled && limits.upsert_max_batchsize) || Number.POSITIVE_INFINITY,
    ),
    maxBatchBytes: settings.maxBatchBytes,
    wait: settings.wait,
    signal,
    cancel: run.cancel,
    onPoint: (block, row, payload) => sample.take(block, row, payload),
    onBatch({ from, to, watermark }) {
      record.watermark = watermark
      progress.sent(to - from)
    },
    onInFlight: (change) => progress.inFlight(change),
  })

  progress.enter('restore', collection)
  await heartbeat.update({ heartbeat: Date.now() }, signal)
  if (record.indexingThreshold !== null)
    await restoreIndexing(connection, collection, record.indexingThreshold, { signal })
  progress.enter('ready', collection)
  await waitUntilReady(connection, collection, {
    signal,
    polls: 3,
    interval: settings.pollInterval,
    deadline: settings.readyTimeout,
    vectors: points * fields.length,
    onIndexed: (share) => progress.indexed(share),
  })
  progress.enter('verify', collection)
  await verify(connection, { collection, points, fields, sample: sample.points }, { signal })
  await heartbeat.update({ state: 'ready', heartbeat: Date.now() }, signal)
}
