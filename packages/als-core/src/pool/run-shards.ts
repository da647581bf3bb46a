import type { WorkerPool } from './worker-pool.ts'

/**
 * What the threads of one phase share: which shard is next, which are done, and whether to stop. A thread takes shards
 * until none is left; one message per thread and phase is all the traffic.
 */
export interface ShardBoard {
  readonly shards: number
  /** [next, stop, done, then 1 for each finished shard] */
  readonly state: Int32Array<SharedArrayBuffer>
}

export interface RunShardsOptions {
  signal?: AbortSignal
  /** Called about ten times a second with the number of finished shards. */
  onShards?: (done: number) => void
  /** Tells afterwards which shards are done. Default: one of its own. */
  board?: ShardBoard
  /** Called when a thread has died, before what it had not finished is run again or given up. */
  onDeath?: () => void
}

const NEXT = 0
const STOP = 1
const DONE = 2
const FIRST = 3

/** A function that a worker thread runs on the shards it takes; it stands under its own name in `worker.ts`. */
export type ShardWork = (message: never) => unknown

/** The message of `runShards`, to which it adds the thread's slot and the board. */
export type ShardMessage<Work extends ShardWork> = Omit<Parameters<Work>[0], 'slot' | 'board'>

/**
 * Runs `task` on every thread of the pool until all `shards` are done. Each thread gets `message` with its `slot` (0 to
 * threads - 1) and the `board`. When a thread dies, what it had not finished is run once more; a second failure is
 * thrown. On abort the threads stop after the shard they are in.
 *
 * `runShards<typeof solveShards>(pool, 'solveShards', …)` takes the message that `solveShards` does, and returns what it does.
 *
 * @returns what each thread returned, in no particular order.
 */
export async function runShards<Work extends ShardWork>(
  pool: WorkerPool,
  task: string,
  shards: number,
  message: ShardMessage<Work>,
  { signal, onShards, board = makeBoard(shards), onDeath }: RunShardsOptions = {},
): Promise<ReturnType<Work>[]> {
  signal?.throwIfAborted()
  const stop = () => Atomics.store(board.state, STOP, 1)
  signal?.addEventListener('abort', stop)
  const timer = onShards && setInterval(() => onShards(Atomics.load(board.state, DONE)), 100)
  try {
    const results: ReturnType<Work>[] = []
    for (let attempt = 0; ; attempt++) {
      const runs = Array.from({ length: Math.min(pool.threads, shards) }, (_, slot) =>
        pool.run<ReturnType<Work>>(task, { ...message, slot, board }),
      )
      const settled = await Promise.allSettled(runs)
      for (const result of settled) if (result.status === 'fulfilled') results.push(result.value)
      const failed = settled.find((result) => result.status === 'rejected')
      if (failed) onDeath?.()
      signal?.throwIfAborted()
      if (!failed || Atomics.load(board.state, STOP) === 1) return results
      if (attempt === 1) throw failed.reason
      Atomics.store(board.state, NEXT, 0)
    }
  } finally {
    clearInterval(timer)
    signal?.removeEventListener('abort', stop)
  }
}

export function makeBoard(shards: number): ShardBoard {
  return { shards, state: new Int32Array(new SharedArrayBuffer(4 * (FIRST + shards))) }
}

export function isDone({ state }: ShardBoard, shard: number): boolean {
  return Atomics.load(state, FIRST + shard) === 1
}

/** In a worker: the shards that this thread takes, each marked done when the next is requested. */
export function* takeShards({ shards, state }: ShardBoard): Generator<number> {
  for (;;) {
    if (Atomics.load(state, STOP) === 1) return
    const shard = Atomics.add(state, NEXT, 1)
    if (shard >= shards) return
    if (isDone({ shards, state }, shard)) continue
    yield shard
    Atomics.store(state, FIRST + shard, 1)
    Atomics.add(state, DONE, 1)
  }
}

/** In a worker: makes all threads of the phase stop after their shard, when this one has found an error to report. */
export function stopShards({ state }: ShardBoard): void {
  Atomics.store(state, STOP, 1)
}
