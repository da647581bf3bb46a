import { randomUUID } from 'node:crypto'
import type { Heartbeat } from '../generation/heartbeat.ts'
import { usersAlias } from '../generation/names.ts'
import type { IdField, Payloads } from '../points/payload.ts'
import { type PointSource, pointSource } from '../points/source.ts'
import type { Connection } from '../server/connection.ts'
import { datatypeOf, type PayloadIndexes, type PublishedPoints, type Settings } from './options.ts'
import { Progress } from './progress.ts'

/** One collection of the publication. */
export interface Part {
  alias: string
  source: PointSource
  payloads: Payloads | undefined
  idField: IdField | undefined
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

/** @throws TypeError, RangeError for points that cannot be published. */
export function newParts(settings: Settings): Part[] {
  const { alias, users } = settings
  const parts = [newPart('vectors', alias, settings, 'item_id', settings)]
  if (users) {
    parts.push(newPart('users.vectors', users.alias ?? usersAlias(alias), users, 'user_id', settings))
    checkUsers(parts[0].source, parts[1].source)
  }
  return parts
}

export function newRun(settings: Settings, parts: Part[], connection: Connection): Run {
  const { collection, vectorParameters, version } = settings
  const lost = new AbortController()
  const signal = settings.signal ? AbortSignal.any([settings.signal, lost.signal]) : lost.signal
  const total = parts.reduce((sum, { source }) => sum + source.points, 0)
  const fingerprints = parts.map(({ source, alias, indexes, idField }) =>
    source.fingerprint([collection, vectorParameters, version, alias, indexes, idField]),
  )
  return {
    id: randomUUID(),
    settings,
    connection,
    progress: new Progress(total, connection, settings.onProgress),
    fingerprint: fingerprints.join('-'),
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
  { vectors, payloads, indexes = {}, idField }: PublishedPoints,
  defaultIdField: string,
  { vectorParameters }: Settings,
): Part {
  const source = pointSource(name, vectors, datatypeOf(vectorParameters))
  const field = idField === false ? undefined : { name: idField ?? defaultIdField, always: idField !== undefined }
  return { alias, source, payloads, idField: field, indexes, collection: '', heartbeat: undefined }
}

/** A user's score of an item is their inner product, so one vector of the users must be comparable with one of the items. */
function checkUsers(items: PointSource, users: PointSource): void {
  const comparable = users.fields.some((user) =>
    items.fields.some(
      (item) => item.distance === 'Dot' && user.distance === 'Dot' && item.dimension === user.dimension,
    ),
  )
  if (comparable) return
  const describe = ({ name, fields }: PointSource): string =>
    `${name}: ${fields.map(({ name, dimension, distance }) => `${name && `${name} `}${dimension} × ${distance}`).join(', ')}`
  throw new TypeError(
    `No vector of the users has an inner product with one of the items (${describe(items)}; ${describe(users)}), expected one of the same dimension and \`distance: 'Dot'\` in both.`,
  )
}

/** A signal that fires some milliseconds after another one. */
function delayed(signal: AbortSignal, milliseconds: number): AbortSignal {
  const controller = new AbortController()
  const begin = (): void => void setTimeout(() => controller.abort(signal.reason), milliseconds).unref()
  if (signal.aborted) begin()
  else signal.addEventListener('abort', begin, { once: true })
  return controller.signal
}
