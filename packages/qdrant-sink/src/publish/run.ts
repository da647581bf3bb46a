import { randomUUID } from 'node:crypto'
import type { Heartbeat } from '../generation/heartbeat.ts'
import type { Connection } from '../server/connection.ts'
import { isTemporary, statusOf } from '../server/retry.ts'
import { stepFailed } from './collection.ts'
import { fingerprintOf, type Payloads, type Vectors } from './input.ts'
import { catalogueIndexes, type PayloadIndexes, type Settings } from './options.ts'
import { Progress } from './progress.ts'

/** One collection of the publication. */
export interface Part {
  name: string
  alias: string
  vectors: Vectors
  payloads: Payloads | undefined
  indexes: PayloadIndexes
  /** Set once the collection exists. */
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
  parts: Part[]
  resumed: number
  /** Stops new work: the caller's abort, or the loss of the collection to another run. */
  signal: AbortSignal
  /** Fires `abortDeadline` later and cancels what is on its way. */
  cancel: AbortSignal
  lost: AbortController
}

export function newRun(settings: Settings, connection: Connection): Run {
  const { alias, vectors, payloads, users, indexes, distance, collection, vectorParameters, version } = settings
  const parts: Part[] = [
    {
      name: 'vectors',
      alias,
      vectors,
      payloads,
      indexes: indexes ?? catalogueIndexes,
      collection: '',
      heartbeat: undefined,
    },
  ]
  if (users) {
    const { vectors: userVectors, payloads: userPayloads, indexes: userIndexes } = users
    parts.push({
      name: 'users.vectors',
      alias: users.alias ?? `${alias}_users`,
      vectors: userVectors,
      payloads: userPayloads,
      indexes: userIndexes ?? {},
      collection: '',
      heartbeat: undefined,
    })
  }
  const common = [distance, collection, vectorParameters, version]
  const lost = new AbortController()
  const total = parts.reduce((sum, part) => sum + part.vectors.ids.length, 0)
  return {
    id: randomUUID(),
    settings,
    connection,
    progress: new Progress(total, connection, settings.onProgress),
    fingerprint: parts.map((part) => fingerprintOf(part.vectors, [common, part.alias, part.indexes])).join('-'),
    parts,
    resumed: 0,
    signal: settings.signal ? AbortSignal.any([settings.signal, lost.signal]) : lost.signal,
    cancel: new AbortController().signal,
    lost,
  }
}

/** Arms the deadline of an abort; returns what disarms it. */
export function cancelAfter(run: Run): () => void {
  const controller = new AbortController()
  run.cancel = controller.signal
  let timer: NodeJS.Timeout | undefined
  const begin = (): void => {
    timer = setTimeout(() => controller.abort(run.signal.reason), run.settings.abortDeadline)
  }
  if (run.signal.aborted) begin()
  else run.signal.addEventListener('abort', begin, { once: true })
  return () => {
    run.signal.removeEventListener('abort', begin)
    clearTimeout(timer)
  }
}

/** What the server or the connection refused gets the name of the step; errors of the caller's own payloads stay what they are. */
export function namedFailure({ progress, parts, signal }: Run, error: unknown): unknown {
  if (signal.aborted || !(isTemporary(error) || statusOf(error) !== undefined)) return error
  return stepFailed(progress.phase, parts.find(({ heartbeat }) => heartbeat)?.collection ?? parts[0].alias, error)
}
