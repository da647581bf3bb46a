import { randomUUID } from 'node:crypto'
import type { z } from 'zod'
import { checkOptions, type OptionKinds, only } from '../checks/check-options.ts'
import { nonNegativeInteger, text } from '../checks/kinds.ts'
import { PublishError } from '../errors.ts'
import { type CallOptions, Connection } from '../server/connection.ts'
import { findGenerations, type Generation, type GenerationsOptions, generationsKinds } from './generations.ts'
import { checkAlias, usersAlias } from './names.ts'
import { activeRuns, STALE_AFTER, thisProcess } from './owner.ts'
import { markPublished, readRecord, writeRecord } from './record.ts'
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

const kinds: OptionKinds<RollbackOptions> = {
  ...generationsKinds,
  to: nonNegativeInteger.optional(),
  usersAlias: text.optional(),
}

const rollbackOptions: z.ZodType = only(kinds)

/**
 * Points the alias back to an earlier generation that has served, in one request behind the same fence as a publication. The generation
 * left stays, as `published`, so that rolling back is itself undone with `to`.
 */
export async function rollback(options: RollbackOptions): Promise<Rollback> {
  checkOptions('rollback', rollbackOptions, options)
  const { alias } = options
  checkAlias(alias)
  await using connection = new Connection(options)
  const { live, target } = chooseTarget(alias, await find(connection, alias, options), options.to)
  const moves: Move[] = [{ alias, from: live.collection, to: target.collection }]
  const users = await findUsersMove(connection, target, options)
  if (users && users.from !== users.to) moves.push(users)

  for (const { from } of moves) await markPublished(connection, from as string, options)
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
  return {
    from: live.collection,
    to: target.collection,
    aliases: Object.fromEntries(moves.map(({ alias, to }) => [alias, to])),
  }
}

/** The users of the same generation go along; undefined where no users are served. */
async function findUsersMove(
  connection: Connection,
  { generation, collection }: Generation,
  options: RollbackOptions,
): Promise<Move | undefined> {
  const alias = options.usersAlias ?? usersAlias(options.alias)
  const users = await find(connection, alias, options)
  const live = users.find(({ state }) => state === 'live')
  if (!live) return undefined
  const target = users.find(
    (one) => one.generation === generation && (one.state === 'published' || one.state === 'live'),
  )
  if (!target) {
    throw new PublishError(
      `Generation ${generation} has no users, expected some, since ${alias} serves ${live.collection} and items and users belong to one model. Go back to a generation that has both.`,
      { step: 'rollback', collection },
    )
  }
  return { alias, from: live.collection, to: target.collection }
}

function find(connection: Connection, alias: string, options: RollbackOptions): Promise<Generation[]> {
  return findGenerations(connection, alias, options.staleAfter ?? STALE_AFTER, options)
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

function chooseTarget(
  alias: string,
  found: Generation[],
  wanted: number | undefined,
): { live: Generation; target: Generation } {
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
        ? `${alias} has no earlier generation that has served`
        : `Generation ${wanted} of ${alias} is none that has served`
    throw failure(`${what}. Generations: ${list}. Publish with \`keepGenerations\` of 1 or more to have one.`)
  }
  return { live, target }
}

function failure(message: string): PublishError {
  return new PublishError(message, { step: 'rollback' })
}
