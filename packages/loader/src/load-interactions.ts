import { join } from 'node:path'
import type { CompressedRows, IdColumn, InteractionMatrix } from '@seesaw/als-core'
import { countRows } from './count/count-rows.ts'
import type { ActiveIds } from './count/select-active.ts'
import { LoadError } from './errors.ts'
import { KeptFetches } from './kept-fetches.ts'
import { cutBuckets, LEAST_SPAN } from './matrix/buckets.ts'
import { trimRows } from './matrix/compressed-rows.ts'
import { packMatrix } from './matrix/pack-matrix.ts'
import { peelCore } from './matrix/peel-core.ts'
import { createScatterArea } from './matrix/scatter-area.ts'
import { mergeRows, mergeSpilledRows } from './merge/merge-rows.ts'
import { type LoadOptions, resolveOptions } from './options.ts'
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
  /** Original id of each row, ascending: a Uint32Array or Float64Array, or a StringColumn. */
  readonly userIds: IdColumn
  readonly itemIds: IdColumn
  /** Entries of each item in the matrix: users that interacted with it. */
  readonly interactionCounts: Uint32Array<SharedArrayBuffer>
  readonly stats: LoadStats
  readonly plan: LoadPlan
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
  const spans = Math.ceil(plan.sampledRows / LEAST_SPAN)
  return Math.max(1, Math.min(options.threads, Math.max(jobs.length, spans)))
}

async function execute(run: LoadRun): Promise<LoadedInteractions> {
  const { prepared, statistics } = run
  const { options, compiled, plan } = prepared
  const { users, items } = await countRows(run)
  if (users.ids.length === 0 || items.ids.length === 0) throw nothingLeft(prepared, statistics)

  const build = plan.spill ? buildThroughFiles : buildInMemory
  let { csr, csc } = await build(run, { users, items })

  let userIds = users.ids
  let itemIds = items.ids
  if (options.thresholds.repeat) {
    const core = peelCore({ csr, csc, userIds, itemIds }, options.thresholds)
    if (core.csr.indices.length === 0) throw nothingLeft(prepared, statistics)
    ;({ csr, csc, userIds, itemIds } = core)
    statistics.rounds = core.rounds
  }
  const matrix = packMatrix(userIds.length, itemIds.length, csr, csc, compiled.coded ? compiled.codebook : undefined)
  const interactionCounts = new Uint32Array(new SharedArrayBuffer(4 * matrix.items))
  for (let item = 0; item < matrix.items; item++) {
    interactionCounts[item] = matrix.csc.indptr[item + 1] - matrix.csc.indptr[item]
  }
  return { matrix, userIds, itemIds, interactionCounts, stats: statistics.finish(matrix), plan }
}

type Build = (
  run: LoadRun,
  active: { users: ActiveIds; items: ActiveIds },
) => Promise<{ csr: CompressedRows; csc: CompressedRows }>

/** Pass 2, into the arrays of the matrix itself. */
const buildInMemory: Build = async (run, active) => {
  const { prepared, pool, meter, statistics } = run
  const { merge } = prepared.options
  const { users, items } = active
  const buckets = cutBuckets(users.activity, 6)
  const area = createScatterArea(buckets, prepared.compiled.coded, merge === 'last')
  await scatterRows(run, active, buckets, { area })
  const merged = await mergeRows(pool, meter, buckets, area, items.ids.length, merge)
  statistics.seconds.merge = meter.end()
  statistics.merged = merged.indices.length
  const csc = await transpose(pool, meter, merged, items.activity, area.locals)
  const csr = trimRows(merged, area.items.length)
  statistics.seconds.transpose = meter.end()
  return { csr, csc }
}

/** Pass 2 within the memory budget: rows wait in temporary files, by range of users. */
const buildThroughFiles: Build = async (run, active) => {
  const { prepared, pool, meter, statistics } = run
  const { merge, memoryBudget, temporaryDirectory, threads } = prepared.options
  const { users, items } = active
  const { coded } = prepared.compiled
  const timed = merge === 'last'
  const limits = planSpill(memoryBudget, prepared.plan.memory.ids, threads, coded, timed)
  const folder = await createSpillFolder(temporaryDirectory)
  try {
    const spill = { folder, coded, timed }
    const buckets = cutBuckets(users.activity, 6, limits.bucketRows)
    const { stageRows } = limits
    await scatterRows(run, active, buckets, { spill, stageRows })
    const { spilledBytes, ...csr } = await mergeSpilledRows(pool, meter, buckets, spill, items.ids.length, merge)
    statistics.seconds.merge = meter.end()
    statistics.merged = csr.indices.length
    statistics.spilledBytes += spilledBytes + 2 * csr.indices.length
    const csc = await transpose(pool, meter, csr, items.activity, join(folder, 'locals'), limits)
    statistics.seconds.transpose = meter.end()
    return { csr, csc }
  } finally {
    // Workers that still run would write on: they end first.
    await pool.settle()
    await removeSpillFolder(folder)
  }
}

function nothingLeft({ options, plan }: PreparedLoad, statistics: LoadStatistics): LoadError {
  const { user, item } = options.thresholds
  return new LoadError(
    'options',
    `Nothing is left of ${plan.rows} rows: no user with ${user} rows or no item with ${item}. ` +
      `${statistics.describeDrops()} Lower thresholds.user and thresholds.item, or sample less.`,
  )
}
