import type { Schemas } from '@qdrant/js-client-rest'
import type { CallOptions, Connection } from './connection.ts'
import { statusOf } from './errors.ts'

/** Names of all collections. */
export async function listCollections(connection: Connection, options?: CallOptions): Promise<string[]> {
  const { collections } = await connection.call<Schemas['CollectionsResponse']>(
    (api, init) => api.getCollections({}, init),
    options,
  )
  return collections.map(({ name }) => name)
}

/** Every alias with the collection it points to. */
export async function listAliases(connection: Connection, options?: CallOptions): Promise<Map<string, string>> {
  const { aliases } = await connection.call<Schemas['CollectionsAliasesResponse']>(
    (api, init) => api.getCollectionsAliases({}, init),
    options,
  )
  return new Map(aliases.map(({ alias_name, collection_name }) => [alias_name, collection_name]))
}

/** The collection's description, or undefined when there is none of that name. */
export async function describeCollection(
  connection: Connection,
  name: string,
  options?: CallOptions,
): Promise<Schemas['CollectionInfo'] | undefined> {
  try {
    return await connection.call<Schemas['CollectionInfo']>(
      (api, init) => api.getCollection({ collection_name: name }, init),
      options,
    )
  } catch (error) {
    if (statusOf(error) === 404) return undefined
    throw error
  }
}

/** Changes parameters of a collection; `metadata` is merged key by key into what is there. */
export async function updateCollection(
  connection: Connection,
  name: string,
  change: Schemas['UpdateCollection'],
  options?: CallOptions,
): Promise<void> {
  await connection.call((api, init) => api.updateCollection({ collection_name: name, ...change }, init), options)
}

/** Deletes a collection and, the server's rule, every alias that points to it. */
export async function deleteCollection(connection: Connection, name: string, options?: CallOptions): Promise<void> {
  await connection.call((api, init) => api.deleteCollection({ collection_name: name }, init), options)
}

/** The exact number of points; `points_count` of the description is an estimate. */
export async function countPoints(connection: Connection, name: string, options?: CallOptions): Promise<number> {
  const { count } = await connection.call<{ count: number }>(
    (api, init) => api.countPoints({ collection_name: name, exact: true }, init),
    options,
  )
  return count
}
