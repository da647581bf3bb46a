import { close, fstatSync, open, read } from 'node:fs'
import { promisify } from 'node:util'
import { LoadError } from '../errors.ts'
import type { ByteSource, StoredFile } from './byte-source.ts'
import { versionOf } from './list-disk.ts'

// Plain descriptors: those that a worker thread still holds when it is ended are closed with it, where a FileHandle would
// print a warning.
const openDescriptor = promisify(open)
const readDescriptor = promisify(read)
const closeDescriptor = promisify(close)

/** Files that stay open when no one reads them: the next row group is mostly of one of them. */
const KEPT_OPEN = 16

/**
 * Files on disk, opened once however many row groups are read of them: a third of the time of a row group of 50 rows was
 * opening its file.
 */
export class OpenFiles {
  readonly #files = new Map<string, { readonly descriptor: Promise<number>; readers: number }>()

  /** A listed file, which is refused from the moment on that it is no longer the one that was listed. */
  async open(file: StoredFile): Promise<ByteSource> {
    const kept = this.#files.get(file.uri) ?? { descriptor: openFile(file), readers: 0 }
    // The last used is the last to be closed.
    this.#files.delete(file.uri)
    this.#files.set(file.uri, kept)
    kept.readers++
    let descriptor: number
    try {
      descriptor = await kept.descriptor
    } catch (error) {
      this.#files.delete(file.uri)
      throw error
    }
    return {
      byteLength: file.byteLength,
      async read(start, bytes) {
        await fill(descriptor, file, start, bytes)
        requireVersion(descriptor, file)
      },
      close: async () => {
        kept.readers--
        await this.#closeIdle(KEPT_OPEN)
      },
    }
  }

  async close(): Promise<void> {
    await this.#closeIdle(0)
  }

  async #closeIdle(limit: number): Promise<void> {
    for (const [uri, { descriptor, readers }] of this.#files) {
      if (this.#files.size <= limit) return
      if (readers > 0) continue
      this.#files.delete(uri)
      await closeDescriptor(await descriptor)
    }
  }
}

async function openFile(file: StoredFile): Promise<number> {
  const descriptor = await openDescriptor(file.uri, 'r').catch((error: NodeJS.ErrnoException) => {
    if (error.code === 'ENOENT') throw deleted(file)
    throw new LoadError('storage', `${file.uri} cannot be opened: ${error.message}`, { file: file.uri })
  })
  try {
    requireVersion(descriptor, file)
  } catch (error) {
    await closeDescriptor(descriptor)
    throw error
  }
  return descriptor
}

function requireVersion(descriptor: number, file: StoredFile): void {
  // Synchronous: 2 µs, where the way through the thread pool takes 130.
  const current = fstatSync(descriptor, { bigint: true })
  if (current.nlink === 0n) throw deleted(file)
  if (versionOf(current) === file.version && Number(current.size) === file.byteLength) return
  throw new LoadError(
    'changed',
    `${file.uri} changed while it was being loaded: it has ${current.size} bytes now and had ${file.byteLength} when ` +
      'the load was planned. Load a copy that nobody writes to.',
    { file: file.uri },
  )
}

function deleted({ uri }: StoredFile): LoadError {
  return new LoadError('missing', `${uri} was deleted while it was being loaded.`, { file: uri })
}

async function fill(descriptor: number, file: StoredFile, start: number, bytes: Uint8Array): Promise<void> {
  let filled = 0
  while (filled < bytes.length) {
    const { bytesRead } = await readDescriptor(descriptor, bytes, filled, bytes.length - filled, start + filled)
    if (bytesRead === 0) {
      requireVersion(descriptor, file)
      const end = start + bytes.length
      throw new LoadError('truncated', `${file.uri} ends at byte ${start + filled}, before byte ${end}.`, {
        file: file.uri,
      })
    }
    filled += bytesRead
  }
}
