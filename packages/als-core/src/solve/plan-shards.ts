/** Runs of rows, for one phase on one side. */
export interface Shards {
  readonly count: number
  /** [first row, end row) of each shard, two numbers per shard. */
  readonly bounds: Float64Array<SharedArrayBuffer>
}

/** Entries of a shard: large enough that its start is free, small enough for eight threads to end together. */
const ENTRIES = { min: 1 << 14, max: 1 << 21, shards: 128 }
/** Most rows of a shard to solve: as many are kept per thread until it is done. */
export const SHARD_ROWS = 4096

/**
 * Cuts a side into runs of rows of about equal numbers of entries; a row is never cut. Longest first, so that no thread
 * is left alone with a long shard at the end. Depends on the matrix alone, never on the number of threads.
 */
export function planSolveShards(indptr: Float64Array, mostRows: number = SHARD_ROWS): Shards {
  const rows = indptr.length - 1
  const target = Math.min(Math.max(indptr[rows] / ENTRIES.shards, ENTRIES.min), ENTRIES.max)
  const runs: [number, number][] = []
  for (let first = 0; first < rows; ) {
    let end = first + 1
    while (end < rows && end - first < mostRows && indptr[end + 1] - indptr[first] <= target) end++
    runs.push([first, end])
    first = end
  }
  const entries = ([first, end]: [number, number]) => indptr[end] - indptr[first]
  return toShards(runs.sort((a, b) => entries(b) - entries(a) || a[0] - b[0]))
}

/** Maximum number of shards of a Gram matrix, a float64 partial sum of k×k each: fewer for large k. */
export function maxGramShards(factors: number): number {
  return factors <= 256 ? 16 : 8
}

/** Cuts `rows` into at most `max` equal runs of at least 512 rows. */
export function planRowShards(rows: number, max: number): Shards {
  const count = Math.max(1, Math.min(max, Math.floor(rows / 512)))
  return toShards(
    Array.from({ length: count }, (_, s) => [Math.floor((s * rows) / count), Math.floor(((s + 1) * rows) / count)]),
  )
}

function toShards(runs: [number, number][]): Shards {
  const bounds = new Float64Array(new SharedArrayBuffer(runs.length * 16))
  runs.forEach((run, s) => {
    bounds.set(run, 2 * s)
  })
  return { count: runs.length, bounds }
}
