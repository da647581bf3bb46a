import { availableParallelism } from 'node:os'
import { Piscina } from 'piscina'
import { packLargeViews } from './large-views.ts'
import { refuseUnknownNames } from './unknown-names.ts'

export interface WorkerPoolOptions {
  /** Worker threads. Default: all cores. */
  threads?: number
}

/**
 * Worker threads that run the shards of `train`, `Recommender` and `evaluate`. Make one and pass it to several calls to
 * pay for starting the threads once; whoever made it closes it.
 */
export interface WorkerPool {
  readonly threads: number
  /** Runs one of the tasks that the worker file names. */
  run<T>(task: string, message: unknown): Promise<T>
  /** The pool below, for its statistics. */
  readonly piscina: Piscina
  /** Ends the threads; work under way is lost. */
  close(): Promise<void>
}

/** Starts a pool. @throws RangeError when `threads` is not a whole number from 1 to 1024. */
export function createWorkerPool(options: WorkerPoolOptions = {}): WorkerPool {
  refuseUnknownNames('createWorkerPool', options, NAMES)
  const { threads = availableParallelism() } = options
  if (!(Number.isInteger(threads) && threads >= 1 && threads <= 1024)) {
    throw new RangeError(`threads is ${threads}, expected a whole number from 1 to 1024.`)
  }
  const piscina = new Piscina({
    filename: workerFile,
    minThreads: threads,
    maxThreads: threads,
    idleTimeout: Number.POSITIVE_INFINITY,
    concurrentTasksPerWorker: 1,
  })
  let closed = false
  return {
    threads,
    piscina,
    run: async (task, message) => {
      if (closed) throw new Error('This pool is closed: make another one with createWorkerPool.')
      return piscina.run({ task, message: packLargeViews(message) })
    },
    close: async () => {
      closed = true
      await piscina.destroy()
    },
  }
}

const NAMES = { threads: true } as const satisfies Record<keyof WorkerPoolOptions, true>

/** `../worker.ts` from source and under the test runner, `worker.js` when built and installed. */
const workerFile = new URL(`../worker${import.meta.url.slice(import.meta.url.lastIndexOf('.'))}`, import.meta.url).href
