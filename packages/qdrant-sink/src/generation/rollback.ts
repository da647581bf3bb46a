import { randomUUID } from 'node:crypto'
import { PublishError } from '../errors.ts'
import { listAliases } from '../server/collections.ts'
import { type CallOptions, Connection } from '../server/connection.ts'
import { findGenerations, type Generation, type GenerationsOptions } from './generations.ts'
import { checkAlias, usersAlias } from './names.ts'
import { activeRuns, STALE_AFTER, thisProcess } from './owner.ts'
import { readRecord, writeRecord } from './record.ts'
import { type Move, raiseFences, swapAliases } from './swap.ts'

export interface RollbackOptions extends GenerationsOptions {
  /** Generation (unix seconds) to go back to. Default: the newest one before the live one that has served. */
  to?: number
  /** Alias of the users published along, moved in the same request where that generation has them. Default `ALIAS_users`. */
  usersAlias?: string
}

export interface Rollback {
  from: string
  to: string
  /** Every alias that was moved, with its collection now. */
  aliases: Record<string, string>
}

/**
 * Points the alias back to an earlier generation that has served, in one request behind the same fence as a publication. The generation
 * left stays, as `published`, so that rolling back is itself undone with `to`.
 */
export async function rollback(options: RollbackOptions): Promise<Rollback> {
  const { alias } = options
  checkAlias(alias)
  await using connection = new Connection(options)
  const staleAfter = options.staleAfter ?? STALE_AFTER
  const items = await findGenerations(connection, alias, staleAfter, options)
  const target = chooseTarget(alias, items, options.to)
  const live = items.find(({ state }) => state === 'live') as Generation
  const moves: Move[] = [{ alias, from: live.collection, to: target.collection }]

  const aliasOfUsers = options.usersAlias ?? usersAlias(alias)
  const users = await findGenerations(connection, aliasOfUsers, staleAfter, options)
  const usersTarget = users.find(
    ({ generation, state }) => generation === target.generation && (state === 'published' || state === 'live'),
  )
  const usersLive = users.find(({ state }) => state === 'live')
  if (usersLive && !usersTarget) {
    throw new PublishError(
      `Expected the users of generation ${target.generation} to be there, since ${aliasOfUsers} serves ${usersLive.collection}. Items and users belong to one model; go back to a generation that has both.`,
      { step: 'rollback', collection: target.collection },
    )
  }
  if (usersLive && usersTarget && usersLive !== usersTarget) {
    moves.push({ alias: aliasOfUsers, from: usersLive.collection, to: usersTarget.collection })
  }

  for (const left of [live, usersLive]) {
    if (left?.record && left.record.state !== 'published') {
      await writeRecord(connection, left.collection, { ...left.record, state: 'published' }, options)
    }
  }
  const run = randomUUID()
  activeRuns.add(run)
  try {
    await raiseFences(connection, moves, options)
    for (const { to } of moves) await lease(connection, to, run, options)
    await swapAliases(connection, moves, options)
    for (const { to } of moves) await lease(connection, to, run, options, 0)
  } finally {
    activeRuns.delete(run)
  }
  const now = await listAliases(connection, options)
  return {
    from: live.collection,
    to: target.collection,
    aliases: Object.fromEntries(moves.map((move) => [move.alias, now.get(move.alias) as string])),
  }
}

/** Says that somebody is at work on the collection, so that no garbage collection takes it away under the swap; 0 ends that. */
async function lease(
  connection: Connection,
  collection: string,
  run: string,
  options: CallOptions,
  heartbeat: number = Date.now(),
): Promise<void> {
  const record = await readRecord(connection, collection, options)
  if (record === undefined || record.state === 'deleting') {
    throw failure(`The collection ${collection} was deleted a moment ago. Nothing was changed.`)
  }
  await writeRecord(connection, collection, { ...record, run, owner: thisProcess, heartbeat }, options)
}

function chooseTarget(alias: string, found: Generation[], wanted: number | undefined): Generation {
  const live = found.find(({ state }) => state === 'live')
  const candidates = found.filter(({ state }) => state === 'published')
  const list = found.map(({ generation, state }) => `${generation} (${state})`).join(', ') || 'none'
  if (!live)
    throw failure(
      `The alias ${alias} points to no generation made by publish; there is nothing to roll back. Generations: ${list}.`,
    )
  const target =
    wanted === undefined
      ? candidates.find(({ generation }) => generation < live.generation)
      : candidates.find(({ generation }) => generation === wanted)
  if (!target) {
    const what =
      wanted === undefined
        ? `an earlier generation of ${alias} that has served`
        : `generation ${wanted} of ${alias} to be one that has served`
    throw failure(`Expected ${what}, got: ${list}. Publish with \`keep\` of 1 or more to have one.`)
  }
  return target
}

function failure(message: string): PublishError {
  return new PublishError(message, { step: 'rollback' })
}
