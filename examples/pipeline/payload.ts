/** What a point in Qdrant says about an item: its id, how many users interacted with it, and the columns of the configuration. */
export interface ItemPayload {
  readonly item_id: number | string
  /** How many users had, wanted or rated it, of those that were kept. */
  readonly interaction_count: number
  readonly [column: string]: unknown
}

/** A value of a payload as a person reads it. */
export function asText(value: unknown): string {
  if (value === null || value === undefined) return ''
  if (Array.isArray(value)) return value.map(asText).join(', ')
  return typeof value === 'object' ? JSON.stringify(value) : String(value)
}

/** What a person calls an item: the first column of its payload that has text, or else its id. */
export function nameOf(item: ItemPayload, columns: readonly string[]): string {
  return asText(item[columns[0] ?? '']) || `item ${item.item_id}`
}
