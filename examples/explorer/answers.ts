/** What the server answers and the page reads, as JSON. Parameters of the page's address are those of `/api/neighbours`. */

/** How near is meant: the angle between vectors, what people with these items like, or half-way between the two. */
export type Dial = 'likeness' | 'between' | 'taste'

/** An item of the catalogue. */
export interface Item {
  readonly id: string
  readonly name: string
  readonly artists: readonly string[]
  readonly year: number | null
  readonly country: string | null
  readonly genres: readonly string[]
  readonly styles: readonly string[]
  /** Interactions in the training data. */
  readonly interactions: number
  /** Share of the catalogue that has fewer interactions, from 0 to 1. */
  readonly popularity: number
}

export interface ScoredItem extends Item {
  /** Null where the list is of the best known. */
  readonly score: number | null
}

/** A program or command that gives the list on the screen. */
export interface Sample {
  readonly title: string
  readonly text: string
}

export interface Neighbours {
  readonly seeds: readonly Item[]
  readonly negatives: readonly Item[]
  /** The one in force: what was asked for, else likeness for one seed and taste for several. */
  readonly dial: Dial
  readonly items: readonly ScoredItem[]
  /** Bounds of the interactions that `popularity` became. */
  readonly interactions: { readonly min?: number; readonly max?: number }
  readonly milliseconds: number
  readonly samples: readonly Sample[]
}

/** What a seed adds to a score. */
export interface Share {
  readonly item: Item
  readonly share: number
  readonly negative: boolean
}

export interface Explanation {
  readonly score: number
  readonly shares: readonly Share[]
  /** Values that the item shares with seeds, by field. */
  readonly common: readonly { readonly field: string; readonly values: readonly string[] }[]
}

/** A value of a field and how many items have it. */
export interface Facet {
  readonly value: string
  readonly items: number
}

export interface Overview {
  /** Where answers come from. */
  readonly source: string
  readonly items: number
  readonly genres: readonly Facet[]
  readonly styles: readonly Facet[]
  readonly countries: readonly Facet[]
  readonly years: { readonly first: number; readonly last: number } | null
  readonly artists: boolean
  readonly dials: readonly Dial[]
}

/** Points of the map, one array per field. */
export interface MapPoints {
  readonly ids: readonly string[]
  readonly names: readonly string[]
  /** From -1500 to 1500. */
  readonly x: readonly number[]
  /** From -1000 to 1000. */
  readonly y: readonly number[]
  /** Place in `genres`, or their number for none of them. */
  readonly genre: readonly number[]
  readonly genres: readonly string[]
  /** Share of the catalogue with fewer interactions, in hundredths. */
  readonly popularity: readonly number[]
}
