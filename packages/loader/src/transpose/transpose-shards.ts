import { duringPhase, kernel } from '../pool/worker-memory.ts'
import { ItemSorter } from './item-sorter.ts'
import { ShardCounter } from './shard-counter.ts'
import { ShardMover } from './shard-mover.ts'
import type { Transposition } from './transposition.ts'

/** Shards, or buckets of items, [from, to). */
export interface TransposeTask {
  readonly work: Transposition
  readonly from: number
  readonly to: number
}

/** Step 1, in a worker: entries of each shard per bucket of items. */
export function countShards({ work, from, to }: TransposeTask): void {
  const counter = duringPhase('countShards', () => new ShardCounter(kernel, work))
  for (let shard = from; shard < to; shard++) counter.count(shard)
}

/** Step 2, in a worker: the entries of each shard go to their buckets. */
export function moveShards({ work, from, to }: TransposeTask): void {
  const mover = duringPhase('moveShards', () => new ShardMover(kernel, work))
  for (let shard = from; shard < to; shard++) mover.move(shard)
}

/** Step 3, in a worker: sorts each bucket by item; bucket b begins at starts[b]. */
export function sortItems({
  work,
  starts,
  from,
  to,
}: TransposeTask & { starts: Float64Array<SharedArrayBuffer> }): void {
  const sorter = duringPhase('sortItems', () => new ItemSorter(kernel, work))
  for (let bucket = from; bucket < to; bucket++) sorter.sort(starts, bucket)
}
