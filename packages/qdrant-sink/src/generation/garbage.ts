import { setTimeout as sleep } from 'node:timers/promises'
import type { z } from 'zod'
import { checkOptions, type OptionKinds, only } from '../checks/check-options.ts'
import { boolean, nonNegativeInteger } from '../checks/kinds.ts'
import { deleteCollection, listAliases } from '../server/collections.ts'
import { type CallOptions, Connection } from '../server/connection.ts'
import { findGenerations, type Generation, type GenerationsOptions, generationsKinds } from './generations.ts'
import { checkAlias, fencePrefix } from './names.ts'
import { isAbandoned, STALE_AFTER } from './owner.ts'
import { readRecord, writeRecord } from './record.ts'

export interface Garbage {
  collection: string
  generation: number
  points: number
  /** Why it is not needed any more. */
  reason: string
}

export interface CollectGarbageOptions extends GenerationsOptions {
  /** Earlier generations to keep for rollback. Default 1. */
  keepGenerations?: number
  /** True (the default) only says what would be deleted. */
  dryRun?: boolean
}

const kinds: OptionKinds<CollectGarbageOptions> = {
  ...generationsKinds,
  keepGenerations: nonNegativeInteger.optional(),
  dryRun: boolean.optional(),
}

const garbageOptions: z.ZodType = only(kinds)

export interface GarbageReport {
  garbage: Garbage[]
  /** Collections that were deleted; empty on a dry run. */
  deleted: string[]
}

/**
 * Finds, and with `dryRun: false` deletes, what publications of an alias have left: generations older than those kept for rollback
 * and unfinished ones of dead runs. Never what an alias points to, what a run is loading, or what `publish` did not make.
 */
export async function collectGarbage(options: CollectGarbageOptions): Promise<GarbageReport> {
  checkOptions('collectGarbage', garbageOptions, options)
  checkAlias(options.alias)
  await using connection = new Connection(options)
  const found = await findGenerations(connection, options.alias, options.staleAfter ?? STALE_AFTER, options)
  const garbage = findGarbage(found, options.keepGenerations ?? 1)
  if (options.dryRun ?? true) return { garbage, deleted: [] }
  return { garbage, deleted: await deleteGarbage(connection, options.alias, garbage, options) }
}

/** Which generations are not needed: all but the live one, the `keep` newest that have served, and those being loaded. */
export function findGarbage(found: Generation[], keep: number): Garbage[] {
  const live = found.find(({ state }) => state === 'live')
  const kept = new Set(found.filter(({ state }) => state === 'published').slice(0, keep))
  const garbage: Garbage[] = []
  for (const generation of found) {
    const reason = kept.has(generation) ? undefined : reasonToDelete(generation, keep, live)
    if (reason !== undefined)
      garbage.push({
        collection: generation.collection,
        generation: generation.generation,
        points: generation.points,
        reason,
      })
  }
  return garbage
}

/** Deletes what still nobody needs at that moment; returns what was deleted. */
export async function deleteGarbage(
  connection: Connection,
  alias: string,
  garbage: Garbage[],
  options: DeleteOptions & { grace?: (collection: string) => number },
): Promise<string[]> {
  const deleted: string[] = []
  for (const { collection } of garbage) {
    const wait = options.grace?.(collection) ?? 0
    if (wait > 0) await sleep(wait, undefined, options.signal && { signal: options.signal })
    if (await deleteUnserved(connection, alias, collection, options)) deleted.push(collection)
  }
  return deleted
}

export interface DeleteOptions extends CallOptions {
  /** Milliseconds after the last heartbeat when a run counts as dead. Default 120,000. */
  staleAfter?: number
  /** The run that deletes its own collection. */
  run?: string
}

/**
 * Deletes a collection unless a run is at work on it (loading it, or rolling back to it) or an alias other than a fence points to it. It is
 * marked first, so that a rollback to it that begins now is refused, and the aliases are read after that: deleting a collection takes its
 * aliases along.
 */
export async function deleteUnserved(
  connection: Connection,
  alias: string,
  collection: string,
  options: DeleteOptions,
): Promise<boolean> {
  const record = await readRecord(connection, collection, options)
  if (record) {
    if (record.run !== options.run && !isAbandoned(record, options.staleAfter ?? STALE_AFTER)) return false
    await writeRecord(connection, collection, { ...record, state: 'deleting' }, options)
  }
  const aliases = await listAliases(connection, options)
  const serving = [...aliases].some(([name, target]) => target === collection && !name.startsWith(fencePrefix(alias)))
  if (!serving) {
    await deleteCollection(connection, collection, options)
    return true
  }
  if (record) await writeRecord(connection, collection, record, options)
  return false
}

function reasonToDelete(
  { state, aliases, collection, record }: Generation,
  keep: number,
  live: Generation | undefined,
): string | undefined {
  const pointing = aliases.filter((name) => record === undefined || !name.startsWith(fencePrefix(record.alias)))
  if (state === 'live' || state === 'loading' || state === 'unknown' || pointing.length > 0) return undefined
  if (state === 'published')
    return `served before ${live?.collection ?? collection}, and ${keep} earlier generations are kept`
  if (state === 'deleting') return 'was being deleted when its run ended'
  if (state === 'ready') return 'complete, but its run ended before the swap'
  return 'its run ended during the load'
}
