/**
 * The record shop: what its users have, want and rate, and its catalogue of releases. Copy this file to the folder you
 * run from and change it, or name another one by `--config`. Environment variables win over what stands here: a source
 * gets its place from the variable of its name, `HAVES=s3://record-shop/haves/`.
 */
import { defineConfig } from './configuration/schema.ts'

const ids = { user: 'user_id', item: 'release_id' }

export default defineConfig({
  // Owning counts most, then a good rating, then wanting. Several signals for one pair: the largest counts.
  sources: [
    { name: 'haves', ...ids, confidence: 3, sample: 0.1 },
    { name: 'wants', ...ids, confidence: 1.5, sample: 0.1 },
    // Ratings of 1 and 2 are left out.
    { name: 'ratings', ...ids, confidence: { column: 'rating', values: { 5: 5, 4: 4, 3: 2 } }, sample: 0.1 },
  ],
  thresholds: { user: 20, item: 50 },
  items: {
    name: 'releases',
    id: 'release_id',
    payload: {
      title: 'value',
      artists: 'list',
      year: 'value',
      styles: 'list',
      labels: 'list',
      country: 'value',
      genres: 'list',
    },
    // With FEATURES=year a year counts by its half-decade; 0 is how catalogues say that it is not known.
    buckets: { year: { bucket: 5, minimum: 1860 } },
    // What filters, score formulas and groups use.
    indexes: {
      year: { type: 'integer', lookup: true, range: true },
      country: 'keyword',
      genres: 'keyword',
      styles: 'keyword',
      artists: 'keyword',
      labels: 'keyword',
    },
  },
  training: { factors: 128, iterations: 15, regularization: 0.1 },
})
