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
  /** rows × width: what the task reads and writes. */
  readonly values: Float32Array
  /** Default: `padded`. */
  readonly width?: number
  readonly kept: KeptRows
}

/** `runShards` for a task that changes `values` in place. `board` tells afterwards which shards are done. */
export function runInPlace<Work extends ShardWork>(
  { pool, share, kept, running }: Workbench,
  task: string,
  { count, bounds }: Shards,
  message: Omit<ShardMessage<Work>, 'share' | 'kept' | 'bounds'> & Pick<InPlaceTask, 'values' | 'width'>,
  board: ShardBoard = makeBoard(count),
): Promise<ReturnType<Work>[]> {
  const { width = share.layout.padded } = message
  kept.shards.fill(-1)
  const onDeath = (): void => {
    kept.shards.forEach((shard, slot) => {
      if (shard < 0 || isDone(board, shard)) return
      const length = (bounds[2 * shard + 1] - bounds[2 * shard]) * width
      const from = slot * kept.room
      message.values.set(kept.values.subarray(from, from + length), bounds[2 * shard] * width)
    })
  }
  const whole = { ...message, share, kept, bounds } as unknown as ShardMessage<Work>
  return runShards<Work>(pool, task, count, whole, { ...running, board, onDeath })
}

/** In a worker: `takeShards`, each shard's rows kept before it is handed out. */
export function* takeInPlace({ board, bounds, values, width, kept, slot, share }: InPlaceTask): Generator<number> {
  const length = width ?? share.layout.padded
  for (const shard of takeShards(board)) {
    kept.values.set(values.subarray(bounds[2 * shard] * length, bounds[2 * shard + 1] * length), slot * kept.room)
    Atomics.store(kept.shards, slot, shard)
    yield shard
  }
}
