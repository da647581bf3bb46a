import { setTimeout as sleep } from 'node:timers/promises'
import type { Schemas } from '@qdrant/js-client-rest'
import { PublishError } from '../errors.ts'
import { describeCollection } from '../server/collections.ts'
import type { CallOptions, Connection } from '../server/connection.ts'
import { statusOf } from '../server/retry.ts'

export interface ReadyOptions extends CallOptions {
  signal: AbortSignal
  /** Polls in a row that must find nothing left to do: right after the load, the optimizer may not have begun. */
  polls: number
  /** Milliseconds between polls. */
  interval: number
  /** Milliseconds until the wait is given up. */
  deadline: number
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
    pending = await pendingWork(connection, collection, options)
    quiet = pending === '' ? quiet + 1 : 0
    if (quiet >= options.polls) return
    if (Date.now() > end) {
      throw new PublishError(
        `Expected ${collection} to be ready within ${Math.round(options.deadline / 1000)} s, still pending: ${pending || 'further polls'}. ` +
          'Nothing was swapped; publish again to go on from here, with a longer `readyTimeout`.',
        { step: 'ready', collection, temporary: true },
      )
    }
    await sleep(options.interval, undefined, { signal: options.signal })
  }
}

/** What the server still has to do, in words; empty when nothing. */
async function pendingWork(connection: Connection, collection: string, options: CallOptions): Promise<string> {
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
  const queue = description.update_queue as Schemas['UpdateQueueInfo'] | null | undefined
  if (queue && queue.length > 0) return `${queue.length} updates queued`
  if (queue?.deferred_points) return `${queue.deferred_points} points deferred`
  if (status !== 'green') return `status ${status}`
  return pendingOptimizations(connection, collection, options)
}

async function pendingOptimizations(connection: Connection, collection: string, options: CallOptions): Promise<string> {
  try {
    const { running, queued } = await connection.call<Schemas['OptimizationsResponse']>(
      (api, init) => api.getOptimizations({ collection_name: collection, with: 'queued' }, init),
      options,
    )
    if (running.length > 0) return `${running.length} optimizations running`
    return queued && queued.length > 0 ? `${queued.length} optimizations queued` : ''
  } catch (error) {
    // Servers before 1.17 do not have it; the status has to do there.
    if (statusOf(error) === 404) return ''
    throw error
  }
}
