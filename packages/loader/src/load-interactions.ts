import { join } from 'node:path'
import type { CompressedRows, IdColumn, InteractionMatrix } from '@seesaw/als-core'
import { countRows } from './count/count-rows.ts'
import type { ActiveIds } from './count/select-active.ts'
import { LoadError } from './errors.ts'
import { KeptFetches } from './kept-fetches.ts'
import { cutBuckets, MIN_SPAN } from './matrix/buckets.ts'
import { trimRows } from './matrix/compressed-rows.ts'
import { packMatrix } from './matrix/pack-matrix.ts'
import { peelCore } from './matrix/peel-core.ts'
import { createScatterArea } from './matrix/scatter-area.ts'
import { type ItemPart, splitItems } from './matrix/split-items.ts'
import { mergeRows, mergeSpilledRows } from './merge/merge-rows.ts'
import { mergeRuleOf } from './merge/merge-rule.ts'
import { isTimed, type LoadOptions, resolveOptions } from './options.ts'
import { type LoadPlan, type PreparedLoad, prepareLoad } from './plan/plan-load.ts'
import { WorkerPool } from './pool/pool.ts'
import { ProgressMeter } from './progress.ts'
import type { LoadRun } from './read-pass.ts'
import { scatterRows } from './scatter/scatter-rows.ts'
import { createSpillFolder, removeSpillFolder } from './spill/spill-files.ts'
import { planSpill } from './spill/spill-plan.ts'
import { LoadStatistics, type LoadStats } from './statistics.ts'
import { isS3 } from './storage/s3-uri.ts'
import { transpose } from './transpose/transpose.ts'

export interface LoadedInteractions {
  /** users × items confidences, with its transpose. */
  readonly matrix: InteractionMatrix
  /** With `split`: what happened from that moment on, of the same shape and ids, without the pairs that are in `matrix`. */
  readonly test?: InteractionMatrix
  /** With `keepTimes`: when the first row of each entry of `matrix.csr` happened, in milliseconds since 1970. */
  readonly times?: Float64Array<SharedArrayBuffer>
  /** Original id of each row, ascending: a Uint32Array or Float64Array, or a StringColumn. */
  readonly userIds: IdColumn
  readonly itemIds: IdColumn
  /** Entries of each item in the matrix: users that interacted with it. */
  readonly interactionCounts: Uint32Array<SharedArrayBuffer>
  /** With the option `rareItems`, the items below the threshold; absent where there are none. */
  readonly rare?: RareItems
  readonly stats: LoadStats
  readonly plan: LoadPlan
}

/** Items below the threshold, with what active users did with them: enough to fold them into a model (`foldInItems`). */
export interface RareItems {
  /** The same users × these items. */
  readonly matrix: InteractionMatrix
  readonly itemIds: IdColumn
  /** Entries of each item in the matrix; 0 where only users below their threshold have it. */
  readonly interactionCounts: Uint32Array<SharedArrayBuffer>
}

/**
 * Loads interactions from Parquet into a sparse matrix, in two passes over the needed columns: the first counts rows by
 * user and by item, the second keeps the active ones. The result depends on the files, the options and the seed alone.
 *
 * @throws LoadError, or the reason of `signal`
 */
export async function loadInteractions(options: LoadOptions): Promise<LoadedInteractions> {
  const resolved = resolveOptions(options)
  const meter = new ProgressMeter(resolved.onProgress)
  // From S3, threads start while the footers are read: a second of processor time for two of them, with its client.
  const remote = resolved.sources.some(({ locations }) => locations.some(isS3))
  const { signal, workerUrl } = resolved
  let pool = remote ? new WorkerPool(resolved.threads, { remote, signal, workerUrl }) : undefined
  let kept: KeptFetches | undefined
  try {
    const prepared = await prepareLoad(resolved, meter)
    kept = await KeptFetches.create(prepared)
    pool ??= new WorkerPool(workersFor(prepared), { remote, signal, workerUrl })
    return await execute({ prepared, pool, meter, statistics: new LoadStatistics(prepared), kept })
  } finally {
    await pool?.close()
    await kept?.close()
  }
}

/** No more workers than have something to do: starting one takes 0.2 s, longer than a small load. */
function workersFor({ jobs, plan, options }: PreparedLoad): number {
  const spans = Math.ceil(plan.sampledRows / MIN_SPAN)
  return Math.max(1, Math.min(options.threads, Math.max(jobs.length, spans)))
}

async function execute(run: LoadRun): Promise<LoadedInteractions> {
  const { prepared, statistics } = run
  const { options, compiled, plan } = prepared
  const { users, items } = await countRows(run)
  const { rareItems, thresholds } = options
  // With rare items, those that are counted at all are selected.
  const trainable = rareItems ? items.activity.some((rows) => rows >= thresholds.item) : items.ids.length > 0
  if (users.ids.length === 0 || !trainable) throw nothingLeft(prepared, statistics)

  const build = plan.spill ? buildThroughFiles : buildInMemory
  let built: Built & Ids = { ...(await build(run, { users, items })), userIds: users.ids, itemIds: items.ids }
  let rarePart: ItemPart | undefined
  if (rareItems) {
    const parts = splitItems(built, items.activity, thresholds.item)
    built = { ...built, ...parts.trained }
    if (parts.rare.itemIds.length > 0) rarePart = parts.rare
  }
  refuseEmptySide(prepared, built)
  if (thresholds.repeat) {
    const core = peelCore(built, thresholds)
    if (core.csr.indices.length === 0) throw nothingLeft(prepared, statistics)
    refuseEmptySide(prepared, core)
    built = core
    statistics.rounds = core.rounds
  }
  const { userIds, itemIds, times, later } = built
  const pack = ({ csr, csc }: Sides, items = itemIds) =>
    packMatrix(userIds.length, items.length, csr, csc, compiled.coded ? compiled.codebook : undefined)
  const matrix = pack(built)
  const rareMatrix = rarePart && pack(rarePart, rarePart.itemIds)
  return {
    matrix,
    ...(later && { test: pack(later) }),
    ...(times && { times }),
    userIds,
    itemIds,
    interactionCounts: countEntries(matrix),
    ...(rarePart &&
      rareMatrix && {
        rare: { matrix: rareMatrix, itemIds: rarePart.itemIds, interactionCounts: countEntries(rareMatrix) },
      }),
    stats: statistics.finish(matrix, rareMatrix),
    plan,
  }
}

function countEntries({ csc, items }: InteractionMatrix): Uint32Array<SharedArrayBuffer> {
  const counts = new Uint32Array(new SharedArrayBuffer(4 * items))
  for (let item = 0; item < items; item++) counts[item] = csc.indptr[item + 1] - csc.indptr[item]
  return counts
}

interface Sides {
  readonly csr: CompressedRows
  readonly csc: CompressedRows
}

interface Built extends Sides {
  readonly times?: Float64Array<SharedArrayBuffer>
  readonly later?: Sides
}

interface Ids {
  readonly userIds: IdColumn
  readonly itemIds: IdColumn
}

type Build = (run: LoadRun, active: { users: ActiveIds; items: ActiveIds }) => Promise<Built>

/** Entries of each row of a scatter area at most: with a split user u has rows 2u and 2u + 1, which share their room. */
function rowsOf(activity: Uint32Array, divided: boolean): Uint32Array {
  if (!divided) return activity
  const rows = new Uint32Array(2 * activity.length)
  for (let user = 0; user < activity.length; user++) rows[2 * user] = activity[user]
  return rows
}

/** Pass 2, into the arrays of the matrix itself. */
const buildInMemory: Build = async (run, active) => {
  const { prepared, pool, meter, statistics } = run
  const { users, items } = active
  const rule = mergeRuleOf(prepared.options)
  const buckets = cutBuckets(rowsOf(users.activity, rule.divided), 6)
  const area = createScatterArea(buckets, prepared.compiled.coded, isTimed(prepared.options))
  await scatterRows(run, active, buckets, { area })
  const { csr: merged, times, later } = await mergeRows(pool, meter, buckets, area, items.ids.length, rule)
  statistics.seconds.merge = meter.end()
  statistics.merged = merged.indices.length + (later?.indices.length ?? 0)
  const toColumns = (csr: CompressedRows) => transpose(pool, meter, csr, items.activity, area.locals)
  const csc = await toColumns(merged)
  const laterSides = later && { csr: later, csc: await toColumns(later) }
  const csr = trimRows(merged, area.items.length)
  statistics.seconds.transpose = meter.end()
  return { csr, csc, ...(times && { times: csr === merged ? times : copyTimes(times) }), later: laterSides }
}

/** Pass 2 within the memory budget: rows wait in temporary files, by range of users. */
const buildThroughFiles: Build = async (run, active) => {
  const { prepared, pool, meter, statistics } = run
  const { memoryBudget, temporaryDirectory, threads } = prepared.options
  const { users, items } = active
  const { coded } = prepared.compiled
  const timed = isTimed(prepared.options)
  const rule = mergeRuleOf(prepared.options)
  const limits = planSpill(memoryBudget, prepared.plan.memory.ids, threads, coded, timed, rule.divided)
  const folder = await createSpillFolder(temporaryDirectory)
  try {
    const spill = { folder, coded, timed }
    const buckets = cutBuckets(rowsOf(users.activity, rule.divided), 6, limits.bucketRows)
    const { stageRows } = limits
    await scatterRows(run, active, buckets, { spill, stageRows })
    const merged = await mergeSpilledRows(pool, meter, buckets, spill, items.ids.length, rule)
    const { csr, times, later, spilledBytes } = merged
    statistics.seconds.merge = meter.end()
    statistics.merged = csr.indices.length + (later?.indices.length ?? 0)
    statistics.spilledBytes += spilledBytes + 2 * statistics.merged
    const toColumns = (side: CompressedRows) =>
      transpose(pool, meter, side, items.activity, join(folder, 'locals'), limits)
    const csc = await toColumns(csr)
    const laterSides = later && { csr: later, csc: await toColumns(later) }
    statistics.seconds.transpose = meter.end()
    return { csr, csc, times, later: laterSides }
  } finally {
    // Workers that still run would write on: they end first.
    await pool.settle()
    await removeSpillFolder(folder)
  }
}

/** The times in an array of their own, where the entries are: `trimRows`. */
function copyTimes(times: Float64Array): Float64Array<SharedArrayBuffer> {
  const copy = new Float64Array(new SharedArrayBuffer(times.byteLength))
  copy.set(times)
  return copy
}

/** @throws LoadError when a split leaves nothing to learn from, or nothing to find */
function refuseEmptySide({ options }: PreparedLoad, { csr, later }: Built): void {
  if (later === undefined || (csr.indices.length > 0 && later.csr.indices.length > 0)) return
  const [side, none] = csr.indices.length === 0 ? ['from then on', 'to learn from'] : ['before', 'to find']
  throw new LoadError(
    'options',
    `split.at is ${options.split!.at.toISOString()}: all pairs of the rows that count are ${side}, nothing is left ${none}. Choose a moment within the data.`,
  )
}

function nothingLeft({ options, plan }: PreparedLoad, statistics: LoadStatistics): LoadError {
  const { user, item } = options.thresholds
  return new LoadError(
    'options',
    `Nothing is left of ${plan.rows} rows: no user with ${user} rows or no item with ${item}. ` +
      `${statistics.describeDrops()} Lower thresholds.user and thresholds.item, or sample less.`,
  )
}
