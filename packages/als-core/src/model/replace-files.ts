import { randomUUID } from 'node:crypto'
import { mkdir, open, readdir, rename, rm } from 'node:fs/promises'
import { join, parse } from 'node:path'

/** Bytes of one write or read: the system call takes less than 2^31. */
const PIECE = 2 ** 30

/**
 * Replaces the files of a directory in one step. `write` makes new files under the names that `name` makes of `files` and returns the
 * manifest, which is put in place last, by a rename: a reader finds the files before or the new ones, never a half. Then
 * the files before are deleted, and what a run that was killed has left: those named as in `files`. When `write` fails,
 * the new ones are. The caller holds the lock of the directory.
 */
export async function replaceFiles(
  directory: string,
  manifest: string,
  files: readonly string[],
  write: (name: (file: string) => string) => Promise<object>,
): Promise<void> {
  await mkdir(directory, { recursive: true })
  const generation = randomUUID().slice(0, 8)
  const written: string[] = []
  const name = (file: string): string => {
    const { name: stem, ext } = parse(file)
    written.push(`${stem}-${generation}${ext}`)
    return written[written.length - 1]
  }
  try {
    const content = await write(name)
    const draft = name(manifest)
    await writeFlushed(join(directory, draft), [Buffer.from(`${JSON.stringify(content, null, 2)}\n`)])
    await rename(join(directory, draft), join(directory, manifest))
  } catch (error) {
    await Promise.all(written.map((file) => rm(join(directory, file), { force: true })))
    throw namePlace(error, directory)
  }
  const replaced = new Set([...files, manifest])
  for (const file of await readdir(directory)) {
    const isOurs = replaced.has(file.replace(/-[0-9a-f]{8}(?=\.)/, '')) && file !== manifest
    if (isOurs && !written.includes(file)) await rm(join(directory, file), { force: true })
  }
}

/** Writes arrays one after the other to a new file, down to the disk; returns its size. */
export async function writeFlushed(path: string, arrays: readonly ArrayBufferView[]): Promise<number> {
  const file = await open(path, 'wx')
  try {
    for (const piece of pieces(arrays)) {
      for (let done = 0; done < piece.length; ) done += (await file.write(piece, done)).bytesWritten
    }
    await file.sync()
    return (await file.stat()).size
  } finally {
    await file.close()
  }
}

/** The error of a system call; those of a write ("ENOSPC: no space left on device, write") do not say where. */
export function namePlace(error: unknown, path: string): unknown {
  const isNameless = error instanceof Error && 'syscall' in error && !('path' in error)
  if (isNameless) error.message += ` to ${path}`
  return error
}

/** Fills arrays one after the other from a file. @throws Error when the file is too short. */
export async function readInto(path: string, arrays: readonly ArrayBufferView[]): Promise<void> {
  const file = await open(path)
  try {
    for (const piece of pieces(arrays)) {
      for (let done = 0; done < piece.length; ) {
        const { bytesRead } = await file.read(piece, done)
        if (bytesRead === 0) throw new Error(`${path} ends early.`)
        done += bytesRead
      }
    }
  } finally {
    await file.close()
  }
}

function* pieces(arrays: readonly ArrayBufferView[]): Generator<Uint8Array> {
  for (const { buffer, byteOffset, byteLength } of arrays) {
    for (let at = 0; at < byteLength; at += PIECE) {
      yield new Uint8Array(buffer, byteOffset + at, Math.min(PIECE, byteLength - at))
    }
  }
}
