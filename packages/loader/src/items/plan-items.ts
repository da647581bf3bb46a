import { LoadError } from '../errors.ts'
import type { IdKind } from '../ids/keys.ts'
import { type FoundColumn, findColumns, findItemColumns, ITEM_COLUMN } from '../parquet/find-column.ts'
import type { Footer } from '../parquet/footer.ts'
import { findFiles } from '../plan/find-files.ts'
import { readFooters } from '../plan/read-footers.ts'
import { columnNames, idKind, isId, severalOf } from '../plan/resolve-columns.ts'
import { filledGroups, type RowGroupJob, rowGroupJobs } from '../plan/row-group-jobs.ts'
import { connect, type S3Options } from '../storage/connection.ts'
import type { LeftOut } from '../storage/listing.ts'
import { Store } from '../storage/store.ts'

/** Where a catalogue is and what is read of it. */
export interface CatalogueOptions {
  /** Where the catalogue is: a file, a folder or prefix, or a glob, on disk or as `s3://bucket/...`; or several. */
  source: string | { uri?: string; files?: readonly string[]; id?: string }
  /** Columns to return. Default: all. Lists, nested lists and structs are allowed. */
  columns?: readonly string[]
  /** A column of `columns` that a file does not have: an error (default), or null for every row of that file. */
  absentColumns?: 'error' | 'null'
  /** Column of the id. Default `item_id`, or in a file without it the only column whose name ends in `_id`. */
  id?: string
  s3?: S3Options
  signal?: AbortSignal
}

export interface PlanItemsOptions extends CatalogueOptions {
  /** What the ids of the items are, as `plan.items.kind` of a load says. Default: either. */
  idKind?: 'integer' | 'string'
}

/** What reading a catalogue takes, known before any data is read. */
export interface ItemsPlan {
  readonly files: number
  /** Names that its locations hold and that are not read, each with the reason. */
  readonly leftOut: readonly LeftOut[]
  readonly rows: number
  /** Compressed bytes of the needed columns. */
  readonly bytes: number
  /** The same without compression, of all rows: an upper bound of what the kept items hold. */
  readonly unpackedBytes: number
  /** Columns asked for that at least one file does not have, with `absentColumns: 'null'`. */
  readonly absent: readonly string[]
}

/** The plan, and the row groups to read. */
export interface PreparedItems extends ItemsPlan {
  readonly id: string
  /** What the ids are; absent where no file has any. */
  readonly kind?: IdKind
  readonly jobs: readonly RowGroupJob[]
}

/**
 * Lists the files of a catalogue and checks their columns against what `readItems` will need, without reading any data.
 *
 * @throws LoadError naming the file and the column, or the reason of `signal`
 */
export async function planItems(options: PlanItemsOptions): Promise<ItemsPlan> {
  const { files, leftOut, rows, bytes, unpackedBytes, absent } = await prepareItems(options)
  return { files, leftOut, rows, bytes, unpackedBytes, absent }
}

export async function prepareItems(options: PlanItemsOptions): Promise<PreparedItems> {
  const { columns, absentColumns = 'error', s3, signal } = options
  let { idKind: kind } = options
  const source = typeof options.source === 'string' ? { uri: options.source } : options.source
  const id = options.id ?? ('id' in source ? source.id : undefined) ?? ITEM_COLUMN
  const locations = source.uri === undefined ? (source.files ?? []) : [source.uri]
  signal?.throwIfAborted()
  const store = new Store(await connect(s3))
  try {
    const { files, leftOut } = await findFiles({ name: 'items', locations, partitions: {} }, store, signal)
    const jobs: RowGroupJob[] = []
    const absent = new Set<string>()
    let rows = 0
    let unpackedBytes = 0
    for (const [at, footer] of (await readFooters(files, store, signal)).entries()) {
      const file = files[at]
      // A file without rows has nothing to be wrong.
      if (filledGroups(footer).length === 0) continue
      const ids = onlyOne(findItemColumns(footer, id), file.uri, id, { kind }, footer)
      if (ids.type.kind !== 'null') kind ??= idKind(ids.type)
      const found: FoundColumn[] = [ids]
      for (const column of new Set(columns ?? footer.columns.map(({ element }) => element.name))) {
        if (column === id || (columns === undefined && column === ids.actual)) continue
        const fits = findColumns(footer, column)
        if (fits.length === 0 && absentColumns === 'null') absent.add(column)
        else found.push(onlyOne(fits, file.uri, column, undefined, footer))
      }
      for (const job of rowGroupJobs(0, file, footer, found)) jobs.push(job)
      rows += footer.rows
      for (const { chunks } of footer.rowGroups) {
        for (const { metadata } of found.flatMap(({ leaves }) => chunks.slice(...leaves))) {
          unpackedBytes += Number(metadata.total_uncompressed_size)
        }
      }
    }
    const bytes = jobs.reduce((sum, job) => sum + job.bytes, 0)
    return { id, kind, jobs, files: files.length, leftOut, rows, bytes, unpackedBytes, absent: [...absent] }
  } finally {
    await store.close()
  }
}

/** The column that a name stands for; `ids` says what an id column must hold. */
function onlyOne(
  fits: readonly FoundColumn[],
  uri: string,
  column: string,
  ids: { kind?: IdKind } | undefined,
  footer: Footer,
): FoundColumn {
  const refuse = (found: string, expected: string) => {
    const name = fits.length === 1 ? fits[0].actual : column
    return new LoadError('schema', `${uri}: column "${name}": found ${found}, expected ${expected}.`, {
      file: uri,
      column: name,
    })
  }
  const expected = { integer: 'an integer, as the ids are', string: 'a string, as the ids are' }
  const role = ids === undefined ? 'a column' : ids.kind === undefined ? 'integers or strings' : expected[ids.kind]
  if (fits.length === 0) throw refuse(`no such column (it has: ${columnNames(footer)})`, role)
  if (fits.length > 1) throw refuse(severalOf(fits), 'one')
  const [{ type }] = fits
  if (ids === undefined || type.kind === 'null') return fits[0]
  if (!isId(type, fits[0]) || (ids.kind ?? idKind(type)) !== idKind(type)) throw refuse(type.name, role)
  return fits[0]
}
