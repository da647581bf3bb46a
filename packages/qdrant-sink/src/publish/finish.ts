import { PublishError } from '../errors.ts'
import { deleteGarbage, deleteUnserved, findGarbage } from '../generation/garbage.ts'
import { findGenerations } from '../generation/generations.ts'
import { markPublished, readRecord } from '../generation/record.ts'
import { type Move, swapAliases } from '../generation/swap.ts'
import { isTemporary, reasonOf, statusOf } from '../server/retry.ts'
import { stepFailed } from './collection.ts'
import type { Preflight } from './preflight.ts'
import type { Run } from './run.ts'

/** Moves the aliases to what this run has loaded. */
export async function swap(run: Run, moves: Move[]): Promise<void> {
  const { connection, progress, signal } = run
  progress.enter('swap', moves[0].to)
  try {
    for (const { from } of moves) if (from !== undefined) await markPublished(connection, from, { signal })
    signal.throwIfAborted()
    // From here on an abort waits: a swap is one request, and half of one cannot be had.
    await swapAliases(connection, moves, { signal: run.cancel })
  } catch (error) {
    throw stepFailed(
      'swap',
      moves[0].to,
      error,
      `Pointing ${moves.map(({ alias }) => alias).join(' and ')} to the new generation`,
    )
  }
}

/** Closes the records and deletes what is not kept. The publication stands whatever happens here. */
export async function clean(
  run: Run,
  state: Preflight,
): Promise<{ deleted: string[]; cleaningFailed: string | undefined }> {
  const { connection, settings, parts, progress, signal } = run
  const deleted: string[] = []
  progress.enter('clean', parts[0].collection)
  try {
    for (const { heartbeat } of parts) {
      await heartbeat?.stop()
      await heartbeat?.update({ state: 'published', heartbeat: 0 }, run.cancel)
    }
    for (const { alias } of parts) {
      const found = await findGenerations(connection, alias, settings.staleAfter, { signal })
      // A query that resolved the alias just before the swap may still be on its way to the old collection.
      const grace = (collection: string): number => (collection === state.live.get(alias) ? settings.graceDelay : 0)
      deleted.push(
        ...(await deleteGarbage(connection, alias, findGarbage(found, settings.keep), {
          signal,
          grace,
          staleAfter: settings.staleAfter,
        })),
      )
    }
    return { deleted, cleaningFailed: undefined }
  } catch (error) {
    return { deleted, cleaningFailed: signal.aborted ? 'aborted' : reasonOf(error) }
  }
}

/** What the server or the connection refused gets the name of the step; errors of the caller's own payloads stay what they are. */
export function namedFailure({ progress, parts, signal }: Run, error: unknown): unknown {
  if (signal.aborted || !(isTemporary(error) || statusOf(error) !== undefined)) return error
  return stepFailed(progress.phase, parts.find(({ heartbeat }) => heartbeat)?.collection ?? parts[0].alias, error)
}

/**
 * After a failure: what may succeed when tried again stays for the next run to resume, everything else is deleted, unless an alias
 * points to it after all.
 */
export async function giveUp(run: Run, error: unknown): Promise<void> {
  const { connection, settings, parts } = run
  const keep = settings.signal?.aborted
    ? settings.onAbort === 'keep'
    : error instanceof PublishError
      ? error.temporary
      : isTemporary(error)
  for (const part of parts) {
    await part.heartbeat?.stop()
    if (part.collection === '') continue
    const deadline = AbortSignal.timeout(Math.max(settings.abortDeadline, 1))
    try {
      const owner = (await readRecord(connection, part.collection, { signal: deadline }))?.run
      if (owner !== run.id) continue
      if (keep) await part.heartbeat?.update({ heartbeat: 0 }, deadline)
      else await deleteUnserved(connection, part.alias, part.collection, { signal: deadline, run: run.id })
    } catch {
      // The server is away. The heartbeat ages, and the next run deletes or resumes it.
    }
  }
}
