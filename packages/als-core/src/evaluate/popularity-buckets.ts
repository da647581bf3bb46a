import { countInteractions } from '../matrix/entries.ts'
import type { InteractionMatrix } from '../matrix/interaction-matrix.ts'

export interface PopularityBucket {
  name: string
  /** 1 for each item of the bucket, by item. */
  members: Uint8Array
  /** Number of items. */
  items: number
}

/**
 * Head, middle and tail: the most popular items that together hold a third of the training interactions, those that hold
 * the next third, and all others. Equally popular items are ordered by row.
 */
export function popularityBuckets(train: InteractionMatrix): PopularityBucket[] {
  const counts = countInteractions(train)
  const order = Uint32Array.from({ length: train.items }, (_, item) => item)
  order.sort((a, b) => counts[b] - counts[a] || a - b)
  const buckets = ['head', 'middle', 'tail'].map((name) => ({ name, members: new Uint8Array(train.items), items: 0 }))
  let before = 0
  for (const item of order) {
    const bucket = buckets[Math.min(2, Math.floor((3 * before) / Math.max(1, train.entries)))]
    bucket.members[item] = 1
    bucket.items++
    before += counts[item]
  }
  return buckets
}
