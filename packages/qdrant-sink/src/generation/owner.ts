import { readFileSync, readlinkSync } from 'node:fs'
import { z } from 'zod'

/** Names one process on one machine, so that a run that was killed is told from one at work without waiting for its heartbeat to age. */
export interface Owner {
  /** Boot id and process namespace; null where the system has no such thing, and then only the heartbeat counts. */
  machine: string | null
  process: number
}

export const Owner: z.ZodType<Owner> = z.object({ machine: z.string().nullable(), process: z.int() })

/** Runs of this very process that are under way. */
export const activeRuns: Set<string> = new Set()

export const thisProcess: Owner = { machine: machineId(), process: process.pid }

/** A heartbeat older than this many milliseconds belongs to a run that has ended: six missed beats and some room for clocks. */
export const STALE_AFTER = 120_000

/**
 * True when nobody can be at work on the collection any more: its owner stopped, its process is gone from this machine, or its
 * heartbeat is older than `staleAfter`.
 */
export function isAbandoned(
  record: { owner: Owner; run: string; heartbeat: number },
  staleAfter: number,
  now: number = Date.now(),
): boolean {
  if (record.heartbeat === 0 || now - record.heartbeat > staleAfter) return true
  if (record.owner.machine === null || record.owner.machine !== thisProcess.machine) return false
  if (record.owner.process === process.pid) return !activeRuns.has(record.run)
  return !isRunning(record.owner.process)
}

function isRunning(pid: number): boolean {
  try {
    process.kill(pid, 0)
    return true
  } catch (error) {
    // EPERM: there is such a process, of another user.
    return (error as NodeJS.ErrnoException).code === 'EPERM'
  }
}

function machineId(): string | null {
  try {
    const boot = readFileSync('/proc/sys/kernel/random/boot_id', 'utf8').trim()
    return `${boot} ${readlinkSync('/proc/self/ns/pid')}`
  } catch {
    return null
  }
}
