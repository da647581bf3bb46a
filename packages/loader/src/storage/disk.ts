import { glob, open, readdir, stat } from 'node:fs/promises'
import { basename, join, resolve } from 'node:path'
import { LoadError } from '../errors.ts'
import type { ByteSource, StoredFile } from './byte-source.ts'

/** A file, a folder (all *.parquet below it) or a glob pattern, in ascending order of path. */
export async function listDisk(pattern: string): Promise<StoredFile[]> {
  const info = await stat(pattern).catch(() => undefined)
  let paths: string[]
  if (info?.isFile()) paths = [pattern]
  else if (info?.isDirectory()) {
    const found = await readdir(pattern, { recursive: true, withFileTypes: true })
    paths = found.filter((entry) => entry.isFile()).map((entry) => join(entry.parentPath, entry.name))
    paths = paths.filter((path) => isData(path.slice(pattern.length)))
  } else {
    paths = []
    for await (const path of glob(pattern)) if (isData(basename(path))) paths.push(path)
  }
  const files = await Promise.all(paths.map(describeFile))
  return files.filter((file) => file !== undefined).sort((a, b) => (a.uri < b.uri ? -1 : 1))
}

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

/** Names that begin with "_" or "." (markers, temporary files) at any level are not data. */
export function isData(path: string): boolean {
  return path.endsWith('.parquet') && !/(^|\/)[._]/.test(path)
}

async function describeFile(path: string): Promise<StoredFile | undefined> {
  const info = await stat(path, { bigint: true })
  if (!info.isFile()) return undefined
  return { uri: resolve(path), byteLength: Number(info.size), version: versionOf(info) }
}

function versionOf(info: { mtimeNs: bigint; ino: bigint }): string {
  return `${info.mtimeNs}-${info.ino}`
}
