import {
  type AlsModel,
  createWorkerPool,
  type InteractionMatrix,
  matrixFromTriplets,
  type RecommendationSource,
  Recommender,
  type WorkerPool,
} from '@seesaw/als-core'

/** Users to rank for, all at once. */
export interface Askers {
  /** users × factors, row-major. */
  readonly vectors: Float32Array<SharedArrayBuffer>
  /** users × all items: left out of the lists. */
  readonly exclude: InteractionMatrix
}

export interface SliceOptions {
  readonly factors: number
  readonly limit: number
  readonly threads: number
  readonly signal: AbortSignal
  /** Items in memory at a time. Default: 256 MB of vectors. */
  readonly sliceItems?: number
  /** Called with the items ranked so far, after each slice. */
  onProgress?(done: number): void
}

/**
 * The exact best items of each user where the items are too many for one memory: slice by slice of them, the lists merged
 * by score. Equal scores rank by row.
 */
export async function rankInSlices(
  { vectors, exclude }: Askers,
  batches: AsyncIterable<{ readonly data: Float32Array }>,
  options: SliceOptions,
): Promise<RecommendationSource> {
  const { factors, limit, threads, sliceItems = Math.floor(2 ** 28 / (4 * factors)) } = options
  const users = vectors.length / factors
  const lists = new BestLists(users, limit)
  const buffer = new Float32Array(new SharedArrayBuffer(4 * factors * sliceItems))
  const pool = createWorkerPool({ threads })
  let first = 0
  let filled = 0
  const rank = async () => {
    if (filled === 0) return
    const itemFactors = filled === sliceItems ? buffer : buffer.slice(0, filled * factors)
    const slice = { factors, users, items: filled, userFactors: vectors, itemFactors: shared(itemFactors) }
    await rankSlice(slice, columnsOf(exclude, first, filled), lists, first, pool, options)
    first += filled
    filled = 0
    options.onProgress?.(first)
  }
  try {
    for await (const { data } of batches) {
      for (let at = 0; at < data.length; ) {
        const part = data.subarray(at, at + (sliceItems - filled) * factors)
        buffer.set(part, filled * factors)
        filled += part.length / factors
        at += part.length
        if (filled === sliceItems) await rank()
      }
    }
    await rank()
  } finally {
    await pool.close()
  }
  return {
    async recommend(asked) {
      return lists.of(asked)
    },
  }
}

async function rankSlice(
  slice: Pick<AlsModel, 'factors' | 'users' | 'items' | 'userFactors' | 'itemFactors'>,
  exclude: InteractionMatrix,
  lists: BestLists,
  first: number,
  pool: WorkerPool,
  { limit, signal }: SliceOptions,
): Promise<void> {
  const recommender = new Recommender({ ...slice, options: {}, history: [] } as unknown as AlsModel, { pool })
  try {
    const users = Uint32Array.from({ length: slice.users }, (_, user) => user)
    const found = await recommender.recommend(users, { limit: Math.min(limit, slice.items), exclude, signal })
    for (const user of users) {
      const from = user * found.limit
      for (let place = 0; place < found.counts[user]!; place++) {
        lists.add(user, first + found.rows[from + place]!, found.scores[from + place]!)
      }
    }
  } finally {
    await recommender.close()
  }
}

/** A matrix's columns [first, first + count), numbered from 0. */
function columnsOf({ csr, users }: InteractionMatrix, first: number, count: number): InteractionMatrix {
  const rows: number[] = []
  const columns: number[] = []
  for (let user = 0; user < users; user++) {
    for (let e = csr.indptr[user]!; e < csr.indptr[user + 1]!; e++) {
      const column = csr.indices[e]! - first
      if (column < 0 || column >= count) continue
      rows.push(user)
      columns.push(column)
    }
  }
  return matrixFromTriplets({ users, items: count, rows: Uint32Array.from(rows), columns: Uint32Array.from(columns) })
}

/** The best so far of each user, in descending order. */
class BestLists {
  readonly #limit: number
  readonly #counts: Uint32Array
  readonly #rows: Uint32Array
  readonly #scores: Float32Array

  constructor(users: number, limit: number) {
    this.#limit = limit
    this.#counts = new Uint32Array(users)
    this.#rows = new Uint32Array(users * limit)
    this.#scores = new Float32Array(users * limit)
  }

  /** Rows come in ascending order of slice, so an equal score goes below. */
  add(user: number, row: number, score: number): void {
    const from = user * this.#limit
    let place = this.#counts[user]!
    if (place === this.#limit && score <= this.#scores[from + place - 1]!) return
    if (place === this.#limit) place--
    else this.#counts[user]!++
    for (; place > 0 && this.#scores[from + place - 1]! < score; place--) {
      this.#rows[from + place] = this.#rows[from + place - 1]!
      this.#scores[from + place] = this.#scores[from + place - 1]!
    }
    this.#rows[from + place] = row
    this.#scores[from + place] = score
  }

  of(users: Uint32Array) {
    const limit = this.#limit
    const pick = <T extends Uint32Array | Float32Array>(all: T, each: number, into: T): T => {
      for (const [at, user] of users.entries()) into.set(all.subarray(user * each, (user + 1) * each), at * each)
      return into
    }
    return {
      limit,
      counts: pick(this.#counts, 1, new Uint32Array(users.length)),
      rows: pick(this.#rows, limit, new Uint32Array(users.length * limit)),
      scores: pick(this.#scores, limit, new Float32Array(users.length * limit)),
    }
  }
}

function shared(values: Float32Array): Float32Array<SharedArrayBuffer> {
  if (values.buffer instanceof SharedArrayBuffer) return values as Float32Array<SharedArrayBuffer>
  const copy = new Float32Array(new SharedArrayBuffer(values.byteLength))
  copy.set(values)
  return copy
}
