import type { Schemas } from '@qdrant/js-client-rest'
import { checkAlias, usersAlias } from '../generation/names.ts'
import { STALE_AFTER } from '../generation/owner.ts'
import type { ServerOptions } from '../server/connection.ts'
import { checkVectors, type Payloads, type Vectors } from './input.ts'
import type { PublishProgress } from './progress.ts'
import type { Distance } from './verify.ts'

/** Payload indexes by field, in the server's terms: `'keyword'`, `{ type: 'integer', range: true, lookup: false }` ... */
export type PayloadIndexes = Record<string, Schemas['PayloadFieldSchema']>

/** Server parameters of a collection, handed on as they are. */
export type CollectionParameters = Omit<Schemas['CreateCollection'], 'vectors' | 'sparse_vectors' | 'metadata'>

/** Server parameters of a vector, handed on as they are: `on_disk`, `datatype`, `hnsw_config`, `quantization_config`. */
export type VectorParameters = Omit<Schemas['VectorParams'], 'size' | 'distance' | 'multivector_config'>

export interface PublishOptions extends ServerOptions {
  /** The name that queries use. It points to the new collection once that is complete and verified, never before. */
  alias: string
  vectors: Vectors
  /** One payload per row. Default none. */
  payloads?: Payloads
  /**
   * `Cosine` (default) ranks similar items; `Dot` is what user-to-item recommendations need. Both: `{ similar: 'Cosine', taste: 'Dot' }`
   * gives each point two named vectors, at twice the memory.
   */
  distance?: Distance | Record<string, Distance>
  /** Default `catalogueIndexes`. Indexes are made before the load: the graph gets filter-aware links only for fields indexed by then. */
  indexes?: PayloadIndexes
  /** Users of the same model, as a second collection swapped in by the same request, for recommendations by `lookup_from`. */
  users?: {
    vectors: Vectors
    payloads?: Payloads
    /** Default `ALIAS_users`. */
    alias?: string
    /** Default none. */
    indexes?: PayloadIndexes
  }
  /** Parameters of the collections, as the server takes them: `shard_number`, `replication_factor`, `on_disk_payload`, `hnsw_config`, `quantization_config` ... */
  collection?: CollectionParameters
  /** Parameters of the vectors, as the server takes them. */
  vectorParameters?: VectorParameters
  /** Anything that changes when the payloads change while ids and vectors stay: an unfinished run is resumed only at the same version. */
  version?: string
  /** Upload streams. Default 4. */
  maxWorkers?: number
  /** Points of one request. Default 500. */
  batchSize?: number
  /** Bytes of one request. Default 30,000,000: the server refuses bodies over 32 MiB. */
  maxBatchBytes?: number
  /** True (default) waits for each batch to be applied, which keeps the server's queue short; false until it is in the log. */
  wait?: boolean
  /** Points to read back and compare. Default 200. */
  sample?: number
  /** Earlier generations to keep for rollback. Default 1. */
  keep?: number
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
}

/** Indexes for a music catalogue: what its filters, score formulas and groups use. */
export const catalogueIndexes: PayloadIndexes = {
  item_id: { type: 'integer', lookup: true, range: false },
  year: { type: 'integer', lookup: true, range: true },
  country: 'keyword',
  genres: 'keyword',
  styles: 'keyword',
  artists: 'keyword',
  labels: 'keyword',
  interaction_count: { type: 'integer', lookup: false, range: true },
}

const defaults = {
  distance: 'Cosine',
  maxWorkers: 4,
  batchSize: 500,
  maxBatchBytes: 30_000_000,
  wait: true,
  sample: 200,
  keep: 1,
  graceDelay: 30_000,
  readyTimeout: (6 * 3_600_000) as number,
  pollInterval: 1_000,
  heartbeatInterval: 10_000,
  staleAfter: STALE_AFTER as number,
  abortDeadline: 3_000,
  onAbort: 'delete',
} as const

export type Settings = PublishOptions & Required<Pick<PublishOptions, keyof typeof defaults>>

/** Fills in the defaults and refuses what cannot be, all before the first request. */
export function settingsOf(options: PublishOptions): Settings {
  const given = Object.fromEntries(Object.entries(options).filter(([, value]) => value !== undefined)) as PublishOptions
  const settings: Settings = { ...defaults, ...given }
  checkAlias(settings.alias)
  for (const name of ['maxWorkers', 'batchSize', 'maxBatchBytes', 'sample'] as const)
    checkWhole(name, settings[name], 1)
  checkWhole('keep', settings.keep, 0)
  for (const name of [
    'graceDelay',
    'readyTimeout',
    'pollInterval',
    'heartbeatInterval',
    'staleAfter',
    'abortDeadline',
  ] as const) {
    if (!(settings[name] >= 0))
      throw new RangeError(`Expected \`${name}\` in milliseconds from 0, got ${settings[name]}.`)
  }
  if (settings.staleAfter < 3 * settings.heartbeatInterval) {
    throw new RangeError(
      `Expected \`staleAfter\` (${settings.staleAfter}) of at least three times \`heartbeatInterval\` (${settings.heartbeatInterval}): otherwise a live run looks dead.`,
    )
  }
  if (typeof settings.distance === 'object' && Object.keys(settings.distance).length === 0) {
    throw new TypeError("Expected `distance` to name at least one vector, such as { similar: 'Cosine' }, got {}.")
  }
  checkVectors('vectors', settings.vectors)
  if (settings.users) checkUsers(settings, settings.users)
  return settings
}

function checkUsers({ alias, vectors, distance }: Settings, users: NonNullable<PublishOptions['users']>): void {
  checkVectors('users.vectors', users.vectors)
  checkAlias(users.alias ?? usersAlias(alias))
  if (users.alias === alias)
    throw new TypeError(`Expected \`users.alias\` to differ from \`alias\`, both are ${alias}.`)
  if (users.vectors.dimension !== vectors.dimension) {
    throw new RangeError(
      `Expected users and items of one dimension, got ${users.vectors.dimension} and ${vectors.dimension}.`,
    )
  }
  const kinds = typeof distance === 'string' ? [distance] : Object.values(distance)
  if (!kinds.includes('Dot')) {
    throw new TypeError(
      `Expected a \`distance\` of Dot among the vectors, since a user's score of an item is their dot product, got ${kinds.join(', ')}. Try 'Dot' or { similar: 'Cosine', taste: 'Dot' }.`,
    )
  }
}

function checkWhole(name: string, value: number, least: number): void {
  if (!Number.isInteger(value) || value < least)
    throw new RangeError(`Expected \`${name}\` to be a whole number from ${least}, got ${value}.`)
}
