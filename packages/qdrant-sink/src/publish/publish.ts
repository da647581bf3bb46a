import { activeRuns } from '../generation/owner.ts'
import { raiseFences } from '../generation/swap.ts'
import { Connection } from '../server/connection.ts'
import { claimGeneration } from './claim.ts'
import { clean } from './clean.ts'
import { fill } from './fill.ts'
import { giveUp } from './give-up.ts'
import { inspect } from './inspect.ts'
import { type PublishOptions, settingsOf } from './options.ts'
import { newParts, newRun } from './run.ts'
import { swapIn } from './swap-in.ts'

export interface Publication {
  /** The collection that the alias points to now. */
  collection: string
  /** The users' collection, where users were published along. */
  users: string | undefined
  /** Unix seconds; the argument of `rollback({ to })`. */
  generation: number
  /** What the alias pointed to before. */
  previous: string | undefined
  points: number
  /** Points that an interrupted run of the same input had left on the server. */
  resumed: number
  bytes: number
  retries: number
  seconds: number
  /** Collections deleted afterwards. */
  deleted: string[]
  /** Why cleaning up afterwards failed, where it did: the publication itself stands. */
  cleaningFailed: string | undefined
  serverVersion: string
}

/**
 * Publishes vectors and payloads as a new collection `ALIAS_<unix seconds>` and points the alias to it once it is complete, indexed and
 * verified. What the alias points to is complete at every moment; after a failure, an abort or a crash it is what it was before.
 *
 * @throws TypeError, RangeError for input that cannot be published, before the first request.
 * @throws PublishError when a step failed; it names the step, the rows and the reason, and whether trying again can help.
 * @throws SupersededError when another publisher moved the alias in the meantime.
 * @throws the signal's reason after an abort.
 */
export async function publish(options: PublishOptions): Promise<Publication> {
  const settings = settingsOf(options)
  const parts = newParts(settings)
  const began = performance.now()
  await using connection = new Connection({ connections: settings.concurrency + 4, ...settings })
  const run = newRun(settings, parts, connection)
  const { progress } = run
  activeRuns.add(run.id)
  try {
    progress.enter('preflight')
    const state = await inspect(connection, {
      shapes: new Map(parts.map(({ alias, source }) => [alias, source.fields])),
      staleAfter: settings.staleAfter,
      allowNewShape: settings.allowNewShape,
      onWarning: settings.onWarning,
      signal: run.signal,
    })
    const generation = await claimGeneration(run, state)
    const moves = parts.map(({ alias, collection }) => ({ alias, from: state.live.get(alias), to: collection }))
    await raiseFences(connection, moves, { signal: run.signal })
    for (const part of parts) await fill(run, part)
    await swapIn(run, moves)
    const cleaning = await clean(run, state)
    progress.enter('done', parts[0].collection)
    return {
      collection: parts[0].collection,
      users: parts[1]?.collection,
      generation,
      previous: state.live.get(settings.alias),
      points: parts.reduce((sum, { source }) => sum + source.points, 0),
      resumed: run.resumed,
      bytes: connection.bytesSent,
      retries: connection.retries,
      seconds: (performance.now() - began) / 1000,
      ...cleaning,
      serverVersion: state.version,
    }
  } catch (error) {
    throw await giveUp(run, error)
  } finally {
    for (const { heartbeat } of parts) await heartbeat?.stop()
    activeRuns.delete(run.id)
  }
}
