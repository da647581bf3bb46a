import { Kernel } from '../kernel/kernel.ts'
import { LocalsFile } from '../spill/locals-file.ts'
import type { Transposition } from './transposition.ts'

/** Step 3 of the transposition, in one worker: sorts each bucket by item, keeping the order of users, and counts them per item. */
export class ItemSorter {
  readonly #kernel: Kernel
  readonly #work: Transposition
  readonly #begin: number

  constructor(kernel: Kernel, work: Transposition) {
    this.#kernel = kernel
    this.#work = work
    this.#begin = kernel.mark()
  }

  /** Sorts bucket b, whose entries begin at starts[b]. */
  sort(starts: Float64Array, b: number): void {
    const { csc, itemBuckets, itemLengths } = this.#work
    const kernel = this.#kernel
    const n = starts[b + 1] - starts[b]
    const firstItem = itemBuckets.first[b]
    const items = itemBuckets.first[b + 1] - firstItem
    if (items === 1) {
      itemLengths[firstItem] = n
      return
    }
    const users = csc.indices.subarray(starts[b], starts[b + 1])
    const values = csc.values.subarray(starts[b], starts[b + 1])
    kernel.release(this.#begin)
    const ends = kernel.words(kernel.allocate(4 * items), items)
    const localPlace = this.#readLocals(starts[b], n)
    const space = (column: Uint8Array | Uint32Array | Float32Array) =>
      kernel.allocate(Kernel.spaceFor(column.byteLength))
    const userPlace = kernel.copyIn(users, space(users))
    const valuePlace = kernel.copyIn(values, space(values))
    const sortedUsers = space(users)
    const sortedValues = space(values)
    kernel.run.sortEntries(
      n,
      localPlace,
      userPlace,
      valuePlace,
      values.BYTES_PER_ELEMENT,
      items,
      ends.byteOffset,
      kernel.placeLike(users, sortedUsers),
      kernel.placeLike(values, sortedValues),
    )
    kernel.copyOut(users, sortedUsers)
    kernel.copyOut(values, sortedValues)
    let begin = 0
    for (let i = 0; i < items; i++) {
      itemLengths[firstItem + i] = ends[i] - begin
      begin = ends[i]
    }
  }

  /** Address of the n items' places in their bucket that begin at `from`. */
  #readLocals(from: number, n: number): number {
    const kernel = this.#kernel
    const { locals } = this.#work
    const address = kernel.allocate(Kernel.spaceFor(2 * n))
    if (typeof locals !== 'string') return kernel.copyIn(locals.subarray(from, from + n), address)
    const file = new LocalsFile(locals)
    try {
      file.read(kernel.halves(address, n), from)
    } finally {
      file.close()
    }
    return address
  }
}
