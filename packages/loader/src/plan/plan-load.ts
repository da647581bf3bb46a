import { LoadError } from '../errors.ts'
import type { IdRange } from '../ids/id-range.ts'
import type { IdKind } from '../ids/keys.ts'
import { isTimed, type LoadOptions, type ResolvedOptions, resolveOptions } from '../options.ts'
import type { Footer } from '../parquet/footer.ts'
import { ProgressMeter } from '../progress.ts'
import { planSpill } from '../spill/spill-plan.ts'
import type { StoredFile } from '../storage/byte-source.ts'
import { connect } from '../storage/connection.ts'
import type { LeftOut } from '../storage/listing.ts'
import { isS3 } from '../storage/s3-uri.ts'
import { Store } from '../storage/store.ts'
import { type CompiledSources, compileSources } from './compile-sources.ts'
import { findFiles } from './find-files.ts'
import { fixedValues } from './fixed-values.ts'
import { type MemoryPlan, planMemory } from './memory.ts'
import { type DiskPlan, planDisk } from './plan-disk.ts'
import { RangeFinder } from './range-finder.ts'
import { readFooters } from './read-footers.ts'
import { neededColumns, resolveColumns, type SourceColumns } from './resolve-columns.ts'
import { filledGroups, type RowGroupJob, rowGroupJobs } from './row-group-jobs.ts'

/** What a load will read and hold, known before any data is read. Plain data. */
export interface LoadPlan {
  readonly sources: readonly PlannedSource[]
  /** Rows in all files. */
  readonly rows: number
  /** Rows that the sample is expected to leave. */
  readonly sampledRows: number
  /** Compressed bytes of the needed columns. Each pass reads them once; `disk` says what is fetched from S3 twice. */
  readonly bytes: number
  readonly files: number
  readonly threads: number
  /** How ids are counted: by an array over their range, or by a hash table. */
  readonly users: PlannedIds
  readonly items: PlannedIds
  readonly memory: MemoryPlan
  /** Temporary files. */
  readonly disk: DiskPlan
  /** Whether rows go through temporary files, because `memory` is over the budget. */
  readonly spill: boolean
}

export interface PlannedIds {
  readonly kind: IdKind
  readonly way: 'direct' | 'table'
  /** Distinct ids at most: the range of an array, or the rows. */
  readonly atMost: number
}

export interface PlannedSource {
  readonly name: string
  readonly files: readonly PlannedFile[]
  /** Names that its locations hold and that are not read, each with the reason. */
  readonly leftOut: readonly LeftOut[]
  readonly rows: number
  readonly sampledRows: number
  readonly bytes: number
  readonly columns: readonly string[]
  /** What is read otherwise than by the letter of the options: columns whose names differ in case. */
  readonly notes: readonly string[]
}

export interface PlannedFile {
  readonly uri: string
  /** Size of the whole file; `bytes` are those of the needed columns. */
  readonly byteLength: number
  readonly bytes: number
  readonly rows: number
  readonly rowGroups: number
}

/** A plan with what is needed to carry it out. */
export interface PreparedLoad {
  readonly plan: LoadPlan
  readonly options: ResolvedOptions
  readonly compiled: CompiledSources
  readonly jobs: readonly RowGroupJob[]
  readonly users: IdRange
  readonly items: IdRange
  readonly retries: number
  readonly seconds: number
}

/**
 * Lists the files, reads their footers, checks every schema, and says what the load will take: nothing else is read.
 *
 * @throws LoadError with code `options`, `missing`, `schema`, `truncated`, `corrupt`, `credentials`, `storage`, `memory` or `disk`
 */
export async function planLoad(options: LoadOptions): Promise<LoadPlan> {
  return (await prepareLoad(resolveOptions(options))).plan
}

export async function prepareLoad(
  options: ResolvedOptions,
  meter: ProgressMeter = new ProgressMeter(options.onProgress),
): Promise<PreparedLoad> {
  const { signal, threads } = options
  signal?.throwIfAborted()
  const store = new Store(await connect(options.s3))
  try {
    const listed = await Promise.all(options.sources.map((source) => findFiles(source, store, signal)))
    const totalFiles = listed.reduce((sum, { files }) => sum + files.length, 0)
    meter.begin('plan', { bytes: 0, rows: 0, files: totalFiles })
    const kinds: Partial<Record<'user' | 'item', IdKind>> = {}
    const users = new RangeFinder()
    const items = new RangeFinder()
    const opened: { source: number; file: StoredFile; footer: Footer; columns?: SourceColumns }[] = []
    for (const [index, source] of options.sources.entries()) {
      const footers = await readFooters(listed[index].files, store, signal, () => meter.add({ files: 1 }))
      for (const [at, footer] of footers.entries()) {
        const file = listed[index].files[at]
        // A file without rows has nothing to be wrong: writers give its columns any type.
        const columns = filledGroups(footer).length === 0 ? undefined : resolveColumns(source, file.uri, footer)
        opened.push({ source: index, file, footer, columns })
        if (columns === undefined) continue
        requireSameKinds(kinds, columns, file.uri, source.name)
        users.add(footer, columns.user)
        items.add(footer, columns.item)
      }
    }
    const both = { user: kinds.user ?? 'integer', item: kinds.item ?? 'integer' } as const
    const compiled = compileSources(options, both)
    const jobs: RowGroupJob[] = []
    const sources = options.sources.map((source, index): PlannedSource => {
      const notes = new Set<string>()
      const files = opened
        .filter((each) => each.source === index)
        .map(({ file, footer, columns }): PlannedFile => {
          const { uri, byteLength } = file
          if (columns === undefined) return { uri, byteLength, bytes: 0, rows: 0, rowGroups: 0 }
          for (const { name, actual } of columns.columns) {
            if (name !== actual) notes.add(`column "${name}" is "${actual}" in ${uri}`)
          }
          const fixed = fixedValues(compiled.tasks[index], uri, columns.partitions)
          const groups = rowGroupJobs(index, file, footer, columns.columns, fixed)
          for (const group of groups) jobs.push(group)
          const bytes = sumOf(groups, (job) => job.bytes)
          return { uri, byteLength, bytes, rows: footer.rows, rowGroups: groups.length }
        })
      const rows = sumOf(files, (file) => file.rows)
      return {
        name: source.name,
        files,
        leftOut: listed[index].leftOut,
        rows,
        sampledRows: Math.round(rows * source.sample),
        bytes: sumOf(files, (file) => file.bytes),
        columns: neededColumns(source),
        notes: [...notes],
      }
    })
    const rows = sumOf(sources, (source) => source.rows)
    const sampledRows = sumOf(sources, (source) => source.sampledRows)
    const userRange = users.decide(both.user, sampledRows)
    const itemRange = items.decide(both.item, sampledRows)
    const memory = planMemory({
      rows: sampledRows,
      users: userRange,
      items: itemRange,
      threads,
      coded: compiled.coded,
      timed: isTimed(options),
      keepTimes: options.keepTimes,
      divided: options.split !== undefined,
      rareItems: options.rareItems,
      rowGroupBytes: jobs.reduce((most, job) => Math.max(most, job.bytes), 0),
      remote: jobs.some(({ file }) => isS3(file.uri)),
    })
    const spill = memory.ids + memory.working > options.memoryBudget
    // Refused now rather than after the first pass.
    const divided = options.split !== undefined
    if (spill) planSpill(options.memoryBudget, memory.ids, threads, compiled.coded, isTimed(options), divided)
    const disk = await planDisk({
      folder: options.temporaryDirectory,
      jobs,
      budget: options.downloadBudget,
      spilledRows: spill ? sampledRows : 0,
      coded: compiled.coded,
      timed: isTimed(options),
    })
    const plan: LoadPlan = {
      sources,
      rows,
      sampledRows,
      bytes: sumOf(sources, (source) => source.bytes),
      files: totalFiles,
      threads,
      users: plannedIds(both.user, userRange, sampledRows),
      items: plannedIds(both.item, itemRange, sampledRows),
      memory,
      disk,
      spill,
    }
    meter.add({}, store.counters.retries)
    const seconds = meter.end()
    return {
      plan,
      options,
      compiled,
      jobs,
      users: userRange,
      items: itemRange,
      retries: store.counters.retries,
      seconds,
    }
  } finally {
    await store.close()
  }
}

function requireSameKinds(
  kinds: Partial<Record<'user' | 'item', IdKind>>,
  columns: SourceColumns,
  uri: string,
  source: string,
): void {
  for (const side of ['user', 'item'] as const) {
    const kind = columns.kinds[side]
    if (kind === undefined) continue
    kinds[side] ??= kind
    const expected = kinds[side]
    if (expected === kind) continue
    const name = { integer: 'an integer', string: 'a string' }
    const column = columns[side].actual
    throw new LoadError(
      'schema',
      `${uri}: column "${column}" of source "${source}": found ${name[kind]}, expected ` +
        `${name[expected]} as in the files before it. All sources need one type of ${side} id.`,
      { file: uri, column },
    )
  }
}

function sumOf<T>(values: readonly T[], of: (value: T) => number): number {
  return values.reduce((sum, value) => sum + of(value), 0)
}

function plannedIds(kind: IdKind, range: IdRange, rows: number): PlannedIds {
  return { kind, way: range.way, atMost: range.way === 'direct' ? Math.min(range.size, rows) : rows }
}
