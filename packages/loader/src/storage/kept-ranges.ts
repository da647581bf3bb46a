import { close, ftruncate, open, read, unlink, write } from 'node:fs'
import { join } from 'node:path'
import { promisify } from 'node:util'
import { LoadError } from '../errors.ts'
import type { ByteSource } from './byte-source.ts'

const openDescriptor = promisify(open)
const readDescriptor = promisify(read)
const writeDescriptor = promisify(write)
const closeDescriptor = promisify(close)

/** Byte ranges of an object that lie one after the other in a temporary file, as they came. */
export interface KeptRanges {
  /** Of the file, which all threads of the process share. */
  readonly descriptor: number
  /** Where the first range begins in it. */
  readonly at: number
  readonly ranges: readonly (readonly [start: number, end: number])[]
}

/**
 * A temporary file without a name: whatever becomes of the process, nothing is left of it.
 *
 * @returns its descriptor, to be closed
 */
export async function createUnnamedFile(folder: string): Promise<number> {
  const path = join(folder, `seesaw-fetched-${process.pid}-${Math.random().toString(36).slice(2)}`)
  const descriptor = await openDescriptor(path, 'wx+', 0o600)
  await promisify(unlink)(path)
  return descriptor
}

export async function emptyUnnamedFile(descriptor: number): Promise<void> {
  await promisify(ftruncate)(descriptor, 0)
}

export async function closeUnnamedFile(descriptor: number): Promise<void> {
  await closeDescriptor(descriptor)
}

/** Writes what the ranges hold; false when the disk has no room for it. */
export async function keepRanges({ descriptor, at }: KeptRanges, pieces: readonly Uint8Array[]): Promise<boolean> {
  let place = at
  for (const piece of pieces) {
    for (let done = 0; done < piece.length; ) {
      try {
        const { bytesWritten } = await writeDescriptor(descriptor, piece, done, piece.length - done, place + done)
        done += bytesWritten
      } catch (error) {
        if (['ENOSPC', 'EDQUOT', 'EFBIG', 'EIO'].includes((error as NodeJS.ErrnoException).code ?? '')) return false
        throw error
      }
    }
    place += piece.length
  }
  return true
}

/** The ranges as a source of bytes that knows nothing else of its object. */
export function openKept({ descriptor, at, ranges }: KeptRanges, uri: string, byteLength: number): ByteSource {
  return {
    byteLength,
    async read(start, bytes) {
      let place = at
      for (const [from, to] of ranges) {
        if (start >= from && start + bytes.length <= to) return fill(descriptor, place + start - from, bytes, uri)
        place += to - from
      }
      throw new RangeError(`${uri}: bytes ${start} to ${start + bytes.length} were not kept`)
    },
    async close() {},
  }
}

async function fill(descriptor: number, at: number, bytes: Uint8Array, uri: string): Promise<void> {
  for (let done = 0; done < bytes.length; ) {
    const { bytesRead } = await readDescriptor(descriptor, bytes, done, bytes.length - done, at + done)
    if (bytesRead === 0)
      throw new LoadError('disk', `The temporary file of what was fetched of ${uri} has lost its end.`)
    done += bytesRead
  }
}
