import { valueAt } from '../matrix/entries.ts'
import type { CompressedRows } from '../matrix/interaction-matrix.ts'
import { type ShardBoard, takeShards } from '../pool/run-shards.ts'

/** Addresses, in bytes, of the items in panels of eight and of each thread's four users and their scores. */
export interface ScoreLayout {
  readonly panels: number
  readonly queries: number
  readonly scores: number
  readonly threadBytes: number
}

export interface ScoreShare {
  readonly module: WebAssembly.Module
  readonly memory: WebAssembly.Memory
  readonly layout: ScoreLayout
  readonly k: number
  readonly items: number
}

/** A shard adds up its users in order, so that the threads change no bit. */
export const usersPerShard = 64

export interface CurveTask {
  readonly board: ShardBoard
  readonly slot: number
  readonly share: ScoreShare
  readonly userFactors: Float32Array
  readonly users: Uint32Array
  readonly train: { readonly csr: CompressedRows }
  readonly test: { readonly csr: CompressedRows; readonly codebook?: Float32Array }
  readonly members: Uint8Array[]
  readonly sums: Float64Array
}

/** Worker task: for each shard and bucket the sum of users' AUC and the number of users that have one. */
export function curveShards({ board, slot, share, userFactors, users, train, test, members, sums }: CurveTask): void {
  const { module, memory, layout, k, items } = share
  const kernel = new WebAssembly.Instance(module, { env: { memory } }).exports as unknown as {
    scoreFour(queries: number, panels: number, items: number, k: number, scores: number): void
  }
  const queries = layout.queries + slot * layout.threadBytes
  const scores = layout.scores + slot * layout.threadBytes
  const padded = Math.ceil(items / 8) * 8
  const f32 = new Float32Array(memory.buffer)
  for (const shard of takeShards(board)) {
    const at = sums.subarray(2 * shard * members.length, 2 * (shard + 1) * members.length).fill(0)
    const last = Math.min(users.length, (shard + 1) * usersPerShard)
    for (let first = shard * usersPerShard; first < last; first += 4) {
      const count = Math.min(4, last - first)
      for (let q = 0; q < count; q++) {
        f32.set(userFactors.subarray(users[first + q] * k, (users[first + q] + 1) * k), queries / 4 + q * k)
      }
      kernel.scoreFour(queries, layout.panels, items, k, scores)
      for (let q = 0; q < count; q++) {
        const row = f32.subarray(scores / 4 + q * padded, scores / 4 + q * padded + items)
        addUser(row, users[first + q], at)
      }
    }
  }

  function addUser(row: Float32Array, user: number, at: Float64Array): void {
    const { csr, codebook } = test
    const found: number[] = []
    for (let e = csr.indptr[user]; e < csr.indptr[user + 1]; e++) {
      if (valueAt(csr, codebook, e) > 0) found.push(csr.indices[e])
    }
    const scored = found.map((item) => row[item])
    const known = [
      ...found,
      ...csr.indices.subarray(csr.indptr[user], csr.indptr[user + 1]),
      ...train.csr.indices.subarray(train.csr.indptr[user], train.csr.indptr[user + 1]),
    ]
    // NaN compares with nothing: what is known takes no part as an item that was not to be found.
    for (const item of known) row[item] = Number.NaN
    const others = items - new Set(known).size
    if (others === 0 || found.length === 0) return
    const order = [...found.keys()].sort((a, b) => scored[a] - scored[b])
    const sorted = Float32Array.from(order, (n) => scored[n])
    // below[n]: twice the items that score less than the n-th smallest, plus those that score the same.
    const below = countBelow(row, sorted)
    for (const [b, bucket] of members.entries()) {
      let wins = 0
      let count = 0
      for (const [n, place] of order.entries()) {
        if (!bucket[found[place]]) continue
        wins += below[n] / 2
        count++
      }
      if (count === 0) continue
      at[2 * b] += wins / (count * others)
      at[2 * b + 1]++
    }
  }
}

/** For each of the sorted values: twice the number of scores below it plus the number equal to it. */
function countBelow(scores: Float32Array, sorted: Float32Array): Float64Array {
  // How many scores have exactly n of the sorted values at or below them, and strictly below them.
  const n = sorted.length
  const atOrBelow = new Float64Array(n + 1)
  const strictlyBelow = new Float64Array(n + 1)
  for (let i = 0; i < scores.length; i++) {
    const score = scores[i]
    if (Number.isNaN(score)) continue
    let from = 0
    let to = n
    while (from < to) {
      const middle = (from + to) >> 1
      if (sorted[middle] < score) from = middle + 1
      else to = middle
    }
    strictlyBelow[from]++
    while (from < n && sorted[from] === score) from++
    atOrBelow[from]++
  }
  // A score is below value n when at most n values are at or below it, and not above it when at most n are strictly below.
  const below = new Float64Array(n)
  let less = 0
  let notAbove = 0
  for (let value = 0; value < n; value++) {
    less += atOrBelow[value]
    notAbove += strictlyBelow[value]
    below[value] = less + notAbove
  }
  return below
}
