import { setTimeout as sleep } from 'node:timers/promises'
import type { Schemas } from '@qdrant/js-client-rest'
import { SupersededError } from '../errors.ts'
import { listAliases, listCollections } from '../server/collections.ts'
import type { CallOptions, Connection } from '../server/connection.ts'
import { isTemporary, statusOf } from '../server/errors.ts'
import { fenceName, fencePrefix } from './names.ts'

type Action = Schemas['AliasOperations']

/** One alias of a publication, what it served when the run began, and the collection that is to serve. */
export interface Move {
  alias: string
  /** Undefined when the alias did not exist. */
  from: string | undefined
  to: string
}

/**
 * Puts up the fence of each alias, so that the swap has something to rename. On an alias that nobody has published yet the fence
 * carries no collection's name and points to `to`, which is not complete; nobody queries a fence.
 *
 * @throws SupersededError when an alias does not point to `from` any more.
 */
export async function raiseFences(connection: Connection, moves: Move[], options: CallOptions): Promise<void> {
  const aliases = await listAliases(connection, options)
  checkUnmoved(moves, aliases)
  const actions = moves.flatMap((move) => fenceActions(move, aliases))
  if (actions.length === 0) return
  await updateAliases(connection, actions, options)
  // Somebody may have swapped between the look and the fence, and the fence of a generation that does not serve would let us in.
  const now = await listAliases(connection, options)
  try {
    checkUnmoved(moves, now)
  } catch (error) {
    const wrong = moves
      .filter(({ alias, from }) => now.get(alias) !== from)
      .map(({ alias, from }) => fenceName(alias, from))
    await updateAliases(
      connection,
      wrong.map((alias) => ({ delete_alias: { alias_name: alias } })),
      options,
    )
    throw error
  }
}

/**
 * Moves every alias in one request: for each, rename the fence of the old collection to that of the new one (404 when somebody else
 * has moved it: the whole request ends there), point it to the new collection, and point the alias there. `create_alias` on an
 * existing alias replaces it in one step under the server's locks; the pair delete_alias + create_alias would not.
 *
 * @throws SupersededError when another publisher swapped first.
 */
export async function swapAliases(connection: Connection, moves: Move[], options: CallOptions): Promise<void> {
  for (let attempt = 0; ; attempt++) {
    try {
      await updateAliases(connection, swapActions(moves), { ...options, once: true })
      return
    } catch (error) {
      // Renaming is not idempotent and an answer can be lost, so look at what the server holds now.
      const aliases = await listAliases(connection, options)
      if (moves.every(({ alias, to }) => aliases.get(alias) === to)) return
      checkUnmoved(moves, aliases, error)
      // Nobody moved an alias. A fence can still be missing: it went with another run's collection, or the request broke off between two steps.
      const fenceGone = moves.some(({ alias, from }) => !aliases.has(fenceName(alias, from)))
      const worthRetrying =
        isTemporary(error) || (statusOf(error) === 404 && fenceGone && (await allExist(connection, moves, options)))
      if (!worthRetrying || attempt >= 8) throw error
      if (fenceGone) await raiseFences(connection, moves, options)
      await sleep(100 * 2 ** Math.min(attempt, 6), undefined, options.signal && { signal: options.signal })
    }
  }
}

/** The server takes the actions one by one and undoes none, so all that can fail comes first: the fences, then the pointing. */
function swapActions(moves: Move[]): Action[] {
  const renames = moves.map(({ alias, from, to }) => ({
    rename_alias: { old_alias_name: fenceName(alias, from), new_alias_name: fenceName(alias, to) },
  }))
  return [...renames, ...moves.flatMap(({ alias, to }) => [pointTo(fenceName(alias, to), to), pointTo(alias, to)])]
}

/** Fences left by an interrupted swap, or by an alias that was moved by hand, are renamed into the one that holds. */
function fenceActions({ alias, from, to }: Move, aliases: Map<string, string>): Action[] {
  const fence = fenceName(alias, from)
  const strays = [...aliases.keys()].filter((name) => name.startsWith(fencePrefix(alias)) && name !== fence)
  const actions: Action[] = strays.map((name) => ({ delete_alias: { alias_name: name } }))
  if (!aliases.has(fence)) actions.push(pointTo(fence, from ?? to))
  return actions
}

function checkUnmoved(moves: Move[], aliases: Map<string, string>, cause?: unknown): void {
  const overtaken = moves.find(({ alias, from }) => aliases.get(alias) !== from)
  if (overtaken) throw superseded(overtaken, aliases.get(overtaken.alias), cause)
}

async function allExist(connection: Connection, moves: Move[], options: CallOptions): Promise<boolean> {
  const collections = new Set(await listCollections(connection, options))
  return moves.every(({ to }) => collections.has(to))
}

function pointTo(alias: string, collection: string): Action {
  return { create_alias: { alias_name: alias, collection_name: collection } }
}

async function updateAliases(connection: Connection, actions: Action[], options: CallOptions): Promise<void> {
  await connection.call((api, init) => api.updateAliases({ actions }, init), options)
}

function superseded({ alias, from, to }: Move, now: string | undefined, cause: unknown): SupersededError {
  const was = from === undefined ? 'did not exist' : `pointed to ${from}`
  return new SupersededError(
    `Another publisher moved the alias ${alias} during this run: it ${was} at the beginning and ${now === undefined ? 'is gone' : `points to ${now}`} now. ` +
      `Nothing was changed. Publish again to replace what it put there.`,
    { step: 'swap', collection: to, cause },
  )
}
