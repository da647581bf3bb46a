import type { ItemRow } from '@seesaw/loader'
import type { PayloadKind } from '../configuration/schema.ts'
import { columnsOf, type Evidence, type ItemPayload } from './payload.ts'
import { PayloadFile, type Values } from './payload-file.ts'

export interface ItemStoreOptions {
  /** Id of each row. */
  readonly ids: { readonly length: number; at(row: number): number | string | undefined }
  /** Interactions of each row. */
  readonly counts: ArrayLike<number>
  /** Columns of the payload. */
  readonly payload: Readonly<Record<string, PayloadKind>>
  /** What a payload says its vector was made of, where it says so. */
  readonly evidence?: Evidence
  /** Folder for the file in which the payloads wait. */
  readonly directory: string
}

/**
 * Payloads by row of the model. They come in the order of the catalogue's files and are asked for in that of the rows,
 * so they wait in a temporary file: in memory there are 12 bytes per item.
 */
export class ItemStore {
  readonly #options: ItemStoreOptions
  readonly #file: PayloadFile
  /** Number in the file of each row's values, and one more; 0 for none. */
  readonly #places: Uint32Array

  constructor(options: ItemStoreOptions) {
    this.#options = options
    this.#file = new PayloadFile(options.directory)
    this.#places = new Uint32Array(options.ids.length)
  }

  get length(): number {
    return this.#options.ids.length
  }

  /** Items whose metadata was found. */
  get known(): number {
    return this.#file.length
  }

  /** Interactions of each row. */
  get counts(): ArrayLike<number> {
    return this.#options.counts
  }

  /** Bytes in the temporary file. */
  get bytes(): number {
    return this.#file.bytes
  }

  add({ row, values }: ItemRow): void {
    this.#places[row] = this.#file.append(values) + 1
  }

  /** The values of a row as the catalogue has them; undefined without metadata. */
  values(row: number): Values | undefined {
    const place = this.#places[row]!
    return place === 0 ? undefined : this.#file.read(place - 1)
  }

  /** The payload of a row; without metadata it has the id, the count, and nothing in its columns. */
  payload(row: number): ItemPayload {
    const { ids, counts, payload, evidence } = this.#options
    return {
      item_id: ids.at(row)!,
      ...columnsOf(this.values(row) ?? {}, payload),
      interaction_count: counts[row]!,
      ...(evidence && { evidence }),
    }
  }

  /** Writes what waits to the file. */
  flush(): void {
    this.#file.flush()
  }

  close(): void {
    this.#file.close()
  }
}
