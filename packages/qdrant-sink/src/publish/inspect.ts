import type { Schemas } from '@qdrant/js-client-rest'
import { PublishError } from '../errors.ts'
import { findGenerations, type Generation } from '../generation/generations.ts'
import { describeCollection, listAliases, listCollections } from '../server/collections.ts'
import type { CallOptions, Connection } from '../server/connection.ts'
import { isTemporary, reasonOf, statusOf } from '../server/errors.ts'
import { differenceOfShapes, type Shape } from './shape.ts'

/** What is on the server before a publication. */
export interface Inspection {
  /** The server's version, such as 1.19.0. */
  version: string
  /** What each alias points to now; undefined where there is no such alias. */
  live: Map<string, string | undefined>
  /** Generations of each alias, the newest first. */
  generations: Map<string, Generation[]>
}

export interface InspectSettings extends CallOptions {
  staleAfter: number
  /** What each alias is to serve; undefined where that is not known yet. */
  shapes: Map<string, Shape | undefined>
  allowNewShape: boolean
  onWarning?: ((warning: PublishWarning) => void) | undefined
}

/** Something that a publication goes on in spite of. */
export interface PublishWarning {
  /** `server-version`: a major version later than this was written for. `new-shape`: other vectors than the alias serves now. */
  code: 'server-version' | 'new-shape'
  message: string
}

/** The oldest version with collection metadata, which everything here rests on. */
const OLDEST = [1, 16]
/** The newest major version this was tried on. */
const NEWEST_MAJOR = 1

/** Looks before anything is made: is the server there, new enough, and has it room; are the aliases free to be aliases; what is left of earlier runs. */
export async function inspect(connection: Connection, settings: InspectSettings): Promise<Inspection> {
  const { shapes, staleAfter, onWarning } = settings
  const aliases = [...shapes.keys()]
  const version = await serverVersion(connection, settings)
  if (Number.parseInt(version, 10) > NEWEST_MAJOR) {
    const message = `The Qdrant server has version ${version}, expected ${NEWEST_MAJOR}.x, which this was written for. What follows may fail; nothing is swapped unless it verifies.`
    onWarning?.({ code: 'server-version', message })
  }
  const collections = await listCollections(connection, settings)
  for (const alias of aliases) {
    if (collections.includes(alias)) {
      throw new PublishError(
        `${alias} is the name of a collection, expected an alias or nothing. Choose another alias, or rename the collection by making it anew.`,
        { step: 'preflight', collection: alias },
      )
    }
  }
  await checkQuotas(connection, settings)
  const targets = await listAliases(connection, settings)
  const generations = new Map<string, Generation[]>()
  for (const [alias, shape] of shapes) {
    const live = targets.get(alias)
    if (shape && live !== undefined) await checkShape(connection, alias, live, shape, settings)
    generations.set(alias, await findGenerations(connection, alias, staleAfter, settings))
  }
  return { version, live: new Map(aliases.map((alias) => [alias, targets.get(alias)])), generations }
}

async function serverVersion(connection: Connection, options: CallOptions): Promise<string> {
  let version: unknown
  try {
    // Four tries, some seconds: a wrong address is to be known soon.
    const answer = await connection.call<{ version?: unknown }>((api, init) => api.root({}, init), {
      ...options,
      retries: 4,
    })
    version = answer.version
  } catch (error) {
    if (options.signal?.aborted) throw error
    const hint =
      statusOf(error) === undefined && isTemporary(error) ? ' Check `url`, and that the server is running.' : ''
    throw new PublishError(`Asking the Qdrant server for its version failed. ${reasonOf(error)}${hint}`, {
      step: 'preflight',
      temporary: isTemporary(error),
      cause: error,
    })
  }
  const [major, minor] = String(version).split('.').map(Number)
  if (!(major > OLDEST[0] || (major === OLDEST[0] && minor >= OLDEST[1]))) {
    throw new PublishError(
      `The Qdrant server has version ${String(version)}, expected ${OLDEST.join('.')} or later: collection metadata came with it. Update the server.`,
      { step: 'preflight' },
    )
  }
  return String(version)
}

async function checkQuotas(connection: Connection, options: CallOptions): Promise<void> {
  let quotas: Schemas['QuotaStatus']
  try {
    quotas = await connection.call<Schemas['QuotaStatus']>((api, init) => api.getQuotas({}, init), options)
  } catch (error) {
    // Servers before 1.19 have none, and a key may be allowed to write without being allowed to see them.
    if ([401, 403, 404].includes(statusOf(error) ?? 0)) return
    throw error
  }
  if (!quotas.config.enabled) return
  const { usage, config } = quotas
  for (const [what, used, limit] of [
    ['memory', usage.resident_memory_percent, config.max_resident_memory_percent],
    ['disk', usage.disk_usage_percent, config.max_disk_usage_percent],
  ] as const) {
    if (used != null && limit != null && used >= limit) {
      throw new PublishError(
        `The ${what} quota of the server is used up: ${used} % of at most ${limit} %. Run collectGarbage, or raise the quota.`,
        { step: 'preflight' },
      )
    }
  }
}

/** Queries that bring vectors of their own, or name one by `using`, would fail from the swap on where these change. */
async function checkShape(
  connection: Connection,
  alias: string,
  live: string,
  shape: Shape,
  { allowNewShape, onWarning, ...options }: InspectSettings,
): Promise<void> {
  const served = (await describeCollection(connection, live, options))?.config.params.vectors
  const difference = differenceOfShapes(served, shape)
  if (difference === undefined) return
  const message = `${alias} serves ${difference.served}, this publication has ${difference.published}: queries with vectors of their own, or with \`using\`, may fail after the swap.`
  if (allowNewShape) return onWarning?.({ code: 'new-shape', message })
  throw new PublishError(
    `${message} Pass \`allowNewShape: true\` when they are ready for it, or choose another alias.`,
    {
      step: 'preflight',
      collection: live,
    },
  )
}
