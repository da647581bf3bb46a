import { setTimeout as sleep } from 'node:timers/promises'
import type { Schemas } from '@qdrant/js-client-rest'
import { PublishError } from '../errors.ts'
import { describeCollection } from '../server/collections.ts'
import type { CallOptions, Connection } from '../server/connection.ts'
import { statusOf } from '../server/errors.ts'

export interface ReadyOptions extends CallOptions {
  signal: AbortSignal
  /** Polls in a row that must find nothing left to do: right after the load, the optimizer may not have begun. */
  polls: number
  /** Milliseconds between polls. */
  interval: number
  /** Milliseconds until the wait is given up. */
  deadline: number
  /** Vectors of the collection, all names of them. */
  vectors: number
  /** Gets, at every poll, the share of the vectors that is in the index; 1 when there is nothing left to do, as in a collection too small for one. */
  onIndexed(share: number): void
}

/** What one poll has found. */
interface Work {
  /** What the server still has to do, in words; empty when nothing. */
  pending: string
  /** Vectors in the index of finished segments, and in the graphs that are being built. */
  indexed: number
}

/**
 * Waits until the collection has taken in everything and built its index: update queue empty, no deferred points, status green,
 * optimizer ok, nothing running or queued in `optimizations`, on several polls in a row.
 */
export async function waitUntilReady(connection: Connection, collection: string, options: ReadyOptions): Promise<void> {
  const end = Date.now() + options.deadline
  let quiet = 0
  let pending = ''
  while (quiet < options.polls) {
    const work = await lookAt(connection, collection, options)
    options.onIndexed(work.pending === '' ? 1 : work.indexed / options.vectors)
    pending = work.pending
    quiet = pending === '' ? quiet + 1 : 0
    if (quiet >= options.polls) return
    if (Date.now() > end) {
      throw new PublishError(
        `${collection} is not ready after ${Math.round(options.deadline / 1000)} s (\`readyTimeout\`), still pending: ${pending || 'further polls'}. ` +
          'Nothing was swapped. Publish again with a longer `readyTimeout`: it resumes from here.',
        { step: 'ready', collection, temporary: true },
      )
    }
    await sleep(options.interval, undefined, { signal: options.signal })
  }
}

async function lookAt(connection: Connection, collection: string, options: CallOptions): Promise<Work> {
  const description = await describeCollection(connection, collection, options)
  if (description === undefined) {
    throw new PublishError(`The collection ${collection} vanished before it was swapped in.`, {
      step: 'ready',
      collection,
    })
  }
  const { optimizer_status: optimizer, status } = description
  if (optimizer !== 'ok') {
    throw new PublishError(`The server's optimizer failed on ${collection}: ${optimizer.error}`, {
      step: 'ready',
      collection,
    })
  }
  if (status === 'red') {
    throw new PublishError(`The server reports ${collection} as red: operations on it failed. See the server's log.`, {
      step: 'ready',
      collection,
    })
  }
  const { running, queued } = await findOptimizations(connection, collection, options)
  const queue = description.update_queue as Schemas['UpdateQueueInfo'] | null | undefined
  const [pending = ''] = [
    queue && queue.length > 0 && `${queue.length} updates queued`,
    queue?.deferred_points && `${queue.deferred_points} points deferred`,
    status !== 'green' && `status ${status}`,
    running.length > 0 && `${running.length} optimizations running`,
    queued && queued.length > 0 && `${queued.length} optimizations queued`,
  ].filter((words) => typeof words === 'string')
  const building = running.reduce((sum, { progress }) => sum + graphed(progress), 0)
  return { pending, indexed: (description.indexed_vectors_count ?? 0) + building }
}

async function findOptimizations(
  connection: Connection,
  collection: string,
  options: CallOptions,
): Promise<Pick<Schemas['OptimizationsResponse'], 'running' | 'queued'>> {
  try {
    return await connection.call<Schemas['OptimizationsResponse']>(
      (api, init) => api.getOptimizations({ collection_name: collection, with: 'queued' }, init),
      options,
    )
  } catch (error) {
    // Servers before 1.17 do not have it; the status has to do there.
    if (statusOf(error) === 404) return { running: [] }
    throw error
  }
}

/** Vectors that a running optimization has put into its graph: what the node `main_graph` in its tree of steps has done. */
function graphed({ name, done, children = [] }: Schemas['ProgressTree']): number {
  if (name === 'main_graph') return done ?? 0
  return children.reduce((sum, child) => sum + graphed(child), 0)
}
