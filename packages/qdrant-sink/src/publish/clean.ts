import { deleteGarbage, findGarbage } from '../generation/garbage.ts'
import { findGenerations } from '../generation/generations.ts'
import { reasonOf } from '../server/errors.ts'
import type { Inspection } from './inspect.ts'
import type { Run } from './run.ts'

/** Closes the records and deletes what is not kept. The publication stands whatever happens here. */
export async function clean(
  run: Run,
  state: Inspection,
): Promise<{ deleted: string[]; cleaningFailed: string | undefined }> {
  const { connection, settings, parts, progress, signal } = run
  const { staleAfter, keepGenerations, graceDelay } = settings
  const deleted: string[] = []
  progress.enter('clean', parts[0].collection)
  try {
    for (const { heartbeat } of parts) {
      await heartbeat?.stop()
      await heartbeat?.update({ state: 'published', heartbeat: 0 }, run.cancel)
    }
    for (const { alias } of parts) {
      const found = await findGenerations(connection, alias, staleAfter, { signal })
      // A query that resolved the alias just before the swap may still be on its way to the old collection.
      const grace = (collection: string): number => (collection === state.live.get(alias) ? graceDelay : 0)
      const garbage = findGarbage(found, keepGenerations)
      deleted.push(...(await deleteGarbage(connection, alias, garbage, { signal, grace, staleAfter })))
    }
    return { deleted, cleaningFailed: undefined }
  } catch (error) {
    return { deleted, cleaningFailed: signal.aborted ? 'aborted' : reasonOf(error) }
  }
}
