import { accessSync, constants, existsSync, statfsSync, statSync } from 'node:fs'
import { tmpdir } from 'node:os'
import { dirname, resolve } from 'node:path'
import { ConfigurationError } from '../configuration/read-configuration.ts'
import type { Configuration } from '../configuration/schema.ts'
import { bytes } from '../text/format.ts'

/** Where files go that a run needs only while it lasts. */
export function temporaryFolder({ output }: Configuration): string {
  return output.temporary ?? tmpdir()
}

/** A folder and the variable that names it. */
export type NamedFolder = readonly [variable: string, folder: string]

/** The folders that a run writes to. */
export function foldersOf(configuration: Configuration): NamedFolder[] {
  const { model, checkpoint, temporary, tuneJournal } = configuration.output
  return [
    ['OUTPUT_DIR', model],
    ...(checkpoint === undefined ? [] : [['CHECKPOINT_DIR', checkpoint] as const]),
    ...(configuration.tune ? [['TUNE_JOURNAL', dirname(tuneJournal)] as const] : []),
    [temporary === undefined ? 'TMPDIR' : 'WORK_DIR', temporaryFolder(configuration)],
  ]
}

/**
 * Checks that each place that a run will write to is a folder and can be written to.
 *
 * @throws ConfigurationError naming each that is no folder or cannot be written to
 */
export function checkFolders(folders: readonly NamedFolder[]): void {
  const problems = folders.flatMap(([variable, folder]) => {
    try {
      const place = existingPart(folder)
      if (variable === 'TMPDIR' && place !== resolve(folder)) throw new Error('there is no such folder')
      accessSync(place, constants.W_OK)
      if (!statSync(place).isDirectory()) throw new Error('not a folder')
      return []
    } catch (error) {
      const { code, message } = error as NodeJS.ErrnoException
      const reason = code === undefined ? message : (reasons[code] ?? message)
      const advice = variable === 'TMPDIR' ? '. Set WORK_DIR or TMPDIR to a folder for temporary files' : ''
      return [`${variable}=${folder}: ${reason}, expected a folder that can be made or written to${advice}`]
    }
  })
  if (problems.length > 0) throw new ConfigurationError(problems)
}

/** @throws Error when a folder's disk has less room than `needed` bytes for `what`. */
export function checkSpace(folder: string, needed: number, what: string, advice: string): void {
  const { bavail, bsize } = statfsSync(existingPart(folder))
  if (bavail * bsize >= needed) return
  throw new Error(
    `${what} takes ${bytes(needed)}, and the disk of ${folder} has ${bytes(bavail * bsize)} left. ${advice}`,
  )
}

/** Does work that writes to a folder; a disk that gets full meanwhile is named with the variable that can change it. */
export async function writingTo<T>(variable: string, folder: string, work: () => Promise<T>): Promise<T> {
  try {
    return await work()
  } catch (error) {
    const { code } = error as NodeJS.ErrnoException
    if (code !== 'ENOSPC' && code !== 'EDQUOT') throw error
    const what = code === 'ENOSPC' ? 'the disk is full' : 'the quota of the disk is used up'
    throw new Error(
      `${variable}=${folder}: ${what}. Make room there, or set ${variable} to a folder on a larger one.`,
      {
        cause: error,
      },
    )
  }
}

const reasons: Readonly<Record<string, string>> = {
  EACCES: 'no right to write there',
  EPERM: 'no right to write there',
  EROFS: 'a read-only file system',
  ENOTDIR: 'not a folder',
  ENOSPC: 'the disk is full',
}

/** The longest part of a path that exists. */
export function existingPart(folder: string): string {
  const path = resolve(folder)
  return existsSync(path) ? path : existingPart(dirname(path))
}
