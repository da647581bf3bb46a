import { setImmediate } from 'node:timers/promises'
import { setFlagsFromString } from 'node:v8'
import { runInNewContext } from 'node:vm'
import type { WorkerPool } from './worker-pool.ts'

/**
 * Lets this thread and those of a pool that stays open drop the shared memory of work that is done. What holds it are a few
 * small objects, for which V8 sees no reason to collect: without this a process grew by a model with every training, and
 * by one with every measurement of a validation (20,000 × 10,000, k=256: 270 MB after one training, 760 after eight).
 *
 * V8 has no other way to ask for it than the flag --expose-gc, which is set for the whole process: contexts made later have
 * a global function `gc`. Where it cannot be had, as on other engines, nothing happens, and the memory is dropped when the
 * engine sees fit.
 */
export async function collectGarbageWith(pool: WorkerPool): Promise<void> {
  // A thread that has died holds nothing.
  await Promise.allSettled(Array.from({ length: pool.threads }, () => pool.run('collectGarbage', {})))
  collectGarbage()
}

/**
 * The task of a worker thread. What a WeakRef was asked for stays alive until the thread is back in its event loop, which a
 * thread that finds one task after the other is not: it is sent there first.
 */
export async function collectGarbageOfThread(): Promise<void> {
  await setImmediate()
  collectGarbage()
}

/** A full collection: 2 ms in the small heap of a worker. */
export function collectGarbage(): void {
  collector ??= findCollector()
  collector()
}

let collector: (() => void) | undefined

function findCollector(): () => void {
  try {
    setFlagsFromString('--expose-gc')
    return runInNewContext("typeof gc === 'function' ? gc : () => {}")
  } catch {
    return () => {}
  }
}
