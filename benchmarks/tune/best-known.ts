import type { DataSet } from './data-sets.ts'
import type { Point } from './wide-search.ts'

/**
 * The best Recall@20 on the test part that is known with 64 factors, and settings that come near it.
 *
 * MovieLens, Last.fm, Amazon CDs: of the wide search (`--part search`) over objective, α0 or alpha, λ, ν and the popularity
 * exponent. 57, 60 and 9 settings were measured on a fifth of what is known, and 12, 1 and 1 of them on the test part; more
 * would find better ones. Gowalla: that of docs/quality.md, 64 factors and 6 iterations, from before there was momentum; the
 * best of 19 settings of the search has 0.1524.
 */
export const bestKnown: Record<DataSet, { recall20: number; point: Point }> = {
  'ml-latest-small': {
    recall20: 0.2541,
    point: { objective: 'ials', unobserved: 20, lambda: 0.01, nu: 1, exponent: 0.25 },
  },
  'lastfm-hetrec': {
    recall20: 0.2845,
    point: { objective: 'hkv', unobserved: 15.1, lambda: 0.0221, nu: 1, exponent: 0.38 },
  },
  gowalla: {
    recall20: 0.1584,
    point: { objective: 'ials', unobserved: 20, lambda: 0.005, nu: 1, exponent: 0.25 },
  },
  'amazon-cds': {
    recall20: 0.1435,
    point: { objective: 'ials', unobserved: 20, lambda: 0.005, nu: 1, exponent: 0.25 },
  },
}
