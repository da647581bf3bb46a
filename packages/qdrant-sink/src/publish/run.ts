import { randomUUID } from 'node:crypto'
import type { Heartbeat } from '../generation/heartbeat.ts'
import { usersAlias } from '../generation/names.ts'
import type { Connection } from '../server/connection.ts'
import { fingerprintOf, type Payloads, type Vectors } from './input.ts'
import { catalogueIndexes, type PayloadIndexes, type Settings } from './options.ts'
import { Progress } from './progress.ts'

/** One collection of the publication. */
export interface Part {
  /** `vectors` or `users.vectors`, for messages. */
  name: string
  alias: string
  vectors: Vectors
  payloads: Payloads | undefined
  indexes: PayloadIndexes
  /** Empty until the collection exists or is being made. */
  collection: string
  heartbeat: Heartbeat | undefined
}

/** One call of `publish`. */
export interface Run {
  id: string
  settings: Settings
  connection: Connection
  progress: Progress
  fingerprint: string
  /** Items, then users. */
  parts: Part[]
  resumed: number
  /** Stops new work: the caller's abort, or the loss of the collection to another run. */
  signal: AbortSignal
  /** Fires `abortDeadline` after `signal` and cancels what is on its way. */
  cancel: AbortSignal
  lost: AbortController
}

export function newRun(settings: Settings, connection: Connection): Run {
  const { alias, users, indexes, distance, collection, vectorParameters, version } = settings
  const parts = [newPart('vectors', alias, settings, indexes ?? catalogueIndexes)]
  if (users) parts.push(newPart('users.vectors', users.alias ?? usersAlias(alias), users, users.indexes ?? {}))
  const common = [distance, collection, vectorParameters, version]
  const lost = new AbortController()
  const signal = settings.signal ? AbortSignal.any([settings.signal, lost.signal]) : lost.signal
  const total = parts.reduce((sum, { vectors }) => sum + vectors.ids.length, 0)
  return {
    id: randomUUID(),
    settings,
    connection,
    progress: new Progress(total, connection, settings.onProgress),
    fingerprint: parts.map((part) => fingerprintOf(part.vectors, [common, part.alias, part.indexes])).join('-'),
    parts,
    resumed: 0,
    signal,
    cancel: delayed(signal, settings.abortDeadline),
    lost,
  }
}

function newPart(
  name: string,
  alias: string,
  { vectors, payloads }: { vectors: Vectors; payloads?: Payloads },
  indexes: PayloadIndexes,
): Part {
  return { name, alias, vectors, payloads, indexes, collection: '', heartbeat: undefined }
}

/** A signal that fires some milliseconds after another one. */
function delayed(signal: AbortSignal, milliseconds: number): AbortSignal {
  const controller = new AbortController()
  const begin = (): void => void setTimeout(() => controller.abort(signal.reason), milliseconds).unref()
  if (signal.aborted) begin()
  else signal.addEventListener('abort', begin, { once: true })
  return controller.signal
}
