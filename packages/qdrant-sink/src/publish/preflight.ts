import type { Schemas } from '@qdrant/js-client-rest'
import { PublishError } from '../errors.ts'
import { findGenerations, type Generation } from '../generation/generations.ts'
import { listAliases, listCollections } from '../server/collections.ts'
import type { CallOptions, Connection } from '../server/connection.ts'
import { reasonOf, statusOf } from '../server/retry.ts'

export interface Preflight {
  /** The server's version, such as 1.19.0. */
  version: string
  /** What each alias points to now; undefined where there is no such alias. */
  live: Map<string, string | undefined>
  /** Generations of each alias, the newest first. */
  generations: Map<string, Generation[]>
}

/** The oldest version with collection metadata, which everything here rests on. */
const OLDEST = [1, 16]

/** Looks before anything is made: is the server there, new enough, and has it room; are the aliases free to be aliases; what is left of earlier runs. */
export async function preflight(
  connection: Connection,
  aliases: string[],
  staleAfter: number,
  options: CallOptions,
): Promise<Preflight> {
  const version = await serverVersion(connection, options)
  const collections = await listCollections(connection, options)
  for (const alias of aliases) {
    if (collections.includes(alias)) {
      throw new PublishError(
        `Expected ${alias} to be an alias, but there is a collection of that name. Choose another alias, or rename the collection by making it anew.`,
        { step: 'preflight', collection: alias },
      )
    }
  }
  await checkQuotas(connection, options)
  const targets = await listAliases(connection, options)
  const generations = new Map<string, Generation[]>()
  for (const alias of aliases) generations.set(alias, await findGenerations(connection, alias, staleAfter, options))
  return { version, live: new Map(aliases.map((alias) => [alias, targets.get(alias)])), generations }
}

async function serverVersion(connection: Connection, options: CallOptions): Promise<string> {
  let version: unknown
  // Four tries, some seconds: a wrong address is to be known soon.
  try {
    version = (
      await connection.call<{ version?: unknown }>((api, init) => api.root({}, init), { ...options, retries: 4 })
    ).version
  } catch (error) {
    if (options.signal?.aborted) throw error
    const hint =
      statusOf(error) === 401 || statusOf(error) === 403
        ? 'Check `apiKey`.'
        : 'Check `url`, and that the server is running.'
    throw new PublishError(`The Qdrant server did not answer. ${reasonOf(error)} ${hint}`, {
      step: 'preflight',
      temporary: true,
      cause: error,
    })
  }
  const [major, minor] = String(version).split('.').map(Number)
  if (!(major > OLDEST[0] || (major === OLDEST[0] && minor >= OLDEST[1]))) {
    throw new PublishError(
      `Expected a Qdrant server of version ${OLDEST.join('.')} or later, got ${String(version)}. Collection metadata came with it.`,
      {
        step: 'preflight',
      },
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
        `Expected free ${what} on the server, its quota is used up: ${used} % of at most ${limit} %. Run collectGarbage, or raise the quota.`,
        { step: 'preflight' },
      )
    }
  }
}

/** Limits of strict mode that this load would break in its middle. */
export function checkStrictMode(
  collection: string,
  limits: Schemas['StrictModeConfigOutput'] | null | undefined,
  load: { points: number; indexes: number; vectorBytes: number },
): void {
  if (!limits?.enabled) return
  for (const [name, limit, value] of [
    ['max_points_count', limits.max_points_count, load.points],
    ['max_payload_index_count', limits.max_payload_index_count, load.indexes],
    ['max_collection_vector_size_bytes', limits.max_collection_vector_size_bytes, load.vectorBytes],
  ] as const) {
    if (limit != null && value > limit) {
      throw new PublishError(
        `The server's strict mode allows ${name} of ${limit} in ${collection}, this publication needs ${value}. Raise it in \`collection.strict_mode_config\`.`,
        {
          step: 'create',
          collection,
        },
      )
    }
  }
}
