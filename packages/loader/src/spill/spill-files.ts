import { closeSync, openSync, readFileSync, readSync, rmSync, statSync, writevSync } from 'node:fs'
import { mkdtemp, rm } from 'node:fs/promises'
import { join } from 'node:path'
import { LoadError } from '../errors.ts'
import { stagedBytes } from '../matrix/row-bytes.ts'
import type { RunSink, StagedRows } from '../matrix/stage.ts'

/**
 * Temporary files of a load that is over its memory budget: the rows of each bucket of users, appended by each worker to
 * a file of its own, then the merged entries of each bucket.
 */
export interface SpillFolder {
  readonly folder: string
  readonly coded: boolean
  readonly timed: boolean
}

export async function createSpillFolder(parent: string): Promise<string> {
  try {
    return await mkdtemp(join(parent, 'seesaw-load-'))
  } catch (error) {
    throw new LoadError('disk', `No temporary folder can be made in ${parent}: ${(error as Error).message}`)
  }
}

export async function removeSpillFolder(folder: string): Promise<void> {
  await rm(folder, { recursive: true, force: true })
}

/** Appends runs as blocks: number of rows, then the columns one after another. */
export function fileSink(spill: SpillFolder, worker: number): RunSink & { readonly bytes: number } {
  const sink = {
    coded: spill.coded,
    timed: spill.timed,
    bytes: 0,
    put(bucket: number, { pairs, values, times }: StagedRows, from: number, to: number) {
      const columns: NodeJS.ArrayBufferView[] = [Uint32Array.of(to - from), pairs.subarray(2 * from, 2 * to)]
      if (!spill.coded) columns.push(values.subarray(from, to))
      if (spill.timed) columns.push(times.subarray(from, to))
      sink.bytes += append(spill, join(spill.folder, `rows-${bucket}-${worker}`), columns)
    },
  }
  return sink
}

/** Rows of a bucket, from all workers' files, which are then removed. `reserve` gives the buffers to fill. */
export function takeRows(
  spill: SpillFolder,
  bucket: number,
  workers: number,
  reserve: (rows: number) => StagedRows,
): number {
  const rowBytes = stagedBytes(spill.coded, spill.timed)
  const paths = Array.from({ length: workers }, (_, worker) => join(spill.folder, `rows-${bucket}-${worker}`))
  const sizes = paths.map((path) => statSync(path, { throwIfNoEntry: false })?.size ?? 0)
  // Blocks have four bytes of their own each, so this is a little more than there are.
  const rows = reserve(Math.floor(sizes.reduce((sum, size) => sum + size, 0) / rowBytes))
  let n = 0
  for (const [worker, path] of paths.entries()) {
    if (sizes[worker] === 0) continue
    const bytes = readFileSync(path)
    let at = 0
    while (at < bytes.length) {
      const count = bytes.readUInt32LE(at)
      at += 4
      at += copy(bytes, at, rows.pairs.subarray(2 * n, 2 * (n + count)))
      if (!spill.coded) at += copy(bytes, at, rows.values.subarray(n, n + count))
      if (spill.timed) at += copy(bytes, at, rows.times.subarray(n, n + count))
      n += count
    }
    rmSync(path)
  }
  return n
}

export function writeEntries(spill: SpillFolder, bucket: number, columns: NodeJS.ArrayBufferView[]): number {
  return append(spill, join(spill.folder, `entries-${bucket}`), columns)
}

/** Reads the merged entries of a bucket to their place, and removes the file. */
export function takeEntries(spill: SpillFolder, bucket: number, columns: ArrayBufferView[]): void {
  const path = join(spill.folder, `entries-${bucket}`)
  const file = openSync(path, 'r')
  try {
    for (const column of columns) {
      const bytes = new Uint8Array(column.buffer, column.byteOffset, column.byteLength)
      for (let at = 0; at < bytes.length; ) {
        const read = readSync(file, bytes, at, bytes.length - at, null)
        if (read === 0) throw new LoadError('disk', `The temporary file ${path} has lost its end.`)
        at += read
      }
    }
  } finally {
    closeSync(file)
  }
  rmSync(path)
}

function copy(bytes: Buffer, at: number, column: ArrayBufferView): number {
  new Uint8Array(column.buffer, column.byteOffset, column.byteLength).set(bytes.subarray(at, at + column.byteLength))
  return column.byteLength
}

function append({ folder }: SpillFolder, path: string, columns: NodeJS.ArrayBufferView[]): number {
  const bytes = columns.reduce((sum, column) => sum + column.byteLength, 0)
  try {
    const file = openSync(path, 'a')
    try {
      const written = writevSync(file, columns)
      if (written < bytes) throw Object.assign(new Error('short write'), { code: 'ENOSPC' })
    } finally {
      closeSync(file)
    }
  } catch (error) {
    const { code, message } = error as NodeJS.ErrnoException
    const full = code === 'ENOSPC' || code === 'EDQUOT' || code === 'EFBIG'
    throw new LoadError(
      'disk',
      full
        ? `The temporary folder ${folder} is full (${code}). Free space, or set temporaryDirectory to a larger disk.`
        : `Writing to the temporary folder ${folder} failed: ${message}`,
    )
  }
  return bytes
}
