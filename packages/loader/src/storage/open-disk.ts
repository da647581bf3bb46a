import { open } from 'node:fs/promises'
import { LoadError } from '../errors.ts'
import type { ByteSource, StoredFile } from './byte-source.ts'
import { versionOf } from './list-disk.ts'

/** Opens a listed file, and refuses when it is no longer the file that was listed. */
export async function openDisk(file: StoredFile): Promise<ByteSource> {
  const handle = await open(file.uri, 'r').catch((error: NodeJS.ErrnoException) => {
    if (error.code === 'ENOENT') {
      throw new LoadError('missing', `${file.uri} was deleted while it was being loaded.`, { file: file.uri })
    }
    throw new LoadError('storage', `${file.uri} cannot be opened: ${error.message}`, { file: file.uri })
  })
  const current = await handle.stat({ bigint: true })
  if (versionOf(current) !== file.version || Number(current.size) !== file.byteLength) {
    await handle.close()
    throw new LoadError(
      'changed',
      `${file.uri} changed while it was being loaded: it has ${current.size} bytes now and had ${file.byteLength} when ` +
        'the load was planned. Load a copy that nobody writes to.',
      { file: file.uri },
    )
  }
  return {
    byteLength: file.byteLength,
    async read(start, bytes) {
      let filled = 0
      while (filled < bytes.length) {
        const { bytesRead } = await handle.read(bytes, filled, bytes.length - filled, start + filled)
        if (bytesRead === 0) {
          const end = start + bytes.length
          throw new LoadError('truncated', `${file.uri} ends at byte ${start + filled}, before byte ${end}.`, {
            file: file.uri,
          })
        }
        filled += bytesRead
      }
    },
    close: () => handle.close(),
  }
}
