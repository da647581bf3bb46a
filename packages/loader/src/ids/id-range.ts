import type { IdKind } from './keys.ts'

/**
 * How rows are counted by id, decided before reading: `direct` where the statistics in the footers bound whole-number ids
 * to a range that is worth an array (1.5 ns per row), a hash table otherwise.
 */
export type IdRange =
  | { readonly way: 'direct'; readonly kind: 'integer'; readonly min: number; readonly size: number }
  | { readonly way: 'table'; readonly kind: IdKind }
