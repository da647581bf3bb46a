import type { Payload, PayloadIndexes, PublishOptions, VectorStream, Vectors } from '../src/index.ts'

/** Indexes for the fields of `release`. */
export const catalogueIndexes: PayloadIndexes = {
  item_id: { type: 'integer', lookup: true, range: false },
  year: { type: 'integer', lookup: true, range: true },
  ...Object.fromEntries(['country', 'genres', 'styles', 'artists', 'labels'].map((field) => [field, 'keyword'])),
  interaction_count: { type: 'integer', lookup: false, range: true },
}

/** Settings that make a publication quick enough for a test; a caller sets its own on top. */
export const quick: Partial<PublishOptions> = {
  indexes: catalogueIndexes,
  batchSize: 10,
  verifySample: 20,
  pollInterval: 10,
  graceDelay: 0,
  heartbeatInterval: 50,
  abortDeadline: 3_000,
  retry: { retries: 4, minDelay: 5, maxDelay: 50 },
}

const styles = ['House', 'Techno', 'Dub', 'Bop', 'Ballad']
const countries = ['US', 'UK', 'Germany', 'Jamaica']

/** A small catalogue: rows × dimension seeded vectors in five clusters, one per style, and payloads in the schema of the product. */
export function catalogue(
  rows: number,
  dimension: number = 8,
  seed: number = 1,
): { vectors: Vectors; payloads: (row: number) => Payload } {
  const next = generator(seed)
  const centres = styles.map(() => Float32Array.from({ length: dimension }, () => next() * 2 - 1))
  const data = new Float32Array(rows * dimension)
  for (let row = 0; row < rows; row++) {
    const centre = centres[row % styles.length]
    for (let column = 0; column < dimension; column++)
      data[row * dimension + column] = centre[column] + 0.2 * (next() - 0.5)
  }
  const ids = Uint32Array.from({ length: rows }, (_, row) => row + 1)
  return { vectors: { ids, data, dimension }, payloads: (row) => release(row) }
}

export function release(row: number): Payload {
  return {
    item_id: row + 1,
    title: `Release ${row + 1}`,
    year: 1970 + (row % 50),
    country: countries[row % countries.length],
    artists: [`Artist ${row % 7}`, ...(row % 3 === 0 ? [`Guest ${row % 4}`] : [])],
    labels: [`Label ${row % 6}`],
    genres: [row % styles.length < 3 ? 'Electronic' : 'Jazz'],
    styles: [styles[row % styles.length]],
    interaction_count: (row * 37) % 1000,
  }
}

/** A catalogue whose every payload says which publication it belongs to. */
export function tagged(rows: number, seed: number): { vectors: Vectors; payloads: (row: number) => Payload } {
  const { vectors } = catalogue(rows, 4, seed)
  return { vectors, payloads: (row) => ({ ...release(row), seed }) }
}

/** The same points as a stream in batches of `size`, which uses the memory of a batch again for the next one. */
export function streamOf(
  { ids, data, dimension, distance }: Vectors,
  size: number,
  onStart?: (start: number) => void,
): VectorStream {
  return {
    points: ids.length,
    dimension,
    ...(distance && { distance }),
    fingerprint: `test ${data[0]}`,
    *batches(start) {
      onStart?.(start)
      const memory = new Float32Array(size * dimension)
      for (let from = start; from < ids.length; from += size) {
        const to = Math.min(ids.length, from + size)
        memory.set(data.subarray(from * dimension, to * dimension))
        yield {
          ids: Array.from({ length: to - from }, (_, i) => ids.at(from + i) as number),
          data: memory.subarray(0, (to - from) * dimension),
        }
        memory.fill(Number.NaN)
      }
    },
  }
}

/** mulberry32 */
function generator(seed: number): () => number {
  let state = seed
  return () => {
    state = (state + 0x6d2b79f5) | 0
    let t = Math.imul(state ^ (state >>> 15), 1 | state)
    t = (t + Math.imul(t ^ (t >>> 7), 61 | t)) ^ t
    return ((t ^ (t >>> 14)) >>> 0) / 4294967296
  }
}
