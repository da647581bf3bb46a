import {
  isDone,
  makeBoard,
  runShards,
  type ShardBoard,
  type ShardMessage,
  type ShardWork,
  takeShards,
} from '../pool/run-shards.ts'
import type { RowsTask } from './block-rows.ts'
import type { KeptRows } from './kept-rows.ts'
import type { Shards } from './plan-shards.ts'
import type { Workbench } from './workbench.ts'

/** What a worker task that changes rows in place has. */
export interface InPlaceTask extends RowsTask {
  /** rows × padded: what the task reads and writes. */
  readonly values: Float32Array
  /** The same of a second array, where shards have half as many rows at most: see `kept`. */
  readonly others?: Float32Array
  readonly kept: KeptRows
}

/** `runShards` for a task that changes `values` in place. `board` tells afterwards which shards are done. */
export function runInPlace<Work extends ShardWork>(
  { pool, share, kept, running }: Workbench,
  task: string,
  { count, bounds }: Shards,
  message: Omit<ShardMessage<Work>, 'share' | 'kept' | 'bounds'> & Pick<InPlaceTask, 'values' | 'others'>,
  board: ShardBoard = makeBoard(count),
): Promise<ReturnType<Work>[]> {
  const { padded } = share.layout
  kept.shards.fill(-1)
  const onDeath = (): void => {
    kept.shards.forEach((shard, slot) => {
      if (shard < 0 || isDone(board, shard)) return
      const [begin, end] = [bounds[2 * shard] * padded, bounds[2 * shard + 1] * padded]
      let from = slot * kept.room
      for (const array of [message.values, message.others]) {
        array?.set(kept.values.subarray(from, from + end - begin), begin)
        from += end - begin
      }
    })
  }
  const whole = { ...message, share, kept, bounds } as unknown as ShardMessage<Work>
  return runShards<Work>(pool, task, count, whole, { ...running, board, onDeath })
}

/** In a worker: `takeShards`, each shard's rows kept before it is handed out. */
export function* takeInPlace({ board, bounds, values, others, kept, slot, share }: InPlaceTask): Generator<number> {
  const { padded } = share.layout
  for (const shard of takeShards(board)) {
    const [begin, end] = [bounds[2 * shard] * padded, bounds[2 * shard + 1] * padded]
    let to = slot * kept.room
    for (const array of [values, others]) {
      if (array) kept.values.set(array.subarray(begin, end), to)
      to += end - begin
    }
    Atomics.store(kept.shards, slot, shard)
    yield shard
  }
}
