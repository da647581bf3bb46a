import type { Schemas } from '@qdrant/js-client-rest'
import { z } from 'zod'
import { checkOptions, type OptionKinds, only } from '../checks/check-options.ts'
import {
  boolean,
  callback,
  milliseconds,
  nonNegativeInteger,
  object,
  oneOf,
  positiveInteger,
  signal,
  text,
} from '../checks/kinds.ts'
import { checkAlias, usersAlias } from '../generation/names.ts'
import { STALE_AFTER } from '../generation/owner.ts'
import type { Datatype } from '../points/field.ts'
import type { Payloads } from '../points/payload.ts'
import type { VectorInput } from '../points/vectors.ts'
import { type ServerOptions, serverKinds } from '../server/connection.ts'
import type { PublishWarning } from './inspect.ts'
import type { PublishProgress } from './progress.ts'

/** Payload indexes by field, in the server's terms: `'keyword'`, `{ type: 'integer', range: true, lookup: false }` ... */
export type PayloadIndexes = Record<string, Schemas['PayloadFieldSchema']>

/** Server parameters of a collection, handed on as they are. */
export type CollectionParameters = Omit<Schemas['CreateCollection'], 'vectors' | 'sparse_vectors' | 'metadata'>

/** Server parameters of a vector, handed on as they are: `on_disk`, `datatype`, `hnsw_config`, `quantization_config`. */
export type VectorParameters = Omit<Schemas['VectorParams'], 'size' | 'distance' | 'multivector_config'>

/** What one collection is to hold. */
export interface PublishedPoints {
  /** Arrays (`{ ids, data, dimension }`, or several vectors by name) or a stream. */
  vectors: VectorInput
  /** One payload per row. Default none. */
  payloads?: Payloads
  /** Default none. Indexes are made before the load: the graph gets filter-aware links only for fields indexed by then. */
  indexes?: PayloadIndexes
  /**
   * Payload field that holds the id as it was given. Default `item_id` (`user_id` for users), only for ids that are not the point's own:
   * strings that became UUIDs. A name here is for every point, `false` for none; a field that the payload has is left as it is.
   */
  idField?: string | false
}

export interface PublishOptions extends ServerOptions, PublishedPoints {
  /** The name that queries use. It points to the new collection once that is complete and verified, never before. */
  alias: string
  /** Users of the same model, as a second collection swapped in by the same request, for recommendations by `lookup_from`. */
  users?: PublishedPoints & {
    /** Default `ALIAS_users`. */
    alias?: string
  }
  /** Parameters of the collections, as the server takes them: `shard_number`, `replication_factor`, `on_disk_payload`, `hnsw_config`, `quantization_config` ... */
  collection?: CollectionParameters
  /** Parameters of the vectors, as the server takes them. */
  vectorParameters?: VectorParameters
  /** True lets the new collection have other vectors (names, dimensions, distances) than the one that serves. Default false: an error. */
  allowNewShape?: boolean
  /** Anything that changes when the payloads change while ids and vectors stay: an unfinished run is resumed only at the same version. */
  version?: string
  /** Upload streams, each with one batch on its way. Default 4. */
  concurrency?: number
  /** Points of one request. Default 500. */
  batchSize?: number
  /** Bytes of one request. Default 30,000,000: the server refuses bodies over 32 MiB. */
  maxBatchBytes?: number
  /** True (default) waits for each batch to be applied, which keeps the server's queue short; false until it is in the log. */
  wait?: boolean
  /** Points to read back and compare. Default 200. */
  verifySample?: number
  /** Earlier generations to keep for rollback. Default 1. */
  keepGenerations?: number
  /** Milliseconds between the swap and the deletion of the collection that served until then, if it is not kept. Default 30,000. */
  graceDelay?: number
  /** Milliseconds the server has for its index. Default 6 hours. */
  readyTimeout?: number
  /** Milliseconds between polls of the server's state. Default 1,000. */
  pollInterval?: number
  /** Milliseconds between heartbeats. Default 10,000. */
  heartbeatInterval?: number
  /** Milliseconds after the last heartbeat when another run counts as dead. Default 120,000. */
  staleAfter?: number
  /** Ends the run: no new batches, those on their way have `abortDeadline`, the unfinished collection is deleted, the alias stays. */
  signal?: AbortSignal
  /** Milliseconds for requests on their way after an abort, and again for cleaning up. Default 3,000. */
  abortDeadline?: number
  /** What becomes of the unfinished collection after an abort: `delete` (default), or `keep` for the next run to resume. */
  onAbort?: 'delete' | 'keep'
  onProgress?: (progress: PublishProgress) => void
  /** Gets what the publication goes on in spite of. */
  onWarning?: (warning: PublishWarning) => void
}

const defaults = {
  allowNewShape: false as boolean,
  concurrency: 4 as number,
  batchSize: 500 as number,
  maxBatchBytes: 30_000_000 as number,
  wait: true as boolean,
  verifySample: 200 as number,
  keepGenerations: 1 as number,
  graceDelay: 30_000 as number,
  readyTimeout: (6 * 3_600_000) as number,
  pollInterval: 1_000 as number,
  heartbeatInterval: 10_000 as number,
  staleAfter: STALE_AFTER as number,
  abortDeadline: 3_000 as number,
  onAbort: 'delete' as 'delete' | 'keep',
}

export type Settings = PublishOptions & typeof defaults

const pointsKinds: OptionKinds<PublishedPoints> = {
  vectors: object,
  payloads: z
    .custom(
      (value) => typeof value === 'function' || (typeof value === 'object' && value !== null && isIterable(value)),
      'a function of the row or an iterable',
    )
    .optional(),
  indexes: object.optional(),
  idField: z
    .custom(
      (value) => value === false || (typeof value === 'string' && value !== ''),
      'the name of a field, or false for none',
    )
    .optional(),
}

const kinds: OptionKinds<PublishOptions> = {
  ...serverKinds,
  ...pointsKinds,
  alias: text,
  users: only({ ...pointsKinds, alias: text.optional() }).optional(),
  collection: object.optional(),
  vectorParameters: object.optional(),
  allowNewShape: boolean.optional(),
  version: text.optional(),
  concurrency: positiveInteger.optional(),
  batchSize: positiveInteger.optional(),
  maxBatchBytes: positiveInteger.optional(),
  wait: boolean.optional(),
  verifySample: positiveInteger.optional(),
  keepGenerations: nonNegativeInteger.optional(),
  graceDelay: milliseconds.optional(),
  readyTimeout: milliseconds.optional(),
  pollInterval: milliseconds.optional(),
  heartbeatInterval: milliseconds.optional(),
  staleAfter: milliseconds.optional(),
  signal: signal.optional(),
  abortDeadline: milliseconds.optional(),
  onAbort: oneOf('delete', 'keep').optional(),
  onProgress: callback.optional(),
  onWarning: callback.optional(),
}

const publishOptions: z.ZodType = only(kinds)

function isIterable(value: object): boolean {
  return Symbol.iterator in value || Symbol.asyncIterator in value
}

/** Fills in the defaults and refuses what cannot be, before the first request. */
export function settingsOf(options: PublishOptions): Settings {
  checkOptions('publish', publishOptions, options)
  const given = Object.fromEntries(Object.entries(options).filter(([, value]) => value !== undefined)) as PublishOptions
  const settings: Settings = { ...defaults, ...given }
  checkAlias(settings.alias)
  if (settings.users) {
    const { alias = usersAlias(settings.alias) } = settings.users
    checkAlias(alias)
    if (alias === settings.alias) throw new TypeError(`\`users.alias\` is ${alias}, expected another than \`alias\`.`)
  }
  if (settings.staleAfter < 3 * settings.heartbeatInterval) {
    throw new RangeError(
      `\`staleAfter\` is ${settings.staleAfter}, expected at least three times \`heartbeatInterval\` (${settings.heartbeatInterval}): otherwise a live run looks dead.`,
    )
  }
  return settings
}

/** @throws TypeError for a type whose values cannot be told from what was sent. */
export function datatypeOf(parameters: VectorParameters | undefined): Datatype {
  const datatype = (parameters?.datatype as string | null | undefined) ?? 'float32'
  if (datatype === 'float32' || datatype === 'float16' || datatype === 'uint8') return datatype
  throw new TypeError(
    `\`vectorParameters.datatype\` is ${datatype}, expected float32, float16 or uint8: what the server keeps of others cannot be verified. Try \`quantization_config\`, which keeps the originals.`,
  )
}
