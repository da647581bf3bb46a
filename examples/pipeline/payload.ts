import type { PayloadKind } from '../configuration/schema.ts'

/** What a point in Qdrant says about an item: its id, how many users interacted with it, and the columns of the configuration. */
export interface ItemPayload {
  readonly item_id: number | string
  /** How many users had, wanted or rated it, of those that were kept. */
  readonly interaction_count: number
  /**
   * With CATALOGUE=all, what its vector was made of: its interactions in the training, a few interactions and its features, or
   * its features alone.
   */
  readonly evidence?: Evidence
  readonly [column: string]: unknown
}

export type Evidence = 'trained' | 'rare' | 'new'

/** The columns of a payload: null or an empty list where the catalogue has nothing. */
export function columnsOf(
  values: Readonly<Record<string, unknown>>,
  payload: Readonly<Record<string, PayloadKind>>,
): Record<string, unknown> {
  return Object.fromEntries(
    Object.entries(payload).map(([name, kind]) => [
      name,
      kind === 'list' ? toList(values[name]) : (values[name] ?? null),
    ]),
  )
}

/** A column with one value in place of a list counts as a list of one. */
function toList(value: unknown): unknown[] {
  if (value === undefined || value === null) return []
  return Array.isArray(value) ? value : [value]
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
