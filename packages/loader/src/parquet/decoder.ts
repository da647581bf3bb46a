import { initSync, ParquetFile, type RecordBatch, wasmMemory } from 'parquet-wasm/esm'
import { LoadError } from '../errors.ts'
import type { ByteSource } from '../storage/byte-source.ts'
import { type ArrowBatch, readBatch } from './arrow-c.ts'
import type { BufferPool } from './buffers.ts'
import type { RowGroupRequest } from './row-group-request.ts'
import { singleGroupFooter } from './single-group-file.ts'

const BATCH_ROWS = 65536

/** Compiled once in the main thread, instantiated in each worker. */
export function startDecoder(module: WebAssembly.Module): void {
  initSync({ module })
}

/** Bytes of a file from `start` on. */
export interface Piece {
  readonly start: number
  readonly bytes: Uint8Array<ArrayBuffer>
}

/** Gets a batch, read in place, and on demand its copy as an Arrow IPC stream. It must be done with them on return. */
export type BatchUse = (batch: ArrowBatch, ipc: () => Uint8Array) => void

/**
 * Fetches the column chunks of one row group. Everything is in memory before decoding begins: parquet-wasm panics, and
 * its promise never settles, if a read fails half way.
 */
export async function fetchRowGroup(request: RowGroupRequest, source: ByteSource, pool: BufferPool): Promise<Piece[]> {
  const pieces = request.ranges.map(([start, end]) => ({ start, bytes: pool.take(end - start) }))
  await Promise.all(pieces.map(({ start, bytes }) => source.read(start, bytes)))
  return pieces
}

/**
 * Decodes a row group batch by batch.
 *
 * A panic of the decoder (a corrupt page) surfaces as an uncaught error of the thread, and this promise stays open: race it.
 */
export async function decodeRowGroup(
  request: RowGroupRequest,
  pieces: readonly Piece[],
  pool: BufferPool,
  use: BatchUse,
): Promise<void> {
  const lent: Uint8Array<ArrayBuffer>[] = []
  const take = (length: number) => {
    lent.push(pool.take(length))
    return lent[lent.length - 1]
  }
  const footer = await singleGroupFooter(request)
  const file = await ParquetFile.fromFile(blob(request.byteLength, footer, pieces, take) as unknown as Blob)
  let rows = 0
  try {
    const stream = await file.stream({ batchSize: BATCH_ROWS })
    for await (const raw of stream as unknown as AsyncIterable<RecordBatch>) {
      const ffi = raw.toFFI()
      let taken = false
      const ipc = () => {
        taken = true
        return raw.intoIPCStream()
      }
      try {
        const array = ffi.arrayAddr()
        const schema = ffi.schemaAddr()
        // The buffer last: every call before may have grown the decoder's memory and detached it.
        const batch = readBatch(wasmMemory().buffer as ArrayBuffer, array, schema, request.columns)
        rows += batch.length
        use(batch, ipc)
      } finally {
        ffi.free()
        if (!taken) raw.free()
      }
    }
  } finally {
    file.free()
    for (const bytes of lent) pool.give(bytes)
  }
  if (rows === request.rows) return
  throw new LoadError(
    'corrupt',
    `${request.uri}: row group ${request.group} decodes to ${rows} rows, its footer says ${request.rows}.`,
    { file: request.uri, rowGroup: request.group },
  )
}

/** The two members of a Blob that parquet-wasm uses, over the pieces fetched and the footer behind them. Gaps may hold anything. */
function blob(
  byteLength: number,
  footer: Uint8Array,
  pieces: readonly Piece[],
  take: (length: number) => Uint8Array<ArrayBuffer>,
): unknown {
  const all: readonly { start: number; bytes: Uint8Array }[] = [...pieces, { start: byteLength, bytes: footer }]
  return {
    size: byteLength + footer.length,
    slice: (start: number, end: number) => ({
      arrayBuffer: async () => {
        const exact = pieces.find((piece) => piece.start === start && piece.bytes.length === end - start)
        if (exact !== undefined) return exact.bytes.buffer
        const target = take(end - start)
        for (const piece of all) {
          const from = Math.max(start, piece.start)
          const to = Math.min(end, piece.start + piece.bytes.length)
          if (from < to) target.set(piece.bytes.subarray(from - piece.start, to - piece.start), from - start)
        }
        return target.buffer
      },
    }),
  }
}
