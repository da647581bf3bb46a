import { createHash } from 'node:crypto'
import type { IdColumn } from '@seesaw/als-core'
import { LoadError } from '../errors.ts'
import { WorkerPool } from '../pool/pool.ts'
import { connect, type S3Options } from '../storage/connection.ts'
import { isS3 } from '../storage/s3-uri.ts'
import { idsOf } from './id-collector.ts'
import { planVectors } from './plan-vectors.ts'
import type { readVectorGroup, VectorsReport } from './read-vector-group.ts'

export interface ReadVectorsOptions {
  /** Where the files are: a file, a folder or prefix, or a glob, on disk or as `s3://bucket/...`; or several. */
  source: string | readonly string[]
  /** Column of the id: integers, strings or UUIDs. Default `id`. */
  id?: string
  /** Column of the vector: a list of as many floats or doubles in every row. Default `vector`. */
  vector?: string
  /** Columns of numbers to read along, such as `interaction_count`; null becomes NaN. */
  numbers?: readonly string[]
  s3?: S3Options
  /** Worker threads that decode, and row groups that are held ahead of the reader. Default 1. */
  threads?: number
  signal?: AbortSignal
}

/** Ids and vectors of Parquet files, as a stream that `publish` of `@seesaw/qdrant-sink` takes. */
export interface VectorFiles {
  /** Rows of all files. */
  readonly points: number
  readonly dimension: number
  /** A hash of names, sizes and versions of the files: changes when one of them does. */
  readonly fingerprint: string
  /**
   * Batches from row `start` on, in the order of the files and their rows. Row groups before it are not read. A batch holds until the next
   * one is asked for: its memory is used again.
   */
  batches(start: number): AsyncGenerator<VectorFilesBatch, void, undefined>
}

export interface VectorFilesBatch {
  readonly ids: IdColumn | BigUint64Array
  /** ids.length × dimension, row-major. */
  readonly data: Float32Array
  /** Columns of numbers, by name. */
  readonly numbers: Readonly<Record<string, Float64Array>>
}

/** Rows of a batch: a small part of a row group, which is what memory depends on. */
const BATCH_ROWS = 8192

/**
 * Reads the footers of files with an id and a vector per row, such as MLlib writes, and returns a stream of their rows. Files come in
 * ascending order of their names. What is in memory is `threads + 1` row groups, each of rows × (4 × dimension + 16) bytes, and per
 * thread one as its columns take in the file.
 *
 * @throws LoadError naming file and column, or the reason of `signal`
 */
export async function readVectors(options: ReadVectorsOptions): Promise<VectorFiles> {
  const { id = 'id', vector = 'vector', numbers = [], s3, threads = 1, signal } = options
  const { jobs, files, dimension, idKind } = await planVectors({ ...options, id, vector, numbers })
  const points = jobs.reduce((sum, { request }) => sum + request.rows, 0)
  const fingerprint = createHash('sha256')
    .update(
      JSON.stringify([
        id,
        vector,
        numbers,
        dimension,
        files.map(({ uri, byteLength, version }) => [uri, byteLength, version]),
      ]),
    )
    .digest('hex')

  async function* batches(start: number): AsyncGenerator<VectorFilesBatch, void, undefined> {
    signal?.throwIfAborted()
    let next = 0
    let skip = start
    while (next < jobs.length && skip >= jobs[next].request.rows) skip -= jobs[next++].request.rows
    if (next === jobs.length) return
    const pool = new WorkerPool(threads, { remote: files.some(({ uri }) => isS3(uri)), signal })
    // The same memory for all row groups: V8 lets go of shared memory late, and 500 MB of vectors stayed 400 MB too long.
    const rows = jobs.slice(next).reduce((most, { request }) => Math.max(most, request.rows), 0)
    const free = Array.from({ length: Math.min(threads + 1, jobs.length - next) }, () => {
      return new Float32Array(new SharedArrayBuffer(4 * rows * dimension))
    })
    const ahead: { data: Float32Array<SharedArrayBuffer>; report: Promise<VectorsReport> }[] = []
    try {
      while (next < jobs.length || ahead.length > 0) {
        while (next < jobs.length && free.length > 0) {
          const { file, request } = jobs[next]
          const connection = await connect(s3)
          const data = free.pop()!
          const columns = { idColumn: id, idKind, vectorColumn: vector, dimension, numberColumns: numbers }
          const task = { id: next++, file, request, connection, ...columns, data }
          const report = pool.one<typeof readVectorGroup>('readVectorGroup', task)
          report.catch(() => {})
          ahead.push({ data, report })
        }
        const { data, report } = ahead.shift()!
        const { ids: group, numbers: found } = await report
        const ids = idsOf(group)
        signal?.throwIfAborted()
        for (let from = skip; from < ids.length; from += BATCH_ROWS) {
          const to = Math.min(ids.length, from + BATCH_ROWS)
          const some = Object.fromEntries(numbers.map((name, i) => [name, found[i].subarray(from, to)]))
          yield { ids: rowsOf(ids, from, to), data: data.subarray(from * dimension, to * dimension), numbers: some }
          signal?.throwIfAborted()
        }
        free.push(data)
        skip = 0
      }
    } finally {
      await pool.close()
    }
  }

  if (points === 0) {
    const place = { file: files[0].uri }
    throw new LoadError(
      'missing',
      `${files[0].uri}${files.length > 1 ? ` and ${files.length - 1} more files` : ''}: no rows, expected a vector in at least one.`,
      place,
    )
  }
  return { points, dimension, fingerprint, batches }
}

/** A part of the ids, without copying them. */
function rowsOf(ids: IdColumn | BigUint64Array, from: number, to: number): IdColumn | BigUint64Array {
  if (ids instanceof Float64Array || ids instanceof BigUint64Array) return ids.subarray(from, to)
  return { length: to - from, at: (row) => (ids as IdColumn).at(from + row) }
}
