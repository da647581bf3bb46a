import { type FileHandle, open } from 'node:fs/promises'
import { setTimeout } from 'node:timers/promises'
import { type RecordBatch, RecordBatchFileWriter, type Schema } from 'apache-arrow'

/** An Arrow IPC file that is written a record batch at a time, never with more than two of them on their way to the disk. */
export class ArrowFile {
  readonly #writer = new RecordBatchFileWriter()
  readonly #drained: Promise<void>
  #begun = false
  #queued = 0
  #written = 0
  #failed = false

  private constructor(file: FileHandle) {
    // The writer queues chunks as batches are written.
    const chunks = this.#writer[Symbol.asyncIterator]()
    this.#drained = (async () => {
      for (let next = await chunks.next(); !next.done; next = await chunks.next()) {
        await file.writeFile(next.value)
        this.#written += next.value.byteLength
      }
    })()
    // Awaited in `finish`; until then a failure must not count as unhandled.
    this.#drained.catch(() => {
      this.#failed = true
    })
  }

  /** Makes a file, hands it to `write` and closes it, flushed to the disk. Returns its size and what `write` returns. */
  static async create<T>(path: string, write: (file: ArrowFile) => Promise<T>): Promise<{ bytes: number; result: T }> {
    const handle = await open(path, 'wx')
    const file = new ArrowFile(handle)
    try {
      const result = await write(file)
      file.#writer.finish()
      await file.#drained
      await handle.sync()
      return { bytes: (await handle.stat()).size, result }
    } catch (error) {
      file.#writer.abort(error)
      await file.#drained.catch(() => {})
      throw error
    } finally {
      await handle.close()
    }
  }

  /** Before the first batch, or for a file without any. */
  begin(schema: Schema): void {
    if (!this.#begun) this.#writer.reset(undefined, schema)
    this.#begun = true
  }

  /** Writes a batch, which takes at least so many bytes in the file, and waits while more than two are on their way. */
  async write(batch: RecordBatch, bytes: number): Promise<void> {
    this.begin(batch.schema)
    this.#writer.write(batch)
    this.#queued += bytes
    while (this.#queued - this.#written > 2 * bytes && !this.#failed) await setTimeout(1)
  }
}
