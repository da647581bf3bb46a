import type { CompressedRows, InteractionMatrix } from '../matrix/interaction-matrix.ts'
import { sharedFloat32, sharedUint32 } from '../pool/shared-arrays.ts'
import { mostGramShards, planRowShards, planSolveShards, type Shards } from './plan-shards.ts'

/** The factors of a side: X = X̂·P. */
export interface Factors {
  /** X̂, rows × padded. */
  readonly values: Float32Array<SharedArrayBuffer>
  /** P, k×k; absent: the identity. */
  readonly toFactors?: Float64Array
}

/** One side of the training, users or items. */
export interface Side {
  readonly name: 'users' | 'items'
  readonly rows: number
  readonly sparse: CompressedRows
  /** The factors as of the last complete half-sweep; undefined before the first when nothing was given. */
  factors: Factors | undefined
  /** Where the next half-sweep writes: the factors before are kept, so that shards can run again and aborts lose nothing. */
  spare: Float32Array<SharedArrayBuffer>
  /**
   * Position of each row in Z, in descending order of the number of entries: what is read most lies together, on few pages.
   * Where ids say nothing about activity an entry took 62 ns instead of 79 (100,000 rows, k = 128, Zipf).
   */
  readonly order: Uint32Array<SharedArrayBuffer>
  readonly solveShards: Shards
  readonly gramShards: Shards
  readonly rowShards: Shards
}

/** Both sides of a matrix, with room for their factors. */
export function makeSides(matrix: InteractionMatrix, k: number, padded: number): { users: Side; items: Side } {
  const side = (name: Side['name'], rows: number, sparse: CompressedRows): Side => ({
    name,
    rows,
    sparse,
    factors: undefined,
    spare: sharedFloat32(rows * padded),
    order: orderByEntries(sparse.indptr),
    solveShards: planSolveShards(sparse.indptr),
    gramShards: planRowShards(rows, mostGramShards(k)),
    rowShards: planRowShards(rows, 256),
  })
  return { users: side('users', matrix.users, matrix.csr), items: side('items', matrix.items, matrix.csc) }
}

/** Takes what a half-sweep wrote as the side's factors; the ones before become the spare. */
export function commitFactors(side: Side, toFactors: Float64Array | undefined, padded: number): void {
  const written = side.spare
  side.spare = side.factors?.values ?? sharedFloat32(side.rows * padded)
  side.factors = { values: written, ...(toFactors && { toFactors }) }
}

/** Undoes `commitFactors`, if it has been called since the side had `factors`. */
export function rollBack(side: Side, factors: Factors | undefined): void {
  if (side.factors === factors) return
  side.spare = side.factors!.values
  side.factors = factors
}

/** A counting sort of the rows in descending order of their number of entries, stable: the position of each row. */
function orderByEntries(indptr: Float64Array): Uint32Array<SharedArrayBuffer> {
  const rows = indptr.length - 1
  let longest = 0
  for (let r = 0; r < rows; r++) longest = Math.max(longest, indptr[r + 1] - indptr[r])
  const next = new Float64Array(longest + 2)
  for (let r = 0; r < rows; r++) next[longest - (indptr[r + 1] - indptr[r]) + 1]++
  for (let n = 0; n <= longest; n++) next[n + 1] += next[n]
  const order = sharedUint32(rows)
  for (let r = 0; r < rows; r++) order[r] = next[longest - (indptr[r + 1] - indptr[r])]++
  return order
}
