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
