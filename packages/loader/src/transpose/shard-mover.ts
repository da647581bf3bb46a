import { Kernel } from '../kernel/kernel.ts'
import { type RunSink, Stage, type StagedRows } from '../matrix/stage.ts'
import { LocalsFile } from '../spill/locals-file.ts'
import type { Transposition } from './transposition.ts'

/** Step 2 of the transposition, in one worker: entries go to the buckets of their items, each to a place known beforehand. */
export class ShardMover {
  readonly #kernel: Kernel
  readonly #work: Transposition
  readonly #stage: Stage
  readonly #begin: number
  #shard = 0
  #file: LocalsFile | undefined

  constructor(kernel: Kernel, work: Transposition) {
    this.#kernel = kernel
    this.#work = work
    const sink: RunSink = {
      coded: work.csr.values instanceof Uint8Array,
      timed: false,
      put: (bucket, rows, from, to) => this.#put(bucket, rows, from, to),
    }
    this.#stage = new Stage(kernel, work.itemBuckets, sink, work.stageRows)
    this.#begin = kernel.mark()
  }

  move(shard: number): void {
    const { csr, shardUsers, locals } = this.#work
    const kernel = this.#kernel
    const firstUser = shardUsers[shard]
    const users = shardUsers[shard + 1] - firstUser
    const from = csr.indptr[firstUser]
    const to = csr.indptr[firstUser + users]
    const items = csr.indices.subarray(from, to)
    const values = csr.values.subarray(from, to)
    kernel.release(this.#begin)
    const ends = kernel.words(kernel.allocate(4 * users), users)
    for (let u = 0; u < users; u++) ends[u] = csr.indptr[firstUser + u + 1] - from
    const itemPlace = kernel.copyIn(items, kernel.allocate(Kernel.spaceFor(items.byteLength)))
    const valuePlace = kernel.copyIn(values, kernel.allocate(Kernel.spaceFor(values.byteLength)))
    this.#shard = shard
    this.#file = typeof locals === 'string' ? new LocalsFile(locals) : undefined
    try {
      this.#stage.addEntries(firstUser, ends, itemPlace, valuePlace)
      this.#stage.flush()
    } finally {
      this.#file?.close()
    }
  }

  #put(bucket: number, { pairs, values }: StagedRows, from: number, to: number): void {
    const { csc, itemBuckets, places, locals } = this.#work
    const place = this.#shard * itemBuckets.count + bucket
    const at = places[place]
    const shift = at - from
    const inFile = typeof locals === 'string'
    const placesInBucket = inFile ? new Uint16Array(to - from) : locals
    const localShift = inFile ? -from : shift
    const { indices, values: out } = csc
    const coded = out instanceof Uint8Array
    for (let i = from; i < to; i++) {
      const tag = pairs[2 * i + 1]
      indices[i + shift] = pairs[2 * i]
      placesInBucket[i + localShift] = tag >>> 8
      out[i + shift] = coded ? tag & 255 : values[i]
    }
    if (inFile) this.#file!.write(placesInBucket, at)
    places[place] = at + to - from
  }
}
