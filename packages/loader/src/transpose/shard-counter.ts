import { Kernel } from '../kernel/kernel.ts'
import type { Transposition } from './transposition.ts'

/** Step 1 of the transposition, in one worker: counts the entries of shards per bucket of items. */
export class ShardCounter {
  readonly #kernel: Kernel
  readonly #work: Transposition
  readonly #groups: number
  readonly #counts: Uint32Array
  readonly #items: number

  constructor(kernel: Kernel, work: Transposition) {
    const { ofGroup, count } = work.itemBuckets
    this.#kernel = kernel
    this.#work = work
    this.#groups = kernel.copyIn(ofGroup, kernel.allocate(Kernel.spaceFor(ofGroup.byteLength)))
    this.#counts = kernel.words(kernel.allocate(4 * count), count)
    this.#items = kernel.mark()
  }

  /** Counts the entries of a shard per item bucket. */
  count(shard: number): void {
    const { csr, itemBuckets, shardUsers, places } = this.#work
    const kernel = this.#kernel
    const counts = this.#counts
    const items = csr.indices.subarray(csr.indptr[shardUsers[shard]], csr.indptr[shardUsers[shard + 1]])
    kernel.release(this.#items)
    const copy = kernel.copyIn(items, kernel.allocate(Kernel.spaceFor(items.byteLength)))
    counts.fill(0)
    kernel.run.countBuckets(items.length, copy, this.#groups, itemBuckets.shift, counts.byteOffset)
    places.set(counts, shard * itemBuckets.count)
  }
}
