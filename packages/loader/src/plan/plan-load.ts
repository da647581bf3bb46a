import pMap from 'p-map'
import { LoadError } from '../errors.ts'
import type { IdRange } from '../ids/id-range.ts'
import type { IdKind } from '../ids/keys.ts'
import { type LoadOptions, type ResolvedOptions, type ResolvedSource, resolveOptions } from '../options.ts'
import type { RowGroupRequest } from '../parquet/decoder.ts'
import { type Footer, readFooter } from '../parquet/footer.ts'
import { ProgressMeter } from '../progress.ts'
import { planSpill } from '../spill/spill-plan.ts'
import type { StoredFile } from '../storage/byte-source.ts'
import { connect } from '../storage/connection.ts'
import { isS3, Store } from '../storage/store.ts'
import { checkSchema, neededColumns } from './check-schema.ts'
import { type CompiledSources, compileSources } from './compile-sources.ts'
import { findFiles } from './find-files.ts'
import { type MemoryPlan, planMemory } from './memory.ts'
import { RangeFinder } from './range-finder.ts'

/** What a load will read and hold, known before any data is read. Plain data. */
export interface LoadPlan {
  readonly sources: readonly PlannedSource[]
  /** Rows in all files. */
  readonly rows: number
  /** Rows that the sample is expected to leave. */
  readonly sampledRows: number
  /** Compressed bytes of the needed columns; each of the two passes reads them once. */
  readonly bytes: number
  readonly files: number
  readonly threads: number
  /** How ids are counted: by an array over their range, or by a hash table. */
  readonly users: { readonly kind: IdKind; readonly way: 'direct' | 'table' }
  readonly items: { readonly kind: IdKind; readonly way: 'direct' | 'table' }
  readonly memory: MemoryPlan
  /** Whether rows go through temporary files, because `memory` is over the budget. */
  readonly spill: boolean
}

export interface PlannedSource {
  readonly name: string
  readonly files: readonly PlannedFile[]
  readonly rows: number
  readonly sampledRows: number
  readonly bytes: number
  readonly columns: readonly string[]
}

export interface PlannedFile {
  readonly uri: string
  /** Size of the whole file; `bytes` are those of the needed columns. */
  readonly byteLength: number
  readonly bytes: number
  readonly rows: number
  readonly rowGroups: number
}

/** One row group to read in both passes. */
export interface RowGroupJob {
  readonly source: number
  readonly file: StoredFile
  readonly request: RowGroupRequest
  readonly bytes: number
  /** True for the last row group of its file, so that files can be counted. */
  readonly last: boolean
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

const FOOTERS_IN_FLIGHT = 16

/**
 * Lists the files, reads their footers, checks every schema, and says what the load will take: nothing else is read.
 *
 * @throws LoadError with code `options`, `missing`, `schema`, `truncated`, `corrupt`, `credentials` or `storage`
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
    const totalFiles = listed.reduce((sum, files) => sum + files.length, 0)
    meter.begin('plan', { bytes: 0, rows: 0, files: totalFiles })
    const kinds: Partial<Record<'user' | 'item', IdKind>> = {}
    const users = new RangeFinder()
    const items = new RangeFinder()
    const jobs: RowGroupJob[] = []
    const sources: PlannedSource[] = []
    for (const [index, source] of options.sources.entries()) {
      const footers = await pMap(listed[index], (file) => readOne(file, store, meter, signal), {
        concurrency: FOOTERS_IN_FLIGHT,
        signal,
      })
      const files: PlannedFile[] = []
      for (const [at, footer] of footers.entries()) {
        const file = listed[index][at]
        requireSameKinds(kinds, checkSchema(source, file.uri, footer), file.uri, source)
        users.add(footer, source.user)
        items.add(footer, source.item)
        const columns = neededColumns(source)
        const groups = footer.rowGroups.map((_, group) => rowGroupJob(index, file, footer, group, columns))
        jobs.push(...groups)
        const bytes = sumOf(groups, (job) => job.bytes)
        files.push({
          uri: file.uri,
          byteLength: file.byteLength,
          bytes,
          rows: footer.rows,
          rowGroups: groups.length,
        })
      }
      const rows = sumOf(files, (file) => file.rows)
      sources.push({
        name: source.name,
        files,
        rows,
        sampledRows: Math.round(rows * source.sample),
        bytes: sumOf(files, (file) => file.bytes),
        columns: neededColumns(source),
      })
    }
    const rows = sumOf(sources, (source) => source.rows)
    const sampledRows = sumOf(sources, (source) => source.sampledRows)
    const both = { user: kinds.user ?? 'integer', item: kinds.item ?? 'integer' } as const
    const compiled = compileSources(options, both)
    const userRange = users.decide(both.user, sampledRows)
    const itemRange = items.decide(both.item, sampledRows)
    const memory = planMemory({
      rows: sampledRows,
      users: userRange,
      items: itemRange,
      threads,
      coded: compiled.coded,
      timed: options.merge === 'last',
      rowGroupBytes: jobs.reduce((most, job) => Math.max(most, job.bytes), 0),
      remote: listed.flat().some(({ uri }) => isS3(uri)),
    })
    const spill = memory.ids + memory.working > options.memoryBudget
    // Refused now rather than after the first pass.
    if (spill) planSpill(options.memoryBudget, memory.ids, threads, compiled.coded, options.merge === 'last')
    const plan: LoadPlan = {
      sources,
      rows,
      sampledRows,
      bytes: sumOf(sources, (source) => source.bytes),
      files: totalFiles,
      threads,
      users: { kind: both.user, way: userRange.way },
      items: { kind: both.item, way: itemRange.way },
      memory,
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
    store.close()
  }
}

async function readOne(file: StoredFile, store: Store, meter: ProgressMeter, signal?: AbortSignal): Promise<Footer> {
  const source = await store.open(file, store.counters, signal)
  try {
    return await readFooter(source, file)
  } finally {
    await source.close()
    meter.add({ files: 1 })
  }
}

function requireSameKinds(
  kinds: Partial<Record<'user' | 'item', IdKind>>,
  found: { user: IdKind; item: IdKind },
  uri: string,
  source: ResolvedSource,
): void {
  for (const side of ['user', 'item'] as const) {
    kinds[side] ??= found[side]
    if (kinds[side] === found[side]) continue
    const name = { integer: 'a whole number', string: 'a string' }
    throw new LoadError(
      'schema',
      `${uri}: column "${source[side]}" of source "${source.name}": found ${name[found[side]]}, expected ` +
        `${name[kinds[side]]} as in the files before it. All sources need one type of ${side} id.`,
      { file: uri, column: source[side] },
    )
  }
}

/** The byte ranges of the needed columns of one row group, joined where they touch. */
export function rowGroupJob(
  source: number,
  file: StoredFile,
  footer: Footer,
  group: number,
  columns: readonly string[],
): RowGroupJob {
  const { rows, chunks } = footer.rowGroups[group]
  const ranges: [number, number][] = []
  const needed = columns.map((column) => chunks.get(column)).filter((chunk) => chunk !== undefined)
  for (const { start, end } of needed.sort((a, b) => a.start - b.start)) {
    const last = ranges.at(-1)
    if (last !== undefined && start <= last[1]) last[1] = Math.max(last[1], end)
    else ranges.push([start, end])
  }
  return {
    source,
    file,
    request: { uri: file.uri, byteLength: file.byteLength, footer: footer.bytes, group, rows, columns, ranges },
    bytes: sumOf(ranges, ([start, end]) => end - start),
    last: group === footer.rowGroups.length - 1,
  }
}

function sumOf<T>(values: readonly T[], of: (value: T) => number): number {
  return values.reduce((sum, value) => sum + of(value), 0)
}
