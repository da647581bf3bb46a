import { workerData } from 'node:worker_threads'
import type { ColumnMetaData, SchemaElement } from 'hyparquet'
import { LoadError } from '../errors.ts'
import { BufferPool } from '../parquet/buffers.ts'
import { type BatchUse, decodeRowGroup, fetchRowGroup, startDecoder } from '../parquet/decoder.ts'
import { checkPages } from '../parquet/page-checksums.ts'
import { keepRanges, openKept } from '../storage/kept-ranges.ts'
import { Store } from '../storage/store.ts'
import type { ReadReport, ReadTask, WorkerSetup } from './messages.ts'

const { module, announcements, remote } = workerData as WorkerSetup
/** Number of this worker in its pool. */
export const worker: number = Atomics.add(announcements, 0, 1)
startDecoder(module)

// parquet-wasm prints the text of a panic before it dies of it: kept for the error instead.
let panic = ''
console.error = (text: unknown) => {
  panic = String(text).split('\n')[0]
}

// A panic leaves its promise unsettled and surfaces here, outside every await.
let failDecoding: ((error: Error) => void) | undefined
const fail = (error: Error) => {
  if (failDecoding === undefined) throw error
  failDecoding(error)
}
process.on('uncaughtException', fail)
process.on('unhandledRejection', fail)

const buffers = new BufferPool()
if (remote) Store.preload()
let store: Store | undefined
let decoding: Promise<unknown> = Promise.resolve()

/**
 * Fetches and decodes one row group. Tasks overlap in fetching; decoding takes turns, which bounds the decoder's memory
 * and leaves no doubt which row group a panic belongs to.
 */
export async function readRowGroup(task: ReadTask, outcomes: Float64Array, use: BatchUse): Promise<ReadReport> {
  const { request } = task
  store ??= new Store(task.connection)
  store.renew(task.connection)
  // Tasks overlap, so each counts for itself.
  const counters = { requests: 0, retries: 0 }
  const { kept } = task
  const source = kept?.filled ? openKept(kept, request.uri, request.byteLength) : await store.open(task.file, counters)
  let pieces: Awaited<ReturnType<typeof fetchRowGroup>>
  try {
    pieces = await fetchRowGroup(request, source, buffers)
  } finally {
    await source.close()
  }
  // Written while it is decoded: the decoder reads the bytes and leaves them as they are.
  const written =
    kept === undefined || kept.filled
      ? kept?.filled
      : keepRanges(
          kept,
          pieces.map(({ bytes }) => bytes),
        )
  const turn = decoding.then(async () => {
    Atomics.store(announcements, 1 + worker, task.id + 1)
    const panicked = new Promise<never>((_, reject) => {
      failDecoding = (error) => reject(corrupt(task, error))
    })
    try {
      for (const { bytes } of pieces) checkPages(bytes)
      await Promise.race([decodeRowGroup(request, pieces, buffers, use), panicked])
    } catch (error) {
      throw placed(error, task)
    } finally {
      failDecoding = undefined
      Atomics.store(announcements, 1 + worker, 0)
    }
  })
  decoding = turn.catch(() => {})
  const [isKept = false] = await Promise.all([written, turn])
  for (const { bytes } of pieces) buffers.give(bytes)
  const bytes = pieces.reduce((sum, piece) => sum + piece.bytes.length, 0)
  return { worker, bytes, fromKept: kept?.filled ?? false, kept: isKept, retries: counters.retries, outcomes }
}

function corrupt({ request }: Pick<ReadTask, 'request'>, error: Error): LoadError {
  const { uri, group, columns } = request
  const reason = panic === '' ? error.message : panic
  const place = { file: uri, rowGroup: group }
  const start = `${uri}: row group ${group} cannot be decoded: ${reason}. `
  const suspects = columns.filter(({ chunks }) => chunks.some(mayBeTooWide))
  const suspect = (suspects.find(({ schema }) => schema.some(isUnsigned)) ?? suspects[0])?.actual
  if (suspect === undefined) return new LoadError('corrupt', `${start}The file is damaged; write it again.`, place)
  return new LoadError(
    'corrupt',
    `${start}The file is damaged, or the differences of column "${suspect}" are packed in more than 32 bits: DuckDB writes ` +
      'UINTEGER so with PARQUET_VERSION V2, and no reader of Arrow takes it. Write it again with PARQUET_VERSION V1, or the ' +
      'column as BIGINT.',
    { ...place, column: suspect },
  )
}

/** Differences of 32-bit integers wrap at 32 bits (parquet-format, "Delta encoding"); some writers let them grow to 33. */
function mayBeTooWide({ type, encodings }: ColumnMetaData): boolean {
  return type === 'INT32' && encodings.includes('DELTA_BINARY_PACKED')
}

function isUnsigned({ converted_type, logical_type }: SchemaElement): boolean {
  return converted_type === 'UINT_32' || (logical_type?.type === 'INTEGER' && !logical_type.isSigned)
}

/** Errors from below know what is wrong, not where, and call a column by the name it was asked for. */
function placed(error: unknown, task: ReadTask): unknown {
  const { uri, group, columns } = task.request
  if (!(error instanceof LoadError)) return corrupt(task, error as Error)
  if (error.file !== undefined) return error
  const column = columns.find(({ name }) => name === error.column)?.actual ?? error.column
  const what = error.message.replace(`column "${error.column}"`, `column "${column}"`)
  return new LoadError(error.code, `${uri}: row group ${group}: ${what}`, { file: uri, column, rowGroup: group })
}
