import { readFileSync } from 'node:fs'
import pMap from 'p-map'
import { Piscina } from 'piscina'
import { fromFailure, LoadError } from '../errors.ts'
import { packLargeViews } from './large-views.ts'
import { findDecoder, findWorker } from './locate.ts'
import type { Call, ReadTask, Reply, WorkerSetup } from './messages.ts'

// Several tasks a worker, so that one fetches while another decodes.
const TASKS_PER_WORKER = 3

let compiled: WebAssembly.Module | undefined

function compileDecoder(): WebAssembly.Module {
  return new WebAssembly.Module(readFileSync(findDecoder()))
}

/** A function of `worker.ts`, whose type gives those of its message and its result. */
type Task = (message: never) => unknown
type Message<F extends Task> = Parameters<F>[0]
type Result<F extends Task> = Awaited<ReturnType<F>>

interface WorkerPoolOptions {
  readonly remote: boolean
  readonly signal?: AbortSignal
  readonly workerUrl?: URL | string
}

/** The worker threads of one load. They hold its counts, so they live and die with it. */
export class WorkerPool {
  readonly threads: number
  readonly #pool: Piscina
  readonly #announcements: Int32Array<SharedArrayBuffer>
  readonly #signal: AbortSignal | undefined
  #running = 0

  /** `remote`: something will be read from S3, so that the threads load the client for it when they start. */
  constructor(threads: number, { remote, signal, workerUrl }: WorkerPoolOptions) {
    compiled ??= compileDecoder()
    this.threads = threads
    this.#signal = signal
    this.#announcements = new Int32Array(new SharedArrayBuffer(4 * (1 + 2 * threads + 16)))
    this.#pool = new Piscina({
      filename: findWorker(workerUrl),
      minThreads: threads,
      maxThreads: threads,
      concurrentTasksPerWorker: TASKS_PER_WORKER,
      // With waits on atomics a worker would sleep on its queue while its own fetches are under way.
      atomics: 'disabled',
      recordTiming: false,
      workerData: { module: compiled, announcements: this.#announcements, remote } satisfies WorkerSetup,
    })
    // Without a listener an error of a worker would end the process.
    this.#pool.on('error', () => {})
  }

  /** Runs a task per job, a few in flight per worker. The first error ends all. */
  async run<F extends Task, J>(
    task: string,
    jobs: readonly J[],
    toMessage: (job: J, index: number) => Message<F> | Promise<Message<F>>,
    onResult: (result: Result<F>, job: J, index: number) => void,
  ): Promise<void> {
    await pMap(jobs, async (job, index) => onResult(await this.one<F>(task, await toMessage(job, index)), job, index), {
      concurrency: this.threads * TASKS_PER_WORKER,
      signal: this.#signal,
    })
  }

  /** Workers started so far. */
  get started(): number {
    return this.#announcements[0]
  }

  /** Ends all work: after it nothing is written any more. On success there is none. */
  async settle(): Promise<void> {
    if (this.#running > 0) await this.#pool.destroy()
  }

  async close(): Promise<void> {
    await this.#pool.destroy()
  }

  async one<F extends Task>(task: string, message: Message<F>): Promise<Result<F>> {
    this.#signal?.throwIfAborted()
    let reply: Reply<Result<F>>
    this.#running++
    try {
      reply = await this.#pool.run({ task, message: packLargeViews(message) } satisfies Call)
    } catch (error) {
      throw this.#describeDeath(error as Error, message)
    } finally {
      this.#running--
    }
    if ('failure' in reply) throw fromFailure(reply.failure)
    return reply.result
  }

  /** A worker that dies takes its counts along, so the load ends; the announcements tell what it was reading. */
  #describeDeath(error: Error, message: Partial<ReadTask>): Error {
    const { id = -1, request } = message
    const reading = this.#announcements.subarray(1).includes(id + 1) ? request : undefined
    const where = reading === undefined ? '' : ` while reading ${reading.uri}, row group ${reading.group}`
    return new LoadError(
      'worker',
      `A worker thread ended${where}: ${error.message}. If memory ran out, use fewer threads or a memoryBudget.`,
      { file: reading?.uri, rowGroup: reading?.group },
      { cause: error },
    )
  }
}
