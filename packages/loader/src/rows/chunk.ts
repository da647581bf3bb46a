import { CHUNK_ROWS, createKeys, type IdKind, type Keys } from '../ids/keys.ts'
import type { Kernel } from '../kernel/kernel.ts'

/**
 * A run of at most CHUNK_ROWS rows on its way through a worker, in the kernel's memory. `rows` selects n of them; all other
 * columns but the dense ones are by place in the run. One is enough for a worker, since it is used between two awaits only.
 */
export interface Chunk {
  readonly users: Keys
  readonly items: Keys
  readonly rows: Uint16Array
  n: number
  /** Confidence of each row, or its code when the load has a codebook. */
  readonly values: Float32Array
  readonly codes: Uint8Array
  /** The code that all of `codes` hold, if there is one. */
  constant?: number
  readonly times: Float64Array
  /** Dense rows of the selected rows' ids, -1 where they are not active. */
  readonly denseUsers: Int32Array
  readonly denseItems: Int32Array
  /** Selected rows without an active user, and those with one but without an active item, since this was reset. */
  readonly drops: Uint32Array
}

export function createChunk(kernel: Kernel, userKind: IdKind, itemKind: IdKind): Chunk {
  const words = () => kernel.words(kernel.allocate(4 * CHUNK_ROWS), CHUNK_ROWS)
  const dense = () => kernel.integers(kernel.allocate(4 * CHUNK_ROWS), CHUNK_ROWS)
  return {
    users: createKeys(userKind, words(), words()),
    items: createKeys(itemKind, words(), words()),
    rows: kernel.halves(kernel.allocate(2 * CHUNK_ROWS), CHUNK_ROWS),
    n: 0,
    values: kernel.floats(kernel.allocate(4 * CHUNK_ROWS), CHUNK_ROWS),
    codes: kernel.bytes(kernel.allocate(CHUNK_ROWS), CHUNK_ROWS),
    times: kernel.doubles(kernel.allocate(8 * CHUNK_ROWS), CHUNK_ROWS),
    denseUsers: dense(),
    denseItems: dense(),
    drops: kernel.words(kernel.allocate(8), 2),
  }
}
