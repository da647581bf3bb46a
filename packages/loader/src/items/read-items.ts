import type { IdColumn } from '@seesaw/als-core'
import { LoadError } from '../errors.ts'
import type { RowMap } from '../ids/active-ids.ts'
import { fingerprint } from '../ids/fingerprint.ts'
import { StringColumn } from '../ids/id-column.ts'
import { KeyTable } from '../ids/key-table.ts'
import { readFooter } from '../parquet/footer.ts'
import { findFiles } from '../plan/find-files.ts'
import { type RowGroupJob, rowGroupJob } from '../plan/plan-load.ts'
import { connect, type S3Options } from '../storage/connection.ts'
import { Store } from '../storage/store.ts'
import type { ItemsReport } from '../worker/messages.ts'
import { WorkerPool } from '../worker/pool.ts'

export interface ReadItemsOptions {
  /** Where the catalogue is: a file, a folder or prefix, or a glob, on disk or as `s3://bucket/...`; or several. */
  source: string | { uri?: string; files?: readonly string[]; id?: string }
  /** Ids to keep, by dense row: `itemIds` of the load. */
  ids: IdColumn
  /** Columns to return. Default: all. Lists, nested lists and structs are allowed. */
  columns?: readonly string[]
  /** Column of the id. Default `release_id`. */
  id?: string
  s3?: S3Options
  /** Worker threads that decode. Default 2. */
  threads?: number
  signal?: AbortSignal
}

/** Metadata of one item. */
export interface ItemRow {
  /** Dense row of the item: its place in `ids`. */
  readonly row: number
  readonly id: number | string
  /** Values of the columns: numbers, strings, booleans, null, or arrays and objects of them; times in milliseconds. */
  readonly values: Record<string, unknown>
}

/**
 * Streams the metadata of the items in `ids`, in the order of the files, a row group at a time: the catalogue itself is
 * never held. An id that occurs twice is returned at its first place only; an id that does not occur is left out.
 *
 * @throws LoadError, or the reason of `signal`
 */
export async function* readItems(options: ReadItemsOptions): AsyncGenerator<ItemRow, void, undefined> {
  const { ids, s3, threads = 2, signal } = options
  const source = typeof options.source === 'string' ? { uri: options.source } : options.source
  const id = options.id ?? ('id' in source ? source.id : undefined) ?? 'release_id'
  const locations = source.uri === undefined ? (source.files ?? []) : [source.uri]
  signal?.throwIfAborted()
  const strings = ids.length > 0 && typeof ids.at(0) === 'string'
  const jobs = await planItems(locations, id, strings, options)
  if (ids.length === 0) return
  const map = mapOf(ids, strings)
  const seen = new Uint8Array(ids.length)
  const pool = new WorkerPool(threads, signal)
  try {
    // A few row groups ahead of the reader, and no more: that is what bounds the memory.
    const ahead: Promise<ItemsReport>[] = []
    for (let next = 0; next < jobs.length || ahead.length > 0; ) {
      while (next < jobs.length && ahead.length < threads + 1) {
        const { file, request } = jobs[next]
        const connection = await connect(s3)
        const idKind = strings ? 'string' : 'integer'
        const report = pool.one<ItemsReport>({
          kind: 'items',
          id: next++,
          file,
          request,
          connection,
          idColumn: id,
          idKind,
          seed: 0,
          map,
        })
        report.catch(() => {})
        ahead.push(report)
      }
      const { rows, records } = await ahead.shift()!
      signal?.throwIfAborted()
      for (let i = 0; i < rows.length; i++) {
        const row = rows[i]
        if (seen[row] === 1) continue
        seen[row] = 1
        const values = records[i]
        if (options.columns !== undefined && !options.columns.includes(id)) delete values[id]
        yield { row, id: ids.at(row)!, values }
      }
    }
  } finally {
    await pool.close()
  }
}

async function planItems(
  locations: readonly string[],
  id: string,
  strings: boolean,
  { columns, ids, s3, signal }: ReadItemsOptions,
): Promise<RowGroupJob[]> {
  const store = new Store(await connect(s3))
  try {
    const files = await findFiles({ name: 'items', locations, partitions: {} }, store, signal)
    const jobs: RowGroupJob[] = []
    for (const file of files) {
      const source = await store.open(file, store.counters, signal)
      const footer = await readFooter(source, file).finally(() => source.close())
      const wanted = [...new Set([id, ...(columns ?? footer.columns.keys())])]
      for (const column of wanted) {
        const type = footer.columns.get(column)
        const expected = strings ? 'string' : 'integer'
        const name = strings ? 'a string' : 'a whole number'
        if (type !== undefined && (column !== id || ids.length === 0 || type.kind === expected)) continue
        const found = type?.name ?? `no such column (it has: ${[...footer.columns.keys()].join(', ')})`
        throw new LoadError(
          'schema',
          `${file.uri}: column "${column}": found ${found}, expected ${column === id ? `${name}, as the ids are` : 'a column'}.`,
          { file: file.uri, column },
        )
      }
      jobs.push(...footer.rowGroups.map((_, group) => rowGroupJob(0, file, footer, group, wanted)))
    }
    return jobs
  } finally {
    store.close()
  }
}

/** A table from id to dense row. */
function mapOf(ids: IdColumn, strings: boolean): RowMap {
  const table = KeyTable.forKeys(ids.length)
  const keys = {
    lo: new Uint32Array(1),
    hi: new Uint32Array(1),
    start: new Uint32Array(1),
    end: new Uint32Array(1),
    bytes: new Uint8Array(0),
  }
  for (let row = 0; row < ids.length; row++) {
    if (strings) {
      const bytes = ids instanceof StringColumn ? ids.bytes : Buffer.from(String(ids.at(row)))
      const [start, end] = ids instanceof StringColumn ? [ids.offsets[row], ids.offsets[row + 1]] : [0, bytes.length]
      fingerprint(bytes, start, end, 0, keys, 0)
    } else {
      const id = ids.at(row) as number
      keys.lo[0] = id >>> 0
      keys.hi[0] = Math.floor(id / 4294967296)
    }
    table.values[table.slot(keys, 0)] = row + 1
  }
  return { way: 'table', table: table.arrays() }
}
