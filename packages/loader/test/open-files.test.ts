import { existsSync, readdirSync, readlinkSync, renameSync, rmSync, writeFileSync } from 'node:fs'
import { join } from 'node:path'
import { expect, test } from 'vitest'
import type { StoredFile } from '../src/storage/byte-source.ts'
import { listDisk } from '../src/storage/list-disk.ts'
import { OpenFiles } from '../src/storage/open-disk.ts'
import { temporaryFolder } from './parquet-files.ts'

const folder = temporaryFolder()
const DESCRIPTORS = '/proc/self/fd'

/** Descriptors of this process that lead to a file of the folder. */
function openNow(): number {
  const leadsHere = (fd: string) => {
    try {
      return readlinkSync(`${DESCRIPTORS}/${fd}`).startsWith(folder)
    } catch {
      return false
    }
  }
  return readdirSync(DESCRIPTORS).filter(leadsHere).length
}

async function write(name: string, text: string): Promise<StoredFile> {
  writeFileSync(join(folder, name), text)
  return (await listDisk(join(folder, name))).files[0]
}

async function readAll(files: OpenFiles, file: StoredFile): Promise<string> {
  const source = await files.open(file)
  try {
    const bytes = new Uint8Array(file.byteLength)
    await source.read(0, bytes)
    return Buffer.from(bytes).toString()
  } finally {
    await source.close()
  }
}

test.skipIf(!existsSync(DESCRIPTORS))('a file is opened once for all its readers, and 16 stay open', async () => {
  const files = new OpenFiles()
  const stored = await Promise.all(Array.from({ length: 20 }, (_, i) => write(`${i}.parquet`, `file ${i}`)))
  const [first] = stored
  const readers = await Promise.all(Array.from({ length: 50 }, () => files.open(first)))
  expect(openNow()).toBe(1)
  for (const file of stored) expect(await readAll(files, file)).toBe(`file ${stored.indexOf(file)}`)
  // The first has readers, so it is not among those closed.
  expect(openNow()).toBe(16)
  const bytes = new Uint8Array(6)
  await readers[49].read(0, bytes)
  expect(Buffer.from(bytes).toString()).toBe('file 0')
  for (const reader of readers) await reader.close()
  await files.close()
  expect(openNow()).toBe(0)
})

test('a file that changes, is replaced or is deleted while it is open is refused', async () => {
  const files = new OpenFiles()
  const changed = await write('changed.parquet', 'before')
  const replaced = await write('replaced.parquet', 'before')
  const deleted = await write('deleted.parquet', 'before')
  const shorter = await write('shorter.parquet', 'before')
  for (const file of [changed, replaced, deleted, shorter]) expect(await readAll(files, file)).toBe('before')
  await write('changed.parquet', 'after.')
  await write('new.parquet', 'after.')
  renameSync(join(folder, 'new.parquet'), join(folder, 'replaced.parquet'))
  rmSync(join(folder, 'deleted.parquet'))
  await write('shorter.parquet', 'a')
  await expect(readAll(files, changed)).rejects.toMatchObject({ code: 'changed', file: changed.uri })
  // What is open is still the file that was listed, and no one else can open it.
  await expect(readAll(files, replaced)).rejects.toMatchObject({ code: 'missing', file: replaced.uri })
  await expect(readAll(files, deleted)).rejects.toMatchObject({ code: 'missing', file: deleted.uri })
  await expect(readAll(files, shorter)).rejects.toMatchObject({ code: 'changed', file: shorter.uri })
  await files.close()
})
