import { countRowGroup } from './count/count-row-group.ts'
import { toFailure } from './errors.ts'
import { readItemGroup } from './items/read-item-group.ts'
import { mergeBuckets } from './merge/merge-buckets.ts'
import { mergeSpilledBucket, placeSpilledBucket } from './merge/merge-spilled-bucket.ts'
import { unpackLargeViews } from './pool/large-views.ts'
import type { Call, Reply } from './pool/messages.ts'
import { scatterRowGroup, spillRowGroup } from './scatter/scatter-row-group.ts'
import { countShards, moveShards, sortItems } from './transpose/transpose-shards.ts'
import { readVectorGroup } from './vectors/read-vector-group.ts'

/** All that a worker thread can be asked to do. */
const tasks: Record<string, (message: never) => unknown> = {
  countRowGroup,
  scatterRowGroup,
  spillRowGroup,
  mergeBuckets,
  mergeSpilledBucket,
  placeSpilledBucket,
  countShards,
  moveShards,
  sortItems,
  readItemGroup,
  readVectorGroup,
}

export default async function run({ task, message }: Call): Promise<Reply<unknown>> {
  try {
    return { result: await tasks[task](unpackLargeViews(message) as never) }
  } catch (error) {
    return { failure: toFailure(error) }
  }
}
