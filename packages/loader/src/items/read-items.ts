import type { IdColumn } from '@seesaw/als-core'
import { fingerprint } from '../ids/fingerprint.ts'
import { StringColumn } from '../ids/id-column.ts'
import { KeyTable } from '../ids/key-table.ts'
import type { RowMap } from '../ids/row-map.ts'
import { WorkerPool } from '../pool/pool.ts'
import { connect } from '../storage/connection.ts'
import { isS3 } from '../storage/s3-uri.ts'
import { type CatalogueOptions, prepareItems } from './plan-items.ts'
import type { ItemsReport, readItemGroup } from './read-item-group.ts'

export interface ReadItemsOptions extends CatalogueOptions {
  /** Ids to keep, by dense row: `itemIds` of the load. */
  ids: IdColumn
  /** Worker threads that decode. Default 2. */
  threads?: number
  /**
   * Where the worker file is, for programs that are bundled: the bundle of `@seesaw/loader/worker`, as an absolute URL or
   * path. Default: the worker file of this package.
   */
  workerUrl?: URL | string
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
  const { ids, s3, threads = 2, workerUrl, signal } = options
  signal?.throwIfAborted()
  const strings = ids.length > 0 && typeof ids.at(0) === 'string'
  const idKind = strings ? 'string' : 'integer'
  const { id, jobs, absent } = await prepareItems({ ...options, ...(ids.length > 0 && { idKind }) })
  if (ids.length === 0) return
  const map = mapOf(ids, strings)
  const seen = new Uint8Array(ids.length)
  const pool = new WorkerPool(threads, { remote: jobs.some(({ file }) => isS3(file.uri)), signal, workerUrl })
  try {
    // A few row groups ahead of the reader, and no more: that is what bounds the memory.
    const ahead: Promise<ItemsReport>[] = []
    for (let next = 0; next < jobs.length || ahead.length > 0; ) {
      while (next < jobs.length && ahead.length < threads + 1) {
        const { file, request } = jobs[next]
        const connection = await connect(s3)
        const report = pool.one<typeof readItemGroup>('readItemGroup', {
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
        for (const column of absent) values[column] ??= null
        if (options.columns !== undefined && !options.columns.includes(id)) delete values[id]
        yield { row, id: ids.at(row)!, values }
      }
    }
  } finally {
    await pool.close()
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
    table.set(keys, 0, row + 1)
  }
  return { way: 'table', table: table.arrays() }
}
