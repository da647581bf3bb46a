import { asText, type ItemPayload } from '../../pipeline/payload.ts'
import type { Item } from '../answers.ts'
import { ListColumn } from './list-column.ts'
import { TitleSearch } from './title-search.ts'

/** What an item must have; all that is given must hold. */
export interface ItemFilter {
  readonly genre?: string
  readonly style?: string
  readonly country?: string
  readonly from?: number
  readonly to?: number
  readonly interactions: { readonly min?: number; readonly max?: number }
}

/** Fields with words that a filter can ask for, by their columns in a payload. */
export const wordFields = { genre: 'genres', style: 'styles', country: 'country' } as const

export interface CatalogueOptions {
  readonly ids: { readonly length: number; at(row: number): number | string | undefined }
  /** Interactions of each row. */
  readonly counts: ArrayLike<number>
  /** In any order; items that are not in `ids` are passed over. */
  readonly payloads: AsyncIterable<ItemPayload>
}

/** What is known of the items, in columns by row. */
export class Catalogue {
  readonly #ids: CatalogueOptions['ids']
  readonly #rows: Map<string, number>
  readonly counts: ArrayLike<number>
  /** Rows, the one with most interactions first. */
  readonly byPopularity: Uint32Array
  readonly #names: string[]
  readonly #years: Int32Array
  readonly artists: ListColumn
  readonly columns: Readonly<Record<'genres' | 'styles' | 'country', ListColumn>>
  #search: TitleSearch | undefined

  private constructor({ ids, counts }: CatalogueOptions) {
    const rows = ids.length
    this.#ids = ids
    this.counts = counts
    this.#rows = new Map(Array.from({ length: rows }, (_, row) => [String(ids.at(row)), row]))
    this.byPopularity = Uint32Array.from({ length: rows }, (_, row) => row).sort(
      (a, b) => counts[b]! - counts[a]! || a - b,
    )
    this.#names = new Array<string>(rows).fill('')
    this.#years = new Int32Array(rows).fill(noYear)
    this.artists = new ListColumn(rows)
    this.columns = { genres: new ListColumn(rows), styles: new ListColumn(rows), country: new ListColumn(rows) }
  }

  static async read(options: CatalogueOptions): Promise<Catalogue> {
    const catalogue = new Catalogue(options)
    for await (const payload of options.payloads) catalogue.#add(payload)
    catalogue.#search = new TitleSearch(catalogue.byPopularity, (row) =>
      [catalogue.#nameOf(row), ...catalogue.artists.of(row)].join(' '),
    )
    return catalogue
  }

  get length(): number {
    return this.#ids.length
  }

  /** As the model and the collection have it: a number stays one. */
  idOf(row: number): number | string {
    return this.#ids.at(row)!
  }

  /** The row of an id as text; undefined when there is no such item. */
  rowOf(id: string): number | undefined {
    return this.#rows.get(id)
  }

  item(row: number): Item {
    return {
      id: String(this.idOf(row)),
      name: this.#nameOf(row),
      artists: this.artists.of(row),
      year: this.#years[row] === noYear ? null : this.#years[row]!,
      country: this.columns.country.of(row)[0] ?? null,
      genres: this.columns.genres.of(row),
      styles: this.columns.styles.of(row),
      interactions: this.counts[row]!,
      popularity: this.#shareBelow(this.counts[row]!),
    }
  }

  search(query: string, limit: number): Item[] {
    return this.#search!.find(query, limit).map((row) => this.item(row))
  }

  /** The number of interactions that a share of the items does not exceed: 0 is the least known, 1 the best known. */
  quantile(share: number): number {
    const last = this.length - 1
    return this.counts[this.byPopularity[last - Math.round(share * last)]!]!
  }

  /** First and last year. */
  years(): { first: number; last: number } | null {
    let [first, last] = [Number.POSITIVE_INFINITY, Number.NEGATIVE_INFINITY]
    for (const year of this.#years) {
      if (year === noYear) continue
      if (year < first) first = year
      if (year > last) last = year
    }
    return first <= last ? { first, last } : null
  }

  /** 1 for each row that has the words and years of a filter; undefined when it asks for none. Interactions are not looked at. */
  passing(filter: ItemFilter): Uint8Array | undefined {
    const words = (Object.keys(wordFields) as (keyof typeof wordFields)[]).filter(
      (field) => filter[field] !== undefined,
    )
    const { from, to } = filter
    const dated = from !== undefined || to !== undefined
    if (words.length === 0 && !dated) return undefined
    const rows = new Uint8Array(this.length).fill(1)
    for (const field of words) this.columns[wordFields[field]].keepRowsWith(filter[field]!, rows)
    if (dated) {
      const years = this.#years
      const [first, last] = [Math.max(from ?? noYear, noYear + 1), to ?? 2 ** 31]
      for (let row = 0; row < rows.length; row++) if (!(years[row]! >= first && years[row]! <= last)) rows[row] = 0
    }
    return rows
  }

  #add(payload: ItemPayload): void {
    const row = this.#rows.get(String(payload.item_id))
    if (row === undefined) return
    const title = Object.keys(payload).find((name) => name !== 'item_id' && name !== 'interaction_count')
    this.#names[row] = title === undefined ? '' : asText(payload[title])
    if (Number.isInteger(payload.year)) this.#years[row] = payload.year as number
    this.artists.set(row, wordsOf(payload.artists))
    for (const name of ['genres', 'styles', 'country'] as const) this.columns[name].set(row, wordsOf(payload[name]))
  }

  #nameOf(row: number): string {
    return this.#names[row] || `item ${this.idOf(row)}`
  }

  #shareBelow(count: number): number {
    let [low, high] = [0, this.length]
    while (low < high) {
      const middle = (low + high) >> 1
      if (this.counts[this.byPopularity[middle]!]! >= count) low = middle + 1
      else high = middle
    }
    return (this.length - low) / this.length
  }
}

const noYear = -(2 ** 31)

/** A column with one value in place of a list counts as a list of one. */
function wordsOf(value: unknown): string[] {
  return [value].flat().map(asText).filter(Boolean)
}
