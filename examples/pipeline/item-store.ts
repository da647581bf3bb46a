import { closeSync, mkdtempSync, openSync, readSync, rmSync, writeSync } from 'node:fs'
import { join } from 'node:path'
import type { ItemRow } from '@seesaw/loader'
import type { PayloadKind } from '../configuration/schema.ts'
import type { ItemPayload } from './payload.ts'

type Values = Record<string, unknown>

export interface ItemStoreOptions {
  /** Id of each row. */
  readonly ids: { readonly length: number; at(row: number): number | string | undefined }
  /** Interactions of each row. */
  readonly counts: ArrayLike<number>
  /** Columns of the payload. */
  readonly payload: Readonly<Record<string, PayloadKind>>
  /** Folder for the file in which the payloads wait. */
  readonly directory: string
}

/**
 * Payloads by row of the model. They come in the order of the catalogue's files and are asked for in that of the rows,
 * so they wait in a temporary file: in memory there are 12 bytes per item.
 */
export class ItemStore {
  readonly #options: ItemStoreOptions
  readonly #file: number
  readonly #offsets: Float64Array
  readonly #lengths: Uint32Array
  #pending: Buffer[] = []
  #pendingBytes = 0
  #written = 0
  /** Items whose metadata was found. */
  known = 0

  constructor(options: ItemStoreOptions) {
    this.#options = options
    this.#offsets = new Float64Array(options.ids.length)
    this.#lengths = new Uint32Array(options.ids.length)
    const folder = mkdtempSync(join(options.directory, 'seesaw-items-'))
    this.#file = openSync(join(folder, 'payloads.jsonl'), 'w+')
    // The file has no name from here on, and goes with the process however that ends.
    rmSync(folder, { recursive: true, force: true })
  }

  get length(): number {
    return this.#options.ids.length
  }

  /** Interactions of each row. */
  get counts(): ArrayLike<number> {
    return this.#options.counts
  }

  /** Bytes in the temporary file. */
  get bytes(): number {
    return this.#written + this.#pendingBytes
  }

  add({ row, values }: ItemRow): void {
    const line = Buffer.from(JSON.stringify(values))
    this.#offsets[row] = this.bytes
    this.#lengths[row] = line.length
    this.#pending.push(line)
    this.#pendingBytes += line.length
    this.known++
    if (this.#pendingBytes > 1 << 20) this.flush()
  }

  /** The payload of a row; without metadata it has the id, the count, and nothing in its columns. */
  payload(row: number): ItemPayload {
    const { ids, counts, payload } = this.#options
    const values = this.#read(row)
    const columns = Object.entries(payload).map(([name, kind]) => [
      name,
      kind === 'list' ? toList(values[name]) : (values[name] ?? null),
    ])
    return { item_id: ids.at(row)!, ...Object.fromEntries(columns), interaction_count: counts[row]! }
  }

  close(): void {
    closeSync(this.#file)
  }

  #read(row: number): Values {
    const length = this.#lengths[row]!
    if (length === 0) return {}
    this.flush()
    const line = Buffer.allocUnsafe(length)
    readSync(this.#file, line, 0, length, this.#offsets[row]!)
    return JSON.parse(line.toString()) as Values
  }

  /** Writes what waits; a full disk may take less than all of a write. */
  flush(): void {
    const bytes = this.#pending.length === 1 ? this.#pending[0]! : Buffer.concat(this.#pending)
    for (let at = 0; at < bytes.length; ) at += writeSync(this.#file, bytes, at, bytes.length - at, this.#written + at)
    this.#written += bytes.length
    this.#pending = []
    this.#pendingBytes = 0
  }
}

/** A column with one value in place of a list counts as a list of one. */
function toList(value: unknown): unknown[] {
  if (value === undefined || value === null) return []
  return Array.isArray(value) ? value : [value]
}
