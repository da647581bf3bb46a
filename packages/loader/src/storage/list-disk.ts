import type { Stats } from 'node:fs'
import { readdir, realpath, stat } from 'node:fs/promises'
import { join, resolve } from 'node:path'
import pMap from 'p-map'
import { LoadError } from '../errors.ts'
import type { StoredFile } from './byte-source.ts'
import { type Glob, parseGlob } from './glob.ts'
import { hiddenLength, type Listing, ListingBuilder } from './listing.ts'

const STATS_IN_FLIGHT = 32

/** A file, a folder or a glob, in this order: a location that exists as it is written is no glob. */
export async function listDisk(location: string): Promise<Listing> {
  const info = await stat(location).catch(ignoreMissing)
  if (info?.isFile()) return { files: [await describeFile(location)], leftOut: [] }
  if (info?.isDirectory()) return listFolder(location)
  const glob = parseGlob(location)
  if (glob === undefined) return { files: [], leftOut: [] }
  const base = glob.base || (location.startsWith('/') ? '/' : '.')
  return (await stat(base).catch(ignoreMissing))?.isDirectory() ? listFolder(base, glob) : { files: [], leftOut: [] }
}

/** Time and inode of a file: they change whenever its bytes do. */
export function versionOf(info: { mtimeNs: bigint; ino: bigint }): string {
  return `${info.mtimeNs}-${info.ino}`
}

async function listFolder(root: string, glob?: Glob): Promise<Listing> {
  const listing = new ListingBuilder()
  const paths: string[] = []
  const links = await walk(root, '', glob, listing, paths, [await realpath(root)])
  const kept = links ? await withoutDuplicates(root, paths.sort(), listing) : paths
  await pMap(kept, async (path) => listing.add(await describeFile(join(root, path)), path), {
    concurrency: STATS_IN_FLIGHT,
  })
  return listing.finish()
}

/**
 * Collects the paths of files below a folder, through symbolic links but for those that lead back up; returns whether there
 * was a link.
 */
async function walk(
  root: string,
  folder: string,
  glob: Glob | undefined,
  listing: ListingBuilder,
  paths: string[],
  above: readonly string[],
): Promise<boolean> {
  let links = false
  for (const entry of await readdir(join(root, folder), { withFileTypes: true })) {
    const path = folder === '' ? entry.name : `${folder}/${entry.name}`
    const full = join(root, path)
    listing.notice(resolve(full), path)
    const isLink = entry.isSymbolicLink()
    links ||= isLink
    const info: Pick<Stats, 'isFile' | 'isDirectory'> | undefined = isLink ? await followLink(full) : entry
    if (info?.isDirectory()) {
      if (glob !== undefined && !glob.mayHold(path)) continue
      const real = isLink ? await realpath(full) : join(above[above.length - 1], entry.name)
      if (hiddenLength(path) > 0) listing.leaveOut(resolve(full), 'hidden')
      else if (!above.includes(real)) links = (await walk(root, path, glob, listing, paths, [...above, real])) || links
    } else if (info?.isFile() && (glob?.matches(path) ?? true)) paths.push(path)
  }
  return links
}

async function followLink(path: string): Promise<Stats | undefined> {
  const info = await stat(path).catch(ignoreMissing)
  if (info === undefined && /\.(parquet|parq|pq)$/i.test(path)) {
    throw new LoadError(
      'missing',
      `${path} is a symbolic link to a file that does not exist. Restore it, or remove the link.`,
      {
        file: path,
      },
    )
  }
  return info
}

/** Each file once, under the first of its names. */
async function withoutDuplicates(root: string, paths: readonly string[], listing: ListingBuilder): Promise<string[]> {
  const reals = await pMap(paths, (path) => realpath(join(root, path)), { concurrency: STATS_IN_FLIGHT })
  const seen = new Set<string>()
  return paths.filter((path, i) => {
    const isNew = !seen.has(reals[i])
    seen.add(reals[i])
    if (!isNew) listing.leaveOut(resolve(join(root, path)), 'duplicate')
    return isNew
  })
}

async function describeFile(path: string): Promise<StoredFile> {
  const info = await stat(path, { bigint: true })
  return { uri: resolve(path), byteLength: Number(info.size), version: versionOf(info) }
}

function ignoreMissing(error: NodeJS.ErrnoException): undefined {
  // A name that is longer than names can be, or with a file where a folder would have to be, is a glob or nothing.
  if (['ENOENT', 'ENOTDIR', 'ENAMETOOLONG', 'ELOOP'].includes(error.code ?? '')) return undefined
  throw new LoadError('storage', `${error.path ?? 'A folder'} cannot be read: ${error.message}`, { file: error.path })
}
