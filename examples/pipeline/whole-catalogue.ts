import type { FeatureVocabulary } from '@seesaw/als-core'
import type { LoadedInteractions } from '@seesaw/loader'
import type { PayloadKind } from '../configuration/schema.ts'
import { columnsOf, type Evidence, type ItemPayload } from './payload.ts'
import { PayloadFile, type Values } from './payload-file.ts'

type Id = number | string
type Ids = LoadedInteractions['itemIds']

export interface WholeCatalogueOptions {
  /** Decides whether a record says anything that the model knows. */
  readonly vocabulary: FeatureVocabulary
  readonly payload: Readonly<Record<string, PayloadKind>>
  /** Folder for the file in which the payloads wait. */
  readonly directory: string
}

/**
 * Every item that is published with CATALOGUE=all, in ascending order of the ids: those that the model was trained on, those
 * of a few interactions, and those of the catalogue alone. Records go to a temporary file as they come; in memory an item takes
 * `ITEM_BYTES`, and its id about 40 bytes more where it is a string.
 */
export class WholeCatalogue {
  readonly #options: WholeCatalogueOptions
  readonly #file: PayloadFile
  readonly #ids: Id[] = []
  /** 1 for each record that has a feature of the vocabulary. */
  #isPlaced = new Uint8Array(1024)
  /** By row, after `finish`: the record (NONE without one), and the row of the model, or -1 - that of the rare items. */
  #records = new Uint32Array(0)
  #sources = new Int32Array(0)
  #trained: Ids = []
  #rare: LoadedInteractions['rare']
  #counts: ArrayLike<number> = []
  /** Items that nobody has and of which no feature is known: they have no vector and are not published. */
  unplaced = 0
  /** Records with the id of an earlier one, which counts. */
  repeated = 0

  constructor(options: WholeCatalogueOptions) {
    this.#options = options
    this.#file = new PayloadFile(options.directory)
  }

  /** Number of items, after `finish`. */
  get length(): number {
    return this.#records.length
  }

  /** Records so far. */
  get read(): number {
    return this.#file.length
  }

  add(id: Id, values: Values): void {
    const record = this.#file.append(values)
    if (record >= this.#isPlaced.length) {
      const longer = new Uint8Array(2 * this.#isPlaced.length)
      longer.set(this.#isPlaced)
      this.#isPlaced = longer
    }
    this.#ids.push(id)
    this.#isPlaced[record] = this.#options.vocabulary.rowOf(values, `Item ${id}`).indices.length > 0 ? 1 : 0
  }

  /** Puts the records and the items of the load into one order. Ids of the load ascend. */
  finish({
    itemIds,
    interactionCounts,
    rare,
  }: Pick<LoadedInteractions, 'itemIds' | 'interactionCounts' | 'rare'>): void {
    this.#file.flush()
    this.#trained = itemIds
    this.#counts = interactionCounts
    this.#rare = rare
    const order = ascending(this.#ids)
    const records = new Uint32Array(order.length + itemIds.length)
    const sources = new Int32Array(records.length)
    let length = 0
    let trained = 0
    let few = 0
    const put = (record: number, source: number) => {
      records[length] = record
      sources[length++] = source
    }
    for (let n = 0; n < order.length; n++) {
      const record = order[n]!
      const id = this.#ids[record]!
      if (n > 0 && compare(this.#ids[order[n - 1]!]!, id) === 0) {
        this.repeated++
        continue
      }
      while (trained < itemIds.length && compare(itemIds.at(trained)!, id) < 0) put(NONE, trained++)
      if (trained < itemIds.length && compare(itemIds.at(trained)!, id) === 0) {
        put(record, trained++)
        continue
      }
      while (rare && few < rare.itemIds.length && compare(rare.itemIds.at(few)!, id) < 0) few++
      const isRare = rare && few < rare.itemIds.length && compare(rare.itemIds.at(few)!, id) === 0
      if (isRare && rare.interactionCounts[few]! > 0) put(record, -1 - few)
      else if (this.#isPlaced[record] === 1) put(record, NEW)
      else this.unplaced++
    }
    while (trained < itemIds.length) put(NONE, trained++)
    this.#records = records.slice(0, length)
    this.#sources = sources.slice(0, length)
  }

  id(row: number): Id {
    const record = this.#records[row]!
    return record === NONE ? this.#trained.at(this.#sources[row]!)! : this.#ids[record]!
  }

  /** The row of an id, undefined where it is not published. */
  rowOf(id: Id): number | undefined {
    let [from, to] = [0, this.length]
    while (from < to) {
      const middle = (from + to) >>> 1
      const order = compare(this.id(middle), id)
      if (order === 0) return middle
      if (order < 0) from = middle + 1
      else to = middle
    }
    return undefined
  }

  evidence(row: number): Evidence {
    const source = this.#sources[row]!
    return source >= 0 ? 'trained' : source === NEW ? 'new' : 'rare'
  }

  /** Row of a trained item in the model, or of a rare item among the rare ones. */
  place(row: number): number {
    const source = this.#sources[row]!
    return source >= 0 ? source : -1 - source
  }

  /** The values of a row as the catalogue has them. */
  values(row: number): Values {
    const record = this.#records[row]!
    return record === NONE ? {} : this.#file.read(record)
  }

  /** Interactions of active users. */
  count(row: number): number {
    const evidence = this.evidence(row)
    if (evidence === 'new') return 0
    const place = this.place(row)
    return evidence === 'trained' ? this.#counts[place]! : this.#rare!.interactionCounts[place]!
  }

  payload(row: number): ItemPayload {
    return {
      item_id: this.id(row),
      ...columnsOf(this.values(row), this.#options.payload),
      interaction_count: this.count(row),
      evidence: this.evidence(row),
    }
  }

  close(): void {
    this.#file.close()
  }
}

/** Bytes in memory: the id and where its record is, its row, its source, and their order while they are sorted. */
export const ITEM_BYTES = 8 + 8 + 1 + 4 + 4 + 4

const NONE = 2 ** 32 - 1
const NEW = -(2 ** 31)

/** Places in ascending order of the ids, equal ones as they came. */
function ascending(ids: readonly Id[]): Uint32Array {
  const order = Uint32Array.from(ids.keys())
  for (let n = 1; n < ids.length; n++) {
    if (compare(ids[n - 1]!, ids[n]!) <= 0) continue
    return order.sort((a, b) => compare(ids[a]!, ids[b]!) || a - b)
  }
  return order
}

/** Integers by value, strings by their UTF-8 bytes, as the loader and the collection order them. */
function compare(a: Id, b: Id): number {
  if (typeof a === 'number' || typeof b === 'number') return Number(a) - Number(b)
  const length = Math.min(a.length, b.length)
  for (let i = 0; i < length; i++) {
    const [x, y] = [a.charCodeAt(i), b.charCodeAt(i)]
    // UTF-16 puts pairs of surrogates before U+E000; UTF-8 does not.
    if (x !== y) return (x >= 0xd800 && y >= 0xd800 ? (x >= 0xe000 ? 0 : 1) - (y >= 0xe000 ? 0 : 1) : 0) || x - y
  }
  return a.length - b.length
}
