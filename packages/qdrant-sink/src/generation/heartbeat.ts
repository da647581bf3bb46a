import { SupersededError } from '../errors.ts'
import type { Connection } from '../server/connection.ts'
import { type GenerationRecord, readRecord, writeRecord } from './record.ts'

/**
 * Keeps the record of a collection that is being loaded: says every `interval` milliseconds that its run is alive and how far it has
 * come, and notices when another run has taken the collection over. Writes go one after the other.
 */
export class Heartbeat {
  readonly record: GenerationRecord
  readonly #connection: Connection
  readonly #collection: string
  readonly #timer: NodeJS.Timeout
  #last: Promise<void> = Promise.resolve()
  #stopped = false

  constructor(
    connection: Connection,
    collection: string,
    record: GenerationRecord,
    options: { interval: number; signal: AbortSignal; onLost(error: SupersededError): void },
  ) {
    this.#connection = connection
    this.#collection = collection
    this.record = record
    let beating = false
    this.#timer = setInterval(() => {
      if (beating || options.signal.aborted) return
      beating = true
      this.#beat(options.signal)
        .catch((error) => {
          // A missed beat costs nothing; six in a row make the run look dead, and the uploads will have failed by then.
          if (error instanceof SupersededError) options.onLost(error)
        })
        .finally(() => {
          beating = false
        })
    }, options.interval)
    this.#timer.unref()
  }

  /** Changes the record and writes it. */
  async update(change: Partial<GenerationRecord>, signal?: AbortSignal): Promise<void> {
    Object.assign(this.record, change)
    const write = (): Promise<void> =>
      writeRecord(this.#connection, this.#collection, this.record, signal && { signal })
    this.#last = this.#last.then(write, write)
    return this.#last
  }

  /** Stops beating. What is written after it stays: a beat under way has been written by then, or never will be. */
  async stop(): Promise<void> {
    this.#stopped = true
    clearInterval(this.#timer)
    await this.#last.catch(() => {})
  }

  async #beat(signal: AbortSignal): Promise<void> {
    const stored = await readRecord(this.#connection, this.#collection, { signal })
    if (this.#stopped) return
    if (stored?.run !== this.record.run || stored.state === 'deleting') {
      throw new SupersededError(
        `The unfinished collection ${this.#collection} was ${stored ? `taken over by run ${stored.run}` : 'deleted by somebody else'}. This run ends; nothing was swapped.`,
        { step: 'upload', collection: this.#collection },
      )
    }
    await this.update({ heartbeat: Date.now() }, signal)
  }
}
