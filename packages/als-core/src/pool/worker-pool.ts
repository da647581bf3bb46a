import { existsSync } from 'node:fs'
import { availableParallelism } from 'node:os'
import { fileURLToPath, pathToFileURL } from 'node:url'
import { Piscina } from 'piscina'
import { refuseUnknownNames } from '../checks/unknown-names.ts'
import { integer } from '../checks/values.ts'
import { packLargeViews } from './large-views.ts'

export interface WorkerPoolOptions {
  /** Worker threads. Default: all cores. */
  threads?: number
  /**
   * Where the worker file is, for programs that are bundled: the bundle of `@seesaw/als-core/worker`, as an absolute URL or
   * path. Default: the worker file of this package.
   */
  workerUrl?: URL | string
}

/**
 * Worker threads that run the shards of `train`, `Recommender` and `evaluate`. Make one and pass it to several calls so
 * that threads are started once; whoever made it closes it.
 */
export interface WorkerPool {
  readonly threads: number
  /** Runs one of the tasks that the worker file names. */
  run<T>(task: string, message: unknown): Promise<T>
  /** The pool below, for its statistics. */
  readonly piscina: Piscina
  /** Ends the threads; running work is lost. */
  close(): Promise<void>
}

/**
 * Starts a pool.
 *
 * @throws OptionError when `threads` is not an integer from 1 to 1024; Error when the worker file is not there, or the
 * threads cannot be started, as in a bundle that has swallowed them
 */
export function createWorkerPool(options: WorkerPoolOptions = {}): WorkerPool {
  refuseUnknownNames('createWorkerPool', options, NAMES)
  const { threads = availableParallelism() } = options
  integer('threads', threads, 1, 1024)
  const piscina = startThreads(findWorker(options.workerUrl), threads)
  let closed = false
  let worked = false
  let failure: Error | undefined
  // Without a listener an error of a thread would end the process. Before any task has ended, every thread will have it.
  piscina.on('error', (error) => {
    if (worked || closed) return
    failure ??= cannotStart(error)
    void piscina.destroy()
  })
  return {
    threads,
    piscina,
    run: async (task, message) => {
      if (failure) throw failure
      if (closed) throw new Error('This pool is closed: make another one with createWorkerPool.')
      try {
        const result = await piscina.run({ task, message: packLargeViews(message) })
        worked = true
        return result
      } catch (error) {
        if (!worked && /MODULE_NOT_FOUND/.test((error as NodeJS.ErrnoException).code ?? '')) {
          failure ??= cannotStart(error as Error)
        }
        throw failure ?? error
      }
    },
    close: async () => {
      closed = true
      await piscina.destroy()
    },
  }
}

/** Runs `work` on the pool of the options, or on one of its own that is closed afterwards. */
export async function withPool<T>(
  { pool, threads }: { pool?: WorkerPool; threads?: number },
  work: (pool: WorkerPool) => Promise<T>,
): Promise<T> {
  const workers = pool ?? createWorkerPool({ threads })
  try {
    return await work(workers)
  } finally {
    if (!pool) await workers.close()
  }
}

const NAMES = { threads: true, workerUrl: true } as const satisfies Record<keyof WorkerPoolOptions, true>

function startThreads(filename: string, threads: number): Piscina {
  try {
    return new Piscina({
      filename,
      minThreads: threads,
      maxThreads: threads,
      idleTimeout: Number.POSITIVE_INFINITY,
      concurrentTasksPerWorker: 1,
    })
  } catch (error) {
    throw cannotStart(error as Error)
  }
}

function cannotStart(error: Error): Error {
  return new Error(`The worker threads cannot be started: ${error.message}. ${IN_A_BUNDLE}`, { cause: error })
}

/** `../worker.ts` from source and under the test runner, `worker.js` when built and installed. @throws when it is not there */
function findWorker(workerUrl: URL | string | undefined): string {
  // Undefined in a CommonJS bundle.
  const here = import.meta.url as string | undefined
  if (!workerUrl && !here) throw new Error(`The worker file cannot be found from a CommonJS bundle. ${IN_A_BUNDLE}`)
  const url = toUrl(workerUrl ?? new URL(`../worker${here!.slice(here!.lastIndexOf('.'))}`, here))
  if (url.protocol === 'file:' && !existsSync(url)) {
    throw new Error(`The worker file is not at ${fileURLToPath(url)}. ${IN_A_BUNDLE}`)
  }
  return url.href
}

function toUrl(place: URL | string): URL {
  if (place instanceof URL) return place
  return /^[a-z][a-z+.-]+:/i.test(place) ? new URL(place) : pathToFileURL(place)
}

const IN_A_BUNDLE =
  "In a bundled program, bundle @seesaw/als-core/worker to a file of its own, leave piscina unbundled (external), and make the pool with createWorkerPool({ workerUrl: new URL('./worker.js', import.meta.url) }): see the README."
