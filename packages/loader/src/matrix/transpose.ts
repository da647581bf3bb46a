import type { CompressedRows } from '@seesaw/als-core'
import { type LocalAccess, withLocals } from '../spill/local-file.ts'
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
  /** Item of each entry as its place in its bucket: in memory, or the path of a file. */
  readonly locals: Uint16Array<SharedArrayBuffer> | string
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

/** Steps 2 and 3 in one worker. Its buffers are kept: fresh ones of this size cost more in page faults than the sorting. */
export class Transposer {
  #index = new Uint32Array(0)
  #local = new Uint16Array(0)
  #value: Uint8Array | Float32Array = new Uint8Array(0)
  #pairs = new Uint32Array(0)
  readonly #ends = new Uint32Array(1 << 16)

  /**
   * Step 2: moves a shard's entries to their buckets: sorted by bucket in private memory, then copied in runs. An entry is
   * two words side by side (user; place of the item and code), so that it touches one cache line of its bucket, not three.
   */
  moveShard(work: Transposition, shard: number): void {
    const { csr, itemBuckets, shardUsers } = work
    const { ofGroup, shift, count, first } = itemBuckets
    const { indptr } = csr
    const base = indptr[shardUsers[shard]]
    const n = indptr[shardUsers[shard + 1]] - base
    const items = csr.indices.subarray(base, base + n)
    const values = csr.values.subarray(base, base + n)
    this.#reserve(n, values)
    if (this.#pairs.length < 2 * n) this.#pairs = new Uint32Array(Math.ceil(2.5 * n))
    const pairs = this.#pairs
    const ends = this.#ends
    let sum = 0
    for (let b = 0; b < count; b++) {
      ends[b] = sum
      sum += lengthOf(work, shard, b)
    }
    const coded = values instanceof Uint8Array
    let e = 0
    for (let user = shardUsers[shard]; user < shardUsers[shard + 1]; user++) {
      const end = indptr[user + 1] - base
      for (; e < end; e++) {
        const item = items[e]
        const b = ofGroup[item >>> shift]
        const at = ends[b]++
        pairs[2 * at] = user
        pairs[2 * at + 1] = ((item - first[b]) << 8) | (coded ? values[e] : 0)
        if (!coded) this.#value[at] = values[e]
      }
    }
    withLocals(work.locals, (access) => this.#copyRuns(work, shard, access))
  }

  #copyRuns({ csc, places, itemBuckets: { count } }: Transposition, shard: number, access: LocalAccess): void {
    const { indices, values } = csc
    const pairs = this.#pairs
    const local = this.#local
    const ends = this.#ends
    const coded = values instanceof Uint8Array
    let from = 0
    for (let b = 0; b < count; b++) {
      const to = ends[b]
      if (to === from) continue
      const shift = places[shard * count + b] - from
      for (let e = from; e < to; e++) {
        const second = pairs[2 * e + 1]
        indices[e + shift] = pairs[2 * e]
        values[e + shift] = coded ? second & 255 : this.#value[e]
        local[e] = second >>> 8
      }
      access.write(local.subarray(from, to), from + shift)
      from = to
    }
  }

  /** Step 3: sorts the entries of a bucket by item, keeping the order of users, and counts them per item. */
  sortItems(work: Transposition, starts: Float64Array, b: number): void {
    const { csc, itemBuckets, itemLengths, locals } = work
    const begin = starts[b]
    const n = starts[b + 1] - begin
    const firstItem = itemBuckets.first[b]
    const items = itemBuckets.first[b + 1] - firstItem
    if (items === 1) {
      itemLengths[firstItem] = n
      return
    }
    const sortedUser = csc.indices.subarray(begin, begin + n)
    const sortedValue = csc.values.subarray(begin, begin + n)
    this.#reserve(n, sortedValue)
    const local = this.#local
    const user = this.#index
    const value = this.#value
    withLocals(locals, (access) => access.read(local.subarray(0, n), begin))
    user.set(sortedUser)
    value.set(sortedValue)
    const ends = this.#ends
    ends.fill(0, 0, items)
    for (let e = 0; e < n; e++) ends[local[e]]++
    let sum = 0
    for (let i = 0; i < items; i++) {
      const length = ends[i]
      itemLengths[firstItem + i] = length
      ends[i] = sum
      sum += length
    }
    for (let e = 0; e < n; e++) {
      const at = ends[local[e]]++
      sortedUser[at] = user[e]
      sortedValue[at] = value[e]
    }
  }

  #reserve(n: number, like: Uint8Array | Float32Array): void {
    if (this.#index.length >= n && this.#value.constructor === like.constructor) return
    const capacity = Math.ceil(n * 1.25)
    this.#index = new Uint32Array(capacity)
    this.#local = new Uint16Array(capacity)
    this.#value = like instanceof Uint8Array ? new Uint8Array(capacity) : new Float32Array(capacity)
  }
}

/** Entries of a shard in a bucket: up to where the next shard's begin, or the next bucket's. */
function lengthOf({ places, itemBuckets, shardUsers, csr }: Transposition, shard: number, b: number): number {
  const { count } = itemBuckets
  const shards = shardUsers.length - 1
  const at = places[shard * count + b]
  if (shard + 1 < shards) return places[(shard + 1) * count + b] - at
  return (b + 1 < count ? places[b + 1] : csr.indices.length) - at
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
