import { randomUUID } from 'node:crypto'
import { PublishError } from '../errors.ts'
import { deleteGarbage, deleteUnserved, findGarbage } from '../generation/garbage.ts'
import { findGenerations } from '../generation/generations.ts'
import { Heartbeat } from '../generation/heartbeat.ts'
import { collectionName } from '../generation/names.ts'
import { activeRuns, thisProcess } from '../generation/owner.ts'
import { type GenerationRecord, readRecord, writeRecord } from '../generation/record.ts'
import { type Move, raiseFences, swapAliases } from '../generation/swap.ts'
import { describeCollection } from '../server/collections.ts'
import { Connection } from '../server/connection.ts'
import { isTemporary, reasonOf, statusOf } from '../server/retry.ts'
import { createCollection, createIndexes, deferIndexing, restoreIndexing, stepFailed } from './collection.ts'
import { fingerprintOf, type Payload, type Payloads, type Vectors } from './input.ts'
import { catalogueIndexes, type PayloadIndexes, type PublishOptions, type Settings, settingsOf } from './options.ts'
import { checkStrictMode, type Preflight, preflight } from './preflight.ts'
import { Progress } from './progress.ts'
import { waitUntilReady } from './ready.ts'
import { upload } from './upload.ts'
import { sampleRows, verify } from './verify.ts'

export interface Publication {
  /** The collection that the alias points to now. */
  collection: string
  /** The users' collection, where users were published along. */
  users: string | undefined
  /** Unix seconds; the argument of `rollback({ to })`. */
  generation: number
  /** What the alias pointed to before. */
  previous: string | undefined
  points: number
  /** Points that an interrupted run of the same input had left on the server. */
  resumed: number
  bytes: number
  retries: number
  seconds: number
  /** Collections deleted afterwards. */
  deleted: string[]
  /** Why cleaning up afterwards failed, where it did: the publication itself stands. */
  cleaningFailed: string | undefined
  serverVersion: string
}

/** One collection of the publication. */
interface Part {
  name: string
  alias: string
  vectors: Vectors
  payloads: Payloads | undefined
  indexes: PayloadIndexes
  /** Set once the collection exists. */
  collection: string
  heartbeat: Heartbeat | undefined
}

interface Run {
  id: string
  settings: Settings
  connection: Connection
  progress: Progress
  fingerprint: string
  parts: Part[]
  resumed: number
  /** Stops new work: the caller's abort, or the loss of the collection to another run. */
  signal: AbortSignal
  /** Fires `abortDeadline` later and cancels what is on its way. */
  cancel: AbortSignal
  lost: AbortController
}

/**
 * Publishes vectors and payloads as a new collection `ALIAS_<unix seconds>` and points the alias to it once it is complete, indexed and
 * verified. What the alias points to is complete at every moment; after a failure, an abort or a crash it is what it was before.
 *
 * @throws TypeError, RangeError for input that cannot be published, before the first request.
 * @throws PublishError when a step failed; it names the step, the rows and the reason, and whether trying again can help.
 * @throws SupersededError when another publisher moved the alias in the meantime.
 * @throws the signal's reason after an abort.
 */
export async function publish(options: PublishOptions): Promise<Publication> {
  const settings = settingsOf(options)
  const began = performance.now()
  await using connection = new Connection({ connections: settings.maxWorkers + 4, ...settings })
  const run = newRun(settings, connection)
  const { parts, progress } = run
  const stopCancelling = cancelAfter(run)
  activeRuns.add(run.id)
  try {
    progress.enter('preflight')
    const aliases = parts.map(({ alias }) => alias)
    const state = await preflight(connection, aliases, settings.staleAfter, { signal: run.signal })
    const generation = await claimGeneration(run, state)
    const moves = parts.map(({ alias, collection }) => ({ alias, from: state.live.get(alias), to: collection }))
    await raiseFences(connection, moves, { signal: run.signal })
    for (const part of parts) await load(run, part)
    await swap(run, moves)
    const cleaning = await clean(run, state)
    progress.enter('done', parts[0].collection)
    return {
      collection: parts[0].collection,
      users: parts[1]?.collection,
      generation,
      previous: state.live.get(settings.alias),
      points: parts.reduce((sum, { vectors }) => sum + vectors.ids.length, 0),
      resumed: run.resumed,
      bytes: connection.bytesSent,
      retries: connection.retries,
      seconds: (performance.now() - began) / 1000,
      ...cleaning,
      serverVersion: state.version,
    }
  } catch (error) {
    const cause = run.lost.signal.aborted ? run.lost.signal.reason : namedFailure(run, error)
    await giveUp(run, cause)
    throw cause
  } finally {
    stopCancelling()
    for (const { heartbeat } of parts) await heartbeat?.stop()
    activeRuns.delete(run.id)
  }
}

/** What the server or the connection refused gets the name of the step; errors of the caller's own payloads stay what they are. */
function namedFailure({ progress, parts, signal }: Run, error: unknown): unknown {
  if (signal.aborted || !(isTemporary(error) || statusOf(error) !== undefined)) return error
  return stepFailed(progress.phase, parts.find(({ heartbeat }) => heartbeat)?.collection ?? parts[0].alias, error)
}

function newRun(settings: Settings, connection: Connection): Run {
  const { alias, vectors, payloads, users, indexes, distance, collection, vectorParameters, version } = settings
  const parts: Part[] = [
    {
      name: 'vectors',
      alias,
      vectors,
      payloads,
      indexes: indexes ?? catalogueIndexes,
      collection: '',
      heartbeat: undefined,
    },
  ]
  if (users) {
    const { vectors: userVectors, payloads: userPayloads, indexes: userIndexes } = users
    parts.push({
      name: 'users.vectors',
      alias: users.alias ?? `${alias}_users`,
      vectors: userVectors,
      payloads: userPayloads,
      indexes: userIndexes ?? {},
      collection: '',
      heartbeat: undefined,
    })
  }
  const common = [distance, collection, vectorParameters, version]
  const lost = new AbortController()
  const total = parts.reduce((sum, part) => sum + part.vectors.ids.length, 0)
  return {
    id: randomUUID(),
    settings,
    connection,
    progress: new Progress(total, connection, settings.onProgress),
    fingerprint: parts.map((part) => fingerprintOf(part.vectors, [common, part.alias, part.indexes])).join('-'),
    parts,
    resumed: 0,
    signal: settings.signal ? AbortSignal.any([settings.signal, lost.signal]) : lost.signal,
    cancel: new AbortController().signal,
    lost,
  }
}

function cancelAfter(run: Run): () => void {
  const controller = new AbortController()
  run.cancel = controller.signal
  let timer: NodeJS.Timeout | undefined
  const begin = (): void => {
    timer = setTimeout(() => controller.abort(run.signal.reason), run.settings.abortDeadline)
  }
  if (run.signal.aborted) begin()
  else run.signal.addEventListener('abort', begin, { once: true })
  return () => {
    run.signal.removeEventListener('abort', begin)
    clearTimeout(timer)
  }
}

/**
 * Makes the collections of a new generation, or takes over those that a dead run of the same input has left. Dead runs of other
 * input are deleted here, so that their room is free for this one.
 */
async function claimGeneration(run: Run, state: Preflight): Promise<number> {
  const { parts, connection, settings, signal } = run
  run.progress.enter('create')
  const abandoned = parts.flatMap(({ alias }) =>
    (state.generations.get(alias) ?? []).filter(
      (found) => found.state === 'unfinished' || found.state === 'ready' || found.state === 'deleting',
    ),
  )
  const same = abandoned.filter((found) => found.state !== 'deleting' && found.record?.fingerprint === run.fingerprint)
  const resumed = same[0]?.generation
  for (const found of abandoned) {
    if (found.generation === resumed && found.state !== 'deleting') continue
    await deleteUnserved(connection, found.record?.alias ?? settings.alias, found.collection, { signal })
  }
  const newest = Math.max(0, ...[...state.generations.values()].flat().map((found) => found.generation))
  let generation = resumed ?? Math.max(Math.floor(Date.now() / 1000), newest + 1)
  for (let index = 0; index < parts.length; index++) {
    const part = parts[index]
    const left = same.find((found) => found.generation === generation && found.record?.alias === part.alias)
    const record = left?.record ?? newRecord(run, part, generation)
    Object.assign(record, { run: run.id, owner: thisProcess, heartbeat: Date.now() })
    const name = collectionName(part.alias, generation)
    if (left) {
      await writeRecord(connection, name, record, { signal })
    } else {
      // Named before the request, so that an abort in its middle knows what to delete.
      part.collection = name
      const created = await createCollection(connection, name, record, settings, { signal })
      if (!created) {
        // Another run made it within the same second. All parts move on to the next one.
        part.collection = ''
        for (const made of parts.slice(0, index)) await discard(run, made)
        generation++
        index = -1
        continue
      }
    }
    part.collection = name
    part.heartbeat = new Heartbeat(connection, name, record, {
      interval: settings.heartbeatInterval,
      signal,
      onLost: (error) => run.lost.abort(error),
    })
  }
  return generation
}

function newRecord(run: Run, part: Part, generation: number): GenerationRecord {
  return {
    version: 1,
    alias: part.alias,
    generation,
    run: run.id,
    state: 'loading',
    fingerprint: run.fingerprint,
    points: part.vectors.ids.length,
    watermark: 0,
    heartbeat: Date.now(),
    owner: thisProcess,
    indexingThreshold: null,
  }
}

async function discard(run: Run, part: Part): Promise<void> {
  await part.heartbeat?.stop()
  part.heartbeat = undefined
  await deleteUnserved(run.connection, part.alias, part.collection, { signal: run.signal })
  part.collection = ''
}

/** Brings one collection from empty, or from where a dead run left it, to complete, indexed and verified. */
async function load(run: Run, part: Part): Promise<void> {
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

async function swap(run: Run, moves: Move[]): Promise<void> {
  const { connection, progress, signal } = run
  progress.enter('swap', moves[0].to)
  try {
    await markPublished(
      run,
      moves.map(({ from }) => from),
    )
    signal.throwIfAborted()
    // From here on an abort waits: a swap is one request, and half of one cannot be had.
    await swapAliases(connection, moves, { signal: run.cancel })
  } catch (error) {
    throw stepFailed(
      'swap',
      moves[0].to,
      error,
      `Pointing ${moves.map(({ alias }) => alias).join(' and ')} to the new generation`,
    )
  }
}

/** What serves now is to be known as a generation that has served, also if this run ends right after the swap. */
async function markPublished({ connection, signal }: Run, collections: (string | undefined)[]): Promise<void> {
  for (const collection of collections) {
    if (collection === undefined) continue
    const record = await readRecord(connection, collection, { signal })
    if (record && record.state !== 'published')
      await writeRecord(connection, collection, { ...record, state: 'published' }, { signal })
  }
}

/** Closes the records and deletes what is not kept. The publication stands whatever happens here. */
async function clean(run: Run, state: Preflight): Promise<{ deleted: string[]; cleaningFailed: string | undefined }> {
  const { connection, settings, parts, progress, signal } = run
  const deleted: string[] = []
  progress.enter('clean', parts[0].collection)
  try {
    for (const { heartbeat } of parts) {
      await heartbeat?.stop()
      await heartbeat?.update({ state: 'published', heartbeat: 0 }, run.cancel)
    }
    for (const { alias } of parts) {
      const found = await findGenerations(connection, alias, settings.staleAfter, { signal })
      // A query that resolved the alias just before the swap may still be on its way to the old collection.
      const grace = (collection: string): number => (collection === state.live.get(alias) ? settings.graceDelay : 0)
      deleted.push(...(await deleteGarbage(connection, alias, findGarbage(found, settings.keep), { signal, grace })))
    }
    return { deleted, cleaningFailed: undefined }
  } catch (error) {
    return { deleted, cleaningFailed: signal.aborted ? 'aborted' : reasonOf(error) }
  }
}

/**
 * After a failure: what may succeed when tried again stays for the next run to resume, everything else is deleted, unless an alias
 * points to it after all.
 */
async function giveUp(run: Run, error: unknown): Promise<void> {
  const { connection, settings, parts } = run
  const keep = settings.signal?.aborted
    ? settings.onAbort === 'keep'
    : error instanceof PublishError
      ? error.temporary
      : isTemporary(error)
  for (const part of parts) {
    await part.heartbeat?.stop()
    if (part.collection === '') continue
    const deadline = AbortSignal.timeout(Math.max(settings.abortDeadline, 1))
    try {
      const owner = (await readRecord(connection, part.collection, { signal: deadline }))?.run
      if (owner !== run.id) continue
      if (keep) await part.heartbeat?.update({ heartbeat: 0 }, deadline)
      else await deleteUnserved(connection, part.alias, part.collection, { signal: deadline })
    } catch {
      // The server is away. The heartbeat ages, and the next run deletes or resumes it.
    }
  }
}
