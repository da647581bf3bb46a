/**
 * Buffers that are used again: fresh ones of a row group's size cost a page fault for every 4 KB and a garbage collection for
 * every few. Resizable, because the decoder takes a buffer for as long as it is.
 */
export class BufferPool {
  readonly #free: ArrayBuffer[] = []

  take(length: number): Uint8Array<ArrayBuffer> {
    const at = this.#free.findIndex(({ maxByteLength }) => maxByteLength >= length)
    // One that is too small makes room for one that is not.
    const [found] = this.#free.splice(Math.max(at, 0), 1)
    const buffer = at < 0 ? new ArrayBuffer(length, { maxByteLength: Math.ceil(length * 1.25) }) : found
    buffer.resize(length)
    return new Uint8Array(buffer)
  }

  give(bytes: Uint8Array<ArrayBuffer>): void {
    this.#free.push(bytes.buffer)
  }
}
