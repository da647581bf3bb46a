import { existsSync, mkdirSync, mkdtempSync, readdirSync, rmSync, statSync } from 'node:fs'
import { join } from 'node:path'
import { DirectoryLockedError, lockDirectory } from '@seesaw/als-core'

const PREFIX = 'seesaw-work-'

/** A folder for temporary files, this process's own. */
export interface WorkFolder {
  readonly path: string
  /** Removes it, with all that is in it. */
  close(): Promise<void>
}

/**
 * Makes a folder for temporary files in `parent`, which is made if it is missing, and removes those of runs that were
 * killed. It goes with `close`, with the process where that exits by itself, and otherwise with the next run.
 */
export async function openWorkFolder(parent: string, signal?: AbortSignal): Promise<WorkFolder> {
  mkdirSync(parent, { recursive: true })
  const path = mkdtempSync(join(parent, PREFIX))
  const remove = () => rmSync(path, { recursive: true, force: true })
  process.on('exit', remove)
  const unlock = await lockDirectory(path)
  const now = statSync(path).mtimeMs
  for (const name of readdirSync(parent)) {
    if (name.startsWith(PREFIX)) await removeAbandoned(join(parent, name), now, signal)
  }
  const close = async () => {
    process.off('exit', remove)
    await unlock()
    remove()
  }
  return { path, close }
}

/** A folder without a lock that is younger than this, in ms, is being made or about to go. */
const YOUNG = 60_000

/** Removes the folder of a run that is no more. `now` is by the clock of the file system, which is that of `mtime`. */
async function removeAbandoned(path: string, now: number, signal?: AbortSignal): Promise<void> {
  const modified = statSync(path, { throwIfNoEntry: false })?.mtimeMs
  if (modified === undefined || (!existsSync(join(path, 'lock.json')) && now - modified < YOUNG)) return
  try {
    await lockDirectory(path, signal)
  } catch (error) {
    if (error instanceof DirectoryLockedError) return
    throw error
  }
  rmSync(path, { recursive: true, force: true })
}
