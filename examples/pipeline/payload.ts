import type { PayloadIndexes } from '@seesaw/qdrant-sink'

/** What a point in Qdrant says about a release, and what a table shows of it. */
export interface ReleasePayload {
  readonly item_id: number | string
  readonly title: string | null
  readonly year: number | null
  readonly country: string | null
  readonly artists: readonly (string | number)[]
  readonly labels: readonly (string | number)[]
  readonly genres: readonly string[]
  readonly styles: readonly string[]
  /** How many users had, wanted or rated it, of those that were kept. */
  readonly interaction_count: number
}

/** Payload indexes: what filters, score formulas and groups use. */
export const releaseIndexes: PayloadIndexes = {
  item_id: { type: 'integer', lookup: true, range: false },
  year: { type: 'integer', lookup: true, range: true },
  country: 'keyword',
  genres: 'keyword',
  styles: 'keyword',
  artists: 'keyword',
  labels: 'keyword',
  interaction_count: { type: 'integer', lookup: false, range: true },
}
