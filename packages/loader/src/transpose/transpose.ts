import type { CompressedRows } from '@seesaw/als-core'
import { cutBuckets, groupShift, spansOf } from '../matrix/buckets.ts'
import { createRows, offsetsOf } from '../matrix/compressed-rows.ts'
import { STAGE_ROWS } from '../matrix/stage.ts'
import type { WorkerPool } from '../pool/pool.ts'
import type { ProgressMeter } from '../progress.ts'
import type { countShards, moveShards, sortItems } from './transpose-shards.ts'
import { cutShards, placeShards, type Transposition } from './transposition.ts'

/**
 * The transpose, built in three parallel steps. `weights` are entries an item may have; `locals` is memory of two bytes
 * an entry that is used on the way, or a file.
 */
export async function transpose(
  pool: WorkerPool,
  meter: ProgressMeter,
  csr: CompressedRows,
  weights: Uint32Array,
  locals: Uint16Array<SharedArrayBuffer> | string,
  limits: { bucketRows?: number; shardEntries?: number } = {},
): Promise<CompressedRows> {
  const items = weights.length
  const entries = csr.indices.length
  const itemBuckets = cutBuckets(weights, limits.bucketRows === undefined ? groupShift(weights) : 0, limits.bucketRows)
  const shardUsers = cutShards(csr.indptr, limits.shardEntries ?? Math.max(1 << 17, Math.ceil(entries / 1024)))
  const shards = shardUsers.length - 1
  const itemLengths = new Uint32Array(new SharedArrayBuffer(4 * items))
  const none = new Float64Array(new SharedArrayBuffer(0))
  const work: Transposition = {
    csr,
    csc: createRows(entries, csr.values instanceof Uint8Array, none),
    itemBuckets,
    shardUsers,
    places: new Float64Array(new SharedArrayBuffer(8 * shards * itemBuckets.count)),
    locals,
    stageRows: limits.shardEntries ?? STAGE_ROWS,
    itemLengths,
  }
  meter.begin('transpose', { bytes: 0, rows: 2 * entries, files: 0 })
  const shardStarts = Float64Array.from(shardUsers, (user) => csr.indptr[user])
  const each = spansOf(shardStarts, pool.threads)
  await pool.run<typeof countShards, [number, number]>(
    'countShards',
    each,
    ([from, to]) => ({ work, from, to }),
    () => {},
  )
  const starts = placeShards(work)
  await pool.run<typeof moveShards, [number, number]>(
    'moveShards',
    each,
    ([from, to]) => ({ work, from, to }),
    (_, [from, to]) => meter.add({ rows: shardStarts[to] - shardStarts[from] }),
  )
  await pool.run<typeof sortItems, [number, number]>(
    'sortItems',
    spansOf(starts, pool.threads),
    ([from, to]) => ({ work, starts, from, to }),
    (_, [from, to]) => meter.add({ rows: starts[to] - starts[from] }),
  )
  return { ...work.csc, indptr: offsetsOf(itemLengths) }
}
