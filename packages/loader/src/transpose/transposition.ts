import type { CompressedRows } from '@seesaw/als-core'
import type { Buckets } from '../matrix/buckets.ts'

/**
 * The transpose in two cache-friendly steps instead of one random write an entry. Users are cut into shards, items into
 * buckets. Counting a shard's entries per bucket gives each (shard, bucket) its exact place, so that every bucket receives
 * its entries in ascending order of user, whichever worker comes first. Then each bucket is sorted by item on its own.
 */
export interface Transposition {
  readonly csr: CompressedRows
  readonly csc: CompressedRows
  readonly itemBuckets: Buckets
  /** shards + 1: first user of each shard. */
  readonly shardUsers: Uint32Array<SharedArrayBuffer>
  /** shards × buckets: entries, then where the next one goes. */
  readonly places: Float64Array<SharedArrayBuffer>
  /** Item of each entry as its place in its bucket: in memory, or the path of a file. */
  readonly locals: Uint16Array<SharedArrayBuffer> | string
  /** Entries a worker gathers before they go to their buckets. */
  readonly stageRows: number
  /** Entries of each item. */
  readonly itemLengths: Uint32Array<SharedArrayBuffer>
}

/** Between steps 1 and 2: turns counts into places, bucket by bucket, and returns where each bucket begins. */
export function placeShards(work: Transposition): Float64Array<SharedArrayBuffer> {
  const { count } = work.itemBuckets
  const shards = work.shardUsers.length - 1
  const starts = new Float64Array(new SharedArrayBuffer(8 * (count + 1)))
  let at = 0
  for (let b = 0; b < count; b++) {
    starts[b] = at
    for (let shard = 0; shard < shards; shard++) {
      const n = work.places[shard * count + b]
      work.places[shard * count + b] = at
      at += n
    }
  }
  starts[count] = at
  return starts
}

/** Cuts users into shards of about `target` entries. */
export function cutShards(indptr: Float64Array, target: number): Uint32Array<SharedArrayBuffer> {
  const users = indptr.length - 1
  const first = [0]
  for (let user = 1; user < users; user++) {
    if (indptr[user + 1] - indptr[first[first.length - 1]] > target) first.push(user)
  }
  if (users > 0) first.push(users)
  const shared = new Uint32Array(new SharedArrayBuffer(4 * first.length))
  shared.set(first)
  return shared
}
