import { setImmediate } from 'node:timers/promises'
import type { IdColumn } from '@seesaw/als-core'
import { fingerprint } from '../ids/fingerprint.ts'
import { StringColumn } from '../ids/id-column.ts'
import { KeyTable } from '../ids/key-table.ts'
import type { RowMap } from '../ids/row-map.ts'
import type { RequestedColumn } from '../parquet/row-group-request.ts'
import { WorkerPool } from '../pool/pool.ts'
import { connect } from '../storage/connection.ts'
import { isS3 } from '../storage/s3-uri.ts'
import { type CatalogueOptions, prepareItems } from './plan-items.ts'
import type { ItemsReport, readItemGroup } from './read-item-group.ts'

export interface ReadItemsOptions extends CatalogueOptions {
  /** Ids to keep, by dense row: `itemIds` of the load. Default: every item that has an id, numbered as they come. */
  ids?: IdColumn
  /** With the default of `ids`: what ids must be. Default: integers or strings. */
  idKind?: 'integer' | 'string'
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
  /** Dense row of the item: its place in `ids`; without them its number in this stream. */
  readonly row: number
  readonly id: number | string
  /** Values of the columns: numbers, strings, booleans, null, or arrays and objects of them; times in milliseconds. */
  readonly values: Record<string, unknown>
}

/**
 * Streams the metadata of the items in `ids`, in the order of the files, a row group at a time: the catalogue itself is
 * never held. An id that occurs twice is returned at its first place only; an id that does not occur is left out. Without
 * `ids` an id that occurs twice comes twice, because to know it would take memory that grows with the catalogue.
 *
 * @throws LoadError, or the reason of `signal`
 */
export async function* readItems(options: ReadItemsOptions): AsyncGenerator<ItemRow, void, undefined> {
  const { ids, s3, threads = 2, workerUrl, signal } = options
  signal?.throwIfAborted()
  const kindOfIds = ids?.length ? (typeof ids.at(0) === 'string' ? 'string' : 'integer') : options.idKind
  const { id, jobs, absent, kind = 'integer' } = await prepareItems({ ...options, idKind: kindOfIds })
  if (ids?.length === 0 || jobs.length === 0) return
  // Arrow's own library is for metadata only.
  const { recordsOf } = await import('./records.ts')
  const map = ids && mapOf(ids, kind === 'string')
  const seen = new Uint8Array(ids?.length ?? 0)
  let next = 0
  const remote = jobs.some(({ file }) => isS3(file.uri))
  const pool = new WorkerPool(Math.min(threads, jobs.length), { remote, signal, workerUrl })
  try {
    // A few row groups ahead of the reader, and no more: that is what bounds the memory.
    const ahead: { report: Promise<ItemsReport>; columns: readonly RequestedColumn[] }[] = []
    for (let job = 0; job < jobs.length || ahead.length > 0; ) {
      while (job < jobs.length && ahead.length < threads + 1) {
        const { file, request } = jobs[job]
        const connection = await connect(s3)
        const report = pool.one<typeof readItemGroup>('readItemGroup', {
          id: job++,
          file,
          request,
          connection,
          idColumn: id,
          idKind: kind,
          seed: 0,
          map,
        })
        report.catch(() => {})
        ahead.push({ report, columns: request.columns })
      }
      const { report, columns } = ahead.shift()!
      const { rows, batches } = await report
      let at = 0
      for (const { ipc, places } of batches) {
        // A batch is 65,536 records: signals and timers get their turn in between.
        await setImmediate()
        for (const values of recordsOf(ipc, places, columns)) {
          signal?.throwIfAborted()
          const row = ids ? rows[at++] : next++
          if (ids && seen[row] === 1) continue
          if (ids) seen[row] = 1
          const own = ids ? ids.at(row)! : (values[id] as number | string)
          for (const column of absent) values[column] ??= null
          if (options.columns !== undefined && !options.columns.includes(id)) delete values[id]
          yield { row, id: own, values }
        }
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
