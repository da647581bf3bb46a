import type { Heartbeat } from '../generation/heartbeat.ts'
import { describeCollection } from '../server/collections.ts'
import { createIndexes, deferIndexing, restoreIndexing } from './collection.ts'
import type { Payload } from './input.ts'
import type { Settings } from './options.ts'
import { checkStrictMode } from './preflight.ts'
import { waitUntilReady } from './ready.ts'
import type { Part, Run } from './run.ts'
import { upload } from './upload.ts'
import { sampleRows, verify } from './verify.ts'

/** Brings one collection from empty, or from where a dead run left it, to complete, indexed and verified. */
export async function load(run: Run, part: Part): Promise<void> {
  const { connection, settings, progress, signal } = run
  const { collection, vectors } = part
  const heartbeat = part.heartbeat as Heartbeat
  const { record } = heartbeat
  const start = record.watermark
  run.resumed += start
  progress.resume(start)

  const description = await describeCollection(connection, collection, { signal })
  const limits = description?.config.strict_mode_config as Parameters<typeof checkStrictMode>[1]
  const names = typeof settings.distance === 'string' ? undefined : Object.keys(settings.distance)
  checkStrictMode(collection, limits, {
    points: vectors.ids.length,
    indexes: Object.keys(part.indexes).length,
    vectorBytes: vectors.data.byteLength * (names?.length ?? 1),
  })
  progress.enter('index', collection)
  await createIndexes(connection, collection, part.indexes, { signal })
  if (start < vectors.ids.length)
    record.indexingThreshold = await deferIndexing(connection, collection, record, { signal })

  progress.enter('upload', collection)
  const sampled = sampleRows(vectors.ids.length, settings.sample)
  const sample = new Map<number, Payload | undefined>()
  await upload(connection, {
    name: part.name,
    collection,
    vectors,
    payloads: part.payloads,
    vectorNames: names,
    start,
    streams: settings.maxWorkers,
    batchSize: Math.min(
      settings.batchSize,
      (limits?.enabled && limits.upsert_max_batchsize) || Number.POSITIVE_INFINITY,
    ),
    maxBatchBytes: settings.maxBatchBytes,
    wait: settings.wait,
    signal,
    cancel: run.cancel,
    onRow({ row, payload }) {
      if (sampled.has(row)) sample.set(row, payload)
    },
    onBatch({ from, to, watermark }) {
      record.watermark = watermark
      progress.sent(to - from)
    },
    onInFlight: (change) => progress.inFlight(change),
  })
  // A function of the row is not asked for the rows that an earlier run has sent.
  for (const row of sampled) {
    if (!sample.has(row))
      sample.set(row, typeof part.payloads === 'function' ? await part.payloads(row, vectors.ids[row]) : undefined)
  }

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
    vectors: vectors.ids.length * (names?.length ?? 1),
    onIndexed: (share) => progress.indexed(share),
  })
  progress.enter('verify', collection)
  const tolerance = toleranceOf(settings)
  await verify(connection, { collection, vectors, distance: settings.distance, sample, tolerance }, { signal })
  await heartbeat.update({ state: 'ready', heartbeat: Date.now() }, signal)
}

/** float32 comes back as it was sent; smaller types do not, and quantization leaves the original vectors as they are. */
function toleranceOf({ vectorParameters }: Settings): number {
  const datatype = vectorParameters?.datatype as string | null | undefined
  if (datatype === undefined || datatype === null || datatype === 'float32') return 0
  return datatype === 'float16' ? 1e-3 : 1
}
