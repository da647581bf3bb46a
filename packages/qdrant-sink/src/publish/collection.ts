import type { Schemas } from '@qdrant/js-client-rest'
import { stepFailed } from '../errors.ts'
import type { GenerationRecord } from '../generation/record.ts'
import { recordOf } from '../generation/record.ts'
import type { VectorField } from '../points/field.ts'
import { describeCollection, updateCollection } from '../server/collections.ts'
import type { CallOptions, Connection } from '../server/connection.ts'
import { statusOf } from '../server/errors.ts'
import type { PayloadIndexes, Settings } from './options.ts'

/** Default of the server, in KB; for a server that does not say which one it uses. */
const INDEXING_THRESHOLD = 10_000

/**
 * Makes the collection with its record in the same request, so that there is no moment in which it could be taken for somebody else's.
 * @returns false when a collection of that name exists that is not this run's.
 */
export async function createCollection(
  connection: Connection,
  name: string,
  record: GenerationRecord,
  fields: VectorField[],
  { vectorParameters, collection }: Settings,
  options: CallOptions,
): Promise<boolean> {
  const vectors = fields.map(
    ({ name: field, dimension: size, distance, parameters }): [string, Schemas['VectorParams']] => [
      field,
      { size, distance, ...vectorParameters, ...parameters },
    ],
  )
  const config = vectors[0][0] === '' ? vectors[0][1] : Object.fromEntries(vectors)
  try {
    await connection.call(
      (api, init) =>
        api.createCollection(
          { collection_name: name, ...collection, vectors: config, metadata: { seesaw: record } },
          init,
        ),
      options,
    )
    return true
  } catch (error) {
    // 409 may be the echo of our own first attempt, the answer to which was lost.
    if (statusOf(error) !== 409) throw stepFailed('create', name, error)
    return recordOf(await describeCollection(connection, name, options))?.run === record.run
  }
}

/** Makes the payload indexes; making one that is there changes nothing. */
export async function createIndexes(
  connection: Connection,
  name: string,
  indexes: PayloadIndexes,
  options: CallOptions,
): Promise<void> {
  for (const [field, schema] of Object.entries(indexes)) {
    try {
      await connection.call(
        (api, init) =>
          api.createFieldIndex({ collection_name: name, wait: true, field_name: field, field_schema: schema }, init),
        options,
      )
    } catch (error) {
      throw stepFailed('index', name, error, `Indexing the payload field ${field} of ${name}`)
    }
  }
}

/**
 * Puts off building the vector index (indexing threshold 0) so that it is built once, over everything, and returns the threshold that
 * was in force.
 */
export async function deferIndexing(
  connection: Connection,
  name: string,
  record: GenerationRecord,
  options: CallOptions,
): Promise<number> {
  const description = await describeCollection(connection, name, options)
  const current = description?.config.optimizer_config.indexing_threshold ?? INDEXING_THRESHOLD
  const threshold = record.indexingThreshold ?? current
  // One request for both, so that a crash cannot lose the value to restore.
  await updateCollection(
    connection,
    name,
    { optimizers_config: { indexing_threshold: 0 }, metadata: { seesaw: { ...record, indexingThreshold: threshold } } },
    options,
  )
  return threshold
}

export async function restoreIndexing(
  connection: Connection,
  name: string,
  threshold: number,
  options: CallOptions,
): Promise<void> {
  try {
    await updateCollection(connection, name, { optimizers_config: { indexing_threshold: threshold } }, options)
  } catch (error) {
    throw stepFailed('restore', name, error, `Restoring the indexing threshold of ${name}`)
  }
}
