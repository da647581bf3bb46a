import type { z } from 'zod'
import { checkOptions, type OptionKinds, only } from '../checks/check-options.ts'
import { boolean, callback, object, text } from '../checks/kinds.ts'
import { type Generation, type GenerationsOptions, generationsKinds } from '../generation/generations.ts'
import { checkAlias, usersAlias } from '../generation/names.ts'
import { STALE_AFTER } from '../generation/owner.ts'
import { fieldsOf } from '../points/field.ts'
import type { VectorShape } from '../points/vectors.ts'
import { Connection } from '../server/connection.ts'
import { inspect, type PublishWarning } from './inspect.ts'
import type { Shape } from './shape.ts'

/** The vectors that are to be published, without their data. */
export type PlannedVectors = VectorShape | { named: Record<string, VectorShape> }

export interface PreflightOptions extends GenerationsOptions {
  /** Default: whatever serves now. */
  vectors?: PlannedVectors
  users?: {
    vectors?: PlannedVectors
    /** Default `ALIAS_users`. */
    alias?: string
  }
  allowNewShape?: boolean
  onWarning?: (warning: PublishWarning) => void
}

const kinds: OptionKinds<PreflightOptions> = {
  ...generationsKinds,
  vectors: object.optional(),
  users: only({ vectors: object.optional(), alias: text.optional() }).optional(),
  allowNewShape: boolean.optional(),
  onWarning: callback.optional(),
}

const preflightOptions: z.ZodType = only(kinds)

export interface Preflight {
  /** The server's version, such as 1.19.0. */
  version: string
  /** What the alias points to now, where `publish` made it. */
  serving: Generation | undefined
  servingUsers: Generation | undefined
}

/**
 * The checks of the server that `publish` begins with, on their own: for a job that trains for hours and had better know before whether
 * the address and the key are right, there is room, the alias is free, and what it serves has vectors of the same shape. Changes nothing.
 *
 * @throws PublishError, ServerError
 */
export async function preflight(options: PreflightOptions): Promise<Preflight> {
  checkOptions('preflight', preflightOptions, options)
  const { alias, vectors, users, staleAfter = STALE_AFTER, allowNewShape = false, onWarning, signal } = options
  const aliases = [alias, ...(users ? [users.alias ?? usersAlias(alias)] : [])]
  aliases.forEach(checkAlias)
  const planned = [vectors, users?.vectors].map(
    (one, i) => one && fieldsOf(['vectors', 'users.vectors'][i], one, 'float32'),
  )
  const shapes = new Map<string, Shape | undefined>(aliases.map((name, i) => [name, planned[i]]))
  await using connection = new Connection(options)
  const { version, generations } = await inspect(connection, {
    shapes,
    staleAfter,
    allowNewShape,
    onWarning,
    ...(signal && { signal }),
  })
  const [serving, servingUsers] = aliases.map((name) => generations.get(name)?.find(({ state }) => state === 'live'))
  return { version, serving, servingUsers }
}
