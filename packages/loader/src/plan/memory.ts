import type { IdRange } from '../ids/id-range.ts'
import { KeyTable } from '../ids/key-table.ts'
import { MAX_BUCKETS } from '../matrix/buckets.ts'
import { mergerBytes, scatterBytes, stagedBytes } from '../matrix/row-bytes.ts'
import { STAGE_ROWS } from '../matrix/stage.ts'

/** Bytes at the peak of a load, by what holds them. An upper bound, as if every row that is sampled stayed. */
export interface MemoryPlan {
  /** Node, parquet-wasm and the row groups in flight: there whatever the input. */
  readonly runtime: number
  /** Counts and rows by id, and the ids themselves. */
  readonly ids: number
  /** Buffers of the workers, and what scattering needs beyond the matrix. */
  readonly working: number
  /** Both orientations of the matrix, and times, which are returned. */
  readonly result: number
  readonly total: number
}

export interface MemoryInput {
  readonly rows: number
  readonly users: IdRange
  readonly items: IdRange
  readonly threads: number
  readonly coded: boolean
  readonly timed: boolean
  /** Whether times are returned. */
  readonly keepTimes: boolean
  /** Whether a moment divides the rows into two matrices. */
  readonly divided: boolean
  /** Whether items below the threshold are handed out too. */
  readonly rareItems: boolean
  /** Largest compressed and uncompressed row group, only the columns read. */
  readonly rowGroupBytes: number
  /** Whether anything is read from S3. */
  readonly remote: boolean
}

// Measured: 151, 179 and 232 MB with 1, 2 and 4 threads and 1,000 rows; the rest of a thread's is the decoder's memory.
const BASE_BYTES = 110e6
const THREAD_BYTES = 28e6
// The SDK's modules and its buffers in flight, until they are collected: 546 to 633 MB over twenty loads with 2 threads, where
// the same files on disk took 435. More where the machine is busy.
const S3_THREAD_BYTES = 85e6

/**
 *   runtime = 110 MB + threads · (28 MB + 4 · row group, + 85 MB from S3)
 *   ids     = per side: (5 B · threads + 8 B) · range, or the hash tables of all threads and their sum (+ 12 B a user divided)
 *   working = 2 B · rows (+ 8 B with times that are not returned, + 5 or 8 B divided) + threads · (stage + one bucket)
 *             with rare items no less than 5 or 8 B · rows for the first term: a copy of one orientation, after the others
 *   result  = 2 · (4 + 1 or 4) B · rows
 */
export function planMemory(input: MemoryInput): MemoryPlan {
  const { rows, users, items, threads, coded, timed, keepTimes, divided, rareItems, rowGroupBytes, remote } = input
  const runtime = BASE_BYTES + threads * (THREAD_BYTES + 4 * rowGroupBytes + (remote ? S3_THREAD_BYTES : 0))
  const mostUsers = users.way === 'direct' ? Math.min(users.size, rows) : rows / 10
  const ids = idBytes(users, rows, threads) + idBytes(items, rows, threads) + (divided ? 12 * mostUsers : 0)
  const bucket = Math.max(1 << 17, rows / MAX_BUCKETS)
  const value = coded ? 1 : 4
  const working =
    rows *
      (Math.max(scatterBytes(coded, timed && !keepTimes) - 4 - value, rareItems ? 4 + value : 0) +
        (divided ? 4 + value : 0)) +
    threads * Math.min(STAGE_ROWS * stagedBytes(coded, timed) + 3 * mergerBytes(bucket, coded, timed), rows * 40 + 1e6)
  const result = (2 * (4 + value) + (keepTimes ? 8 : 0)) * rows
  return { runtime, ids, working, result, total: runtime + ids + working + result }
}

function idBytes(range: IdRange, rows: number, threads: number): number {
  // Counts and carries of each worker, ranks, and an id and its activity for each active id.
  if (range.way === 'direct') return range.size * (5 * threads + 0.25 + 8)
  // Without statistics the number of distinct ids is unknown; a tenth of the rows is what catalogues show.
  const distinct = rows / 10
  return (threads + 1) * KeyTable.bytesFor(distinct, range.kind === 'string' ? 16 : 0) + 24 * distinct
}
