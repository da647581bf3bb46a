import { constants } from 'node:fs'
import { access, statfs } from 'node:fs/promises'
import { LoadError } from '../errors.ts'
import { scatterBytes, stagedBytes } from '../matrix/row-bytes.ts'
import { isS3 } from '../storage/s3-uri.ts'
import type { RowGroupJob } from './row-group-jobs.ts'

/** Temporary files of a load, in bytes at the peak, as an upper bound. */
export interface DiskPlan {
  readonly folder: string
  /** Rows that wait in files, because memory is over its budget. */
  readonly spill: number
  /** What the first pass fetches from S3 and the second reads from here. */
  readonly kept: number
  /** What the second pass fetches from S3 once more, and why. */
  readonly fetchedAgain: number
  readonly reason?: string
  /** Free space of the folder; undefined when no temporary file is needed. */
  readonly free?: number
}

export interface DiskInput {
  readonly folder: string
  readonly jobs: readonly RowGroupJob[]
  /** Bytes that kept ranges may take; undefined for what the disk has room for. */
  readonly budget?: number
  /** Rows to spill, 0 for none. */
  readonly spilledRows: number
  readonly coded: boolean
  readonly timed: boolean
}

/** Of the free space, the part that is not planned with: others write too. */
const RESERVE = 0.1
const TMPFS = 0x01021994

/** Rows of a bucket, or, when they are merged, its entries and their places: one after the other, so the larger counts. */
export function spilledBytes(rows: number, coded: boolean, timed: boolean): number {
  return rows * Math.max(stagedBytes(coded, timed), scatterBytes(coded, false)) * 1.02
}

/**
 * Which temporary files a load will write, and whether there is room for them.
 *
 * @throws LoadError `disk` when rows must be spilled and cannot be
 */
export async function planDisk({ folder, jobs, budget, spilledRows, coded, timed }: DiskInput): Promise<DiskPlan> {
  const spill = spilledRows === 0 ? 0 : spilledBytes(spilledRows, coded, timed)
  const remote = jobs.reduce((sum, { file, bytes }) => sum + (isS3(file.uri) ? bytes : 0), 0)
  if (spill === 0 && (remote === 0 || budget === 0)) {
    return { folder, spill, kept: 0, fetchedAgain: remote, reason: remote === 0 ? undefined : 'downloadBudget is 0' }
  }
  const [state, refused] = await Promise.all([
    statfs(folder).catch(() => undefined),
    access(folder, constants.W_OK).then(
      () => undefined,
      (error: NodeJS.ErrnoException) => error,
    ),
  ])
  const free = state === undefined ? undefined : state.bavail * state.bsize
  if (spill > 0 && refused !== undefined) {
    throw new LoadError(
      'disk',
      `temporaryDirectory: ${folder} cannot be written to (${refused.code}), and memoryBudget makes temporary files necessary. ` +
        'Set it to a folder that can, or raise memoryBudget.',
    )
  }
  if (spill > 0 && free !== undefined && spill > free) {
    throw new LoadError(
      'disk',
      `temporaryDirectory: ${folder} has ${megabytes(free)} free, and up to ${megabytes(spill)} of temporary files are needed. ` +
        'Free space, set temporaryDirectory to a larger disk, or raise memoryBudget.',
    )
  }
  const [room, reason] = roomFor(budget, spill, free, refused, state?.type)
  const kept = keptBytes(jobs, room)
  return { folder, spill, kept, fetchedAgain: remote - kept, reason: kept < remote ? reason : undefined, free }
}

function roomFor(
  budget: number | undefined,
  spill: number,
  free: number | undefined,
  refused: NodeJS.ErrnoException | undefined,
  type: number | undefined,
): [room: number, reason: string] {
  if (refused !== undefined) return [0, `temporaryDirectory cannot be written to (${refused.code})`]
  if (budget === undefined && type === TMPFS) return [0, 'temporaryDirectory is in memory (tmpfs)']
  const room = free === undefined ? Number.POSITIVE_INFINITY : free * (1 - RESERVE) - spill
  if (budget !== undefined && budget < room) return [budget, `downloadBudget is ${megabytes(budget)}`]
  return [room, `temporaryDirectory has ${megabytes(free ?? 0)} free`]
}

function keptBytes(jobs: readonly RowGroupJob[], room: number): number {
  const places = keptPlaces(jobs, room)
  return jobs.reduce((sum, { bytes }, i) => sum + (places[i] === undefined ? 0 : bytes), 0)
}

/** Where what each job fetches from S3 goes in a file of at most so many bytes; undefined for what has no room there. */
export function keptPlaces(jobs: readonly RowGroupJob[], room: number): (number | undefined)[] {
  let next = 0
  return jobs.map(({ file, bytes }) => {
    if (!isS3(file.uri) || next + bytes > room) return undefined
    const at = next
    next += bytes
    return at
  })
}

function megabytes(bytes: number): string {
  return `${(bytes / 1e6).toFixed(1)} MB`
}
