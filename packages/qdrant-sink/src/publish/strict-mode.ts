import type { Schemas } from '@qdrant/js-client-rest'
import { PublishError } from '../errors.ts'

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
        `${name} of the server's strict mode is ${limit} in ${collection}, this publication needs ${value}. Raise it in \`collection.strict_mode_config\`.`,
        { step: 'create', collection },
      )
    }
  }
}
