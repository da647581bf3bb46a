import { closeSync, mkdtempSync, openSync, readSync, rmSync, writeSync } from 'node:fs'
import { join } from 'node:path'

export type Values = Record<string, unknown>

/**
 * Metadata that wait in a temporary file until they are asked for by their number, which is that of their coming: in memory
 * there are 8 bytes for each.
 */
export class PayloadFile {
  readonly #file: number
  /** Where each begins; it ends where the next one does. */
  #offsets = new Float64Array(1024)
  #pending: Buffer[] = []
  #pendingBytes = 0
  #written = 0
  length = 0

  constructor(directory: string) {
    const folder = mkdtempSync(join(directory, 'seesaw-items-'))
    this.#file = openSync(join(folder, 'payloads.jsonl'), 'w+')
    // The file has no name from here on, and goes with the process however that ends.
    rmSync(folder, { recursive: true, force: true })
  }

  /** Bytes in the temporary file. */
  get bytes(): number {
    return this.#written + this.#pendingBytes
  }

  /** Returns the number of the values. */
  append(values: Values): number {
    const line = Buffer.from(JSON.stringify(values, writeBigint))
    this.#pending.push(line)
    this.#pendingBytes += line.length
    const number = this.length++
    if (this.length >= this.#offsets.length) {
      const longer = new Float64Array(2 * this.#offsets.length)
      longer.set(this.#offsets)
      this.#offsets = longer
    }
    this.#offsets[this.length] = this.bytes
    if (this.#pendingBytes > 1 << 20) this.flush()
    return number
  }

  read(number: number): Values {
    this.flush()
    const from = this.#offsets[number]!
    const line = Buffer.allocUnsafe(this.#offsets[number + 1]! - from)
    readSync(this.#file, line, 0, line.length, from)
    return JSON.parse(line.toString()) as Values
  }

  /** Writes what waits; a full disk may take less than all of a write. */
  flush(): void {
    if (this.#pending.length === 0) return
    const bytes = this.#pending.length === 1 ? this.#pending[0]! : Buffer.concat(this.#pending)
    for (let at = 0; at < bytes.length; ) at += writeSync(this.#file, bytes, at, bytes.length - at, this.#written + at)
    this.#written += bytes.length
    this.#pending = []
    this.#pendingBytes = 0
  }

  close(): void {
    closeSync(this.#file)
  }
}

/** Integers beyond 2^53 are read back as strings, which lose no digit. */
function writeBigint(_key: string, value: unknown): unknown {
  return typeof value === 'bigint' ? String(value) : value
}
