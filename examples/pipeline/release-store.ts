import { closeSync, mkdtempSync, openSync, readSync, rmSync, writeSync } from 'node:fs'
import { tmpdir } from 'node:os'
import { join } from 'node:path'
import type { ItemRow } from '@seesaw/loader'
import type { ReleasePayload } from './payload.ts'

/** Columns of the releases that a payload is made of. */
export const releaseColumns: readonly string[] = ['title', 'year', 'country', 'artists', 'labels', 'genres', 'styles']

type Values = Record<string, unknown>

/**
 * Payloads by row of the model. They come in the order of the catalogue's files and are asked for in that of the rows,
 * so they wait in a temporary file: in memory there are 12 bytes an item.
 */
export class ReleaseStore {
  readonly #ids: { readonly length: number; at(row: number): number | string | undefined }
  readonly #counts: ArrayLike<number>
  readonly #folder: string
  readonly #file: number
  readonly #offsets: Float64Array
  readonly #lengths: Uint32Array
  #pending: Buffer[] = []
  #pendingBytes = 0
  #written = 0
  /** Releases whose metadata was found. */
  known = 0

  /**
   * @param ids id of each row
   * @param counts interactions of each row
   */
  constructor(
    ids: { readonly length: number; at(row: number): number | string | undefined },
    counts: ArrayLike<number>,
  ) {
    this.#ids = ids
    this.#counts = counts
    this.#offsets = new Float64Array(ids.length)
    this.#lengths = new Uint32Array(ids.length)
    this.#folder = mkdtempSync(join(tmpdir(), 'seesaw-releases-'))
    this.#file = openSync(join(this.#folder, 'payloads.jsonl'), 'w+')
    // However the program ends, kill -9 apart, the file goes.
    process.on('exit', this.#remove)
  }

  get length(): number {
    return this.#ids.length
  }

  add({ row, values }: ItemRow): void {
    const line = Buffer.from(JSON.stringify(values))
    this.#offsets[row] = this.#written + this.#pendingBytes
    this.#lengths[row] = line.length
    this.#pending.push(line)
    this.#pendingBytes += line.length
    this.known++
    if (this.#pendingBytes > 1 << 20) this.#flush()
  }

  /** The payload of a row; without metadata it has the id and the count alone. */
  payload(row: number): ReleasePayload {
    const values = this.#read(row)
    return {
      item_id: this.#ids.at(row)!,
      title: (values.title as string | undefined) ?? null,
      year: (values.year as number | undefined) ?? null,
      country: (values.country as string | undefined) ?? null,
      artists: toList(values.artists),
      labels: toList(values.labels),
      genres: toList(values.genres),
      styles: toList(values.styles),
      interaction_count: this.#counts[row]!,
    }
  }

  close(): void {
    process.off('exit', this.#remove)
    closeSync(this.#file)
    this.#remove()
  }

  readonly #remove = (): void => rmSync(this.#folder, { recursive: true, force: true })

  #read(row: number): Values {
    const length = this.#lengths[row]!
    if (length === 0) return {}
    this.#flush()
    const line = Buffer.allocUnsafe(length)
    readSync(this.#file, line, 0, length, this.#offsets[row]!)
    return JSON.parse(line.toString()) as Values
  }

  #flush(): void {
    if (this.#pendingBytes === 0) return
    this.#written += writeSync(this.#file, Buffer.concat(this.#pending), 0, this.#pendingBytes, this.#written)
    this.#pending = []
    this.#pendingBytes = 0
  }
}

/** A column with one value in place of a list counts as a list of one. */
function toList(value: unknown): string[] {
  if (value === undefined || value === null) return []
  return Array.isArray(value) ? value : [value as string]
}
