import { PublishError, stepFailed } from '../errors.ts'
import { deleteUnserved } from '../generation/garbage.ts'
import { readRecord } from '../generation/record.ts'
import { isTemporary } from '../server/errors.ts'
import type { Run } from './run.ts'

/**
 * After a failure: what may succeed when tried again stays for the next run to resume, everything else is deleted, unless an alias
 * points to it after all.
 *
 * @returns the error to throw. What the server or the connection refused gets the name of the step; errors of the caller's own payloads
 *   and streams stay what they are.
 */
export async function giveUp(run: Run, error: unknown): Promise<unknown> {
  const { connection, settings, parts } = run
  const failure = failureOf(run, error)
  const keep = settings.signal?.aborted
    ? settings.onAbort === 'keep'
    : failure instanceof PublishError
      ? failure.temporary
      : isTemporary(failure)
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
  return failure
}

function failureOf({ lost, signal, progress, parts }: Run, error: unknown): unknown {
  if (lost.signal.aborted) return lost.signal.reason
  if (signal.aborted) return error
  return stepFailed(progress.phase, parts.find(({ heartbeat }) => heartbeat)?.collection ?? parts[0].alias, error)
}
