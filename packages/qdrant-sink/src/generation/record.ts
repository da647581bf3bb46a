import type { Schemas } from '@qdrant/js-client-rest'
import { z } from 'zod'
import { describeCollection, updateCollection } from '../server/collections.ts'
import type { CallOptions, Connection } from '../server/connection.ts'
import { Owner } from './owner.ts'

/**
 * What a publication writes into its collection's `metadata`, under the key `seesaw`. It is all that a later run has to tell
 * a finished generation from a crashed one, and a crashed one from one that somebody is loading at this moment.
 */
export interface GenerationRecord {
  version: 1
  /** The alias this collection was made for. */
  alias: string
  /** Unix seconds; the same for all collections of one publication. */
  generation: number
  /** Id of the run that owns the collection. */
  run: string
  /** `loading` until verified, `ready` until swapped in, `published` from then on, `deleting` once it is given up. */
  state: 'loading' | 'ready' | 'published' | 'deleting'
  /** Hash of everything that was to be published; a run resumes only what has the same. */
  fingerprint: string
  points: number
  /** Rows below this one are on the server. */
  watermark: number
  /** Milliseconds since 1970 when the owner last said that it is at work; 0 once it has stopped. */
  heartbeat: number
  owner: Owner
  /** Indexing threshold in KB to restore after the load; null is the server's default. */
  indexingThreshold: number | null
}

export const GenerationRecord: z.ZodType<GenerationRecord> = z.object({
  version: z.literal(1),
  alias: z.string(),
  generation: z.int(),
  run: z.string(),
  state: z.enum(['loading', 'ready', 'published', 'deleting']),
  fingerprint: z.string(),
  points: z.int(),
  watermark: z.int(),
  heartbeat: z.number(),
  owner: Owner,
  indexingThreshold: z.number().nullable(),
})

/** The record in a collection's description; undefined for a collection that was not made by `publish`. */
export function recordOf(description: Schemas['CollectionInfo'] | undefined): GenerationRecord | undefined {
  const metadata = description?.config.metadata as Record<string, unknown> | null | undefined
  const parsed = GenerationRecord.safeParse(metadata?.seesaw)
  return parsed.success ? parsed.data : undefined
}

export async function readRecord(
  connection: Connection,
  collection: string,
  options?: CallOptions,
): Promise<GenerationRecord | undefined> {
  return recordOf(await describeCollection(connection, collection, options))
}

/** Writes the whole record: the server merges metadata by top-level keys, and this is one of them. */
export async function writeRecord(
  connection: Connection,
  collection: string,
  record: GenerationRecord,
  options?: CallOptions,
): Promise<void> {
  await updateCollection(connection, collection, { metadata: { seesaw: record } }, options)
}

/** A generation that serves is to be known as one that has served, also where its run ended right after the swap. */
export async function markPublished(connection: Connection, collection: string, options: CallOptions): Promise<void> {
  const record = await readRecord(connection, collection, options)
  if (record?.state === 'ready') await writeRecord(connection, collection, { ...record, state: 'published' }, options)
}
