import type { z } from 'zod'
import { checkOptions, type OptionKinds, only } from '../checks/check-options.ts'
import { milliseconds, signal, text } from '../checks/kinds.ts'
import { describeCollection, listAliases, listCollections } from '../server/collections.ts'
import { type CallOptions, Connection, type ServerOptions, serverKinds } from '../server/connection.ts'
import { checkAlias, generationOf } from './names.ts'
import { isAbandoned, STALE_AFTER } from './owner.ts'
import { type GenerationRecord, recordOf } from './record.ts'

export interface Generation {
  /** Unix seconds of its birth. */
  generation: number
  collection: string
  /**
   * `live`: the alias points to it. `published`: served earlier, kept for rollback. `ready`: complete and verified, never
   * swapped in. `loading`: somebody is at work on it. `unfinished`: its run was killed or gave up. `deleting`: given up.
   * `unknown`: has the name of a generation and no record of ours; never touched.
   */
  state: 'live' | 'published' | 'ready' | 'loading' | 'unfinished' | 'deleting' | 'unknown'
  /** Points on the server, approximately; `record.points` is what it is to hold. */
  points: number
  /** Seconds since its birth. */
  age: number
  /** Aliases that point to it, fences included. */
  aliases: string[]
  record: GenerationRecord | undefined
}

export interface GenerationsOptions extends ServerOptions {
  alias: string
  /** Milliseconds after the last heartbeat when a run counts as dead. Default 120,000. */
  staleAfter?: number
  signal?: AbortSignal
}

export const generationsKinds: OptionKinds<GenerationsOptions> = {
  ...serverKinds,
  alias: text,
  staleAfter: milliseconds.optional(),
  signal: signal.optional(),
}

const generationsOptions: z.ZodType = only(generationsKinds)

/** All generations of an alias, the newest first. */
export async function generations(options: GenerationsOptions): Promise<Generation[]> {
  checkOptions('generations', generationsOptions, options)
  checkAlias(options.alias)
  await using connection = new Connection(options)
  return await findGenerations(connection, options.alias, options.staleAfter ?? STALE_AFTER, options)
}

export async function findGenerations(
  connection: Connection,
  alias: string,
  staleAfter: number,
  options: CallOptions,
): Promise<Generation[]> {
  const names = await listCollections(connection, options)
  const aliases = await listAliases(connection, options)
  const found: Generation[] = []
  for (const collection of names) {
    const generation = generationOf(alias, collection)
    if (generation === undefined) continue
    const description = await describeCollection(connection, collection, options)
    // Deleted by somebody else since the list was made.
    if (description === undefined) continue
    const record = recordOf(description)
    if (record !== undefined && record.alias !== alias) continue
    found.push({
      generation,
      collection,
      state: stateOf(aliases.get(alias) === collection, record, staleAfter),
      points: description.points_count ?? 0,
      age: Math.max(0, Math.round(Date.now() / 1000) - generation),
      aliases: [...aliases].filter(([, target]) => target === collection).map(([name]) => name),
      record,
    })
  }
  return found.sort((a, b) => b.generation - a.generation)
}

function stateOf(live: boolean, record: GenerationRecord | undefined, staleAfter: number): Generation['state'] {
  if (live) return 'live'
  if (record === undefined) return 'unknown'
  if (record.state === 'published' || record.state === 'deleting') return record.state
  if (!isAbandoned(record, staleAfter)) return 'loading'
  return record.state === 'ready' ? 'ready' : 'unfinished'
}
