import type { CompressedRows } from '@seesaw/als-core'
import type { Buckets } from './buckets.ts'

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
  /** shards × buckets: entries, then where they begin. */
  readonly places: Float64Array<SharedArrayBuffer>
  /** Item of each entry as its place in its bucket. */
  readonly locals: Uint16Array<SharedArrayBuffer>
  /** Entries of each item. */
  readonly itemLengths: Uint32Array<SharedArrayBuffer>
}

/** Step 1: counts the entries of a shard per item bucket. */
export function countShard(work: Transposition, shard: number): void {
  const { csr, itemBuckets, shardUsers, places } = work
  const { ofGroup, shift, count } = itemBuckets
  const from = csr.indptr[shardUsers[shard]]
  const to = csr.indptr[shardUsers[shard + 1]]
  const counts = new Uint32Array(count)
  const items = csr.indices.subarray(from, to)
  for (let e = 0; e < items.length; e++) counts[ofGroup[items[e] >>> shift]]++
  places.set(counts, shard * count)
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

/** Step 2: moves a shard's entries to their buckets: sorted by bucket in private memory, then copied in runs. */
export function moveShard(work: Transposition, shard: number): void {
  const { csr, csc, itemBuckets, shardUsers, places, locals } = work
  const { ofGroup, shift, count, first } = itemBuckets
  const base = csr.indptr[shardUsers[shard]]
  const n = csr.indptr[shardUsers[shard + 1]] - base
  const items = csr.indices.subarray(base, base + n)
  const values = csr.values.subarray(base, base + n)
  const ends = new Uint32Array(count)
  for (let e = 0; e < n; e++) ends[ofGroup[items[e] >>> shift]]++
  let sum = 0
  for (let b = 0; b < count; b++) {
    const length = ends[b]
    ends[b] = sum
    sum += length
  }
  const sortedUser = new Uint32Array(n)
  const sortedLocal = new Uint16Array(n)
  const sortedValue = values instanceof Uint8Array ? new Uint8Array(n) : new Float32Array(n)
  let e = 0
  for (let user = shardUsers[shard]; user < shardUsers[shard + 1]; user++) {
    const end = csr.indptr[user + 1] - base
    for (; e < end; e++) {
      const item = items[e]
      const b = ofGroup[item >>> shift]
      const at = ends[b]++
      sortedUser[at] = user
      sortedLocal[at] = item - first[b]
      sortedValue[at] = values[e]
    }
  }
  let from = 0
  for (let b = 0; b < count; b++) {
    const to = ends[b]
    if (to === from) continue
    const at = places[shard * count + b]
    csc.indices.set(sortedUser.subarray(from, to), at)
    csc.values.set(sortedValue.subarray(from, to), at)
    locals.set(sortedLocal.subarray(from, to), at)
    from = to
  }
}

/** Step 3: sorts the entries of a bucket by item, keeping the order of users, and counts them per item. */
export function sortItems(work: Transposition, starts: Float64Array, b: number): void {
  const { csc, itemBuckets, itemLengths } = work
  const begin = starts[b]
  const n = starts[b + 1] - begin
  const firstItem = itemBuckets.first[b]
  const items = itemBuckets.first[b + 1] - firstItem
  if (items === 1) {
    itemLengths[firstItem] = n
    return
  }
  const local = work.locals.slice(begin, begin + n)
  const users = csc.indices.slice(begin, begin + n)
  const values = csc.values.slice(begin, begin + n)
  const ends = new Uint32Array(items)
  for (let e = 0; e < n; e++) ends[local[e]]++
  itemLengths.set(ends, firstItem)
  let sum = 0
  for (let i = 0; i < items; i++) {
    const length = ends[i]
    ends[i] = sum
    sum += length
  }
  const sortedUsers = csc.indices.subarray(begin, begin + n)
  const sortedValues = csc.values.subarray(begin, begin + n)
  for (let e = 0; e < n; e++) {
    const at = ends[local[e]]++
    sortedUsers[at] = users[e]
    sortedValues[at] = values[e]
  }
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
