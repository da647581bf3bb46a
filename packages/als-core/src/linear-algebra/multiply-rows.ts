import { runShards, type ShardBoard, takeShards } from '../pool/run-shards.ts'
import { sharedFloat32, sharedFloat64 } from '../pool/shared-arrays.ts'
import type { WorkerPool } from '../pool/worker-pool.ts'

export interface MultiplyRowsTask {
  readonly board: ShardBoard
  readonly rows: Float32Array
  /** Other memory than `rows`: a shard that is run again, after its thread died, must find its input. */
  readonly into: Float32Array
  /** k×k, row-major. */
  readonly matrix: Float64Array
  readonly shape: MatrixShape
  readonly k: number
  readonly lengthExponent: number
}

/** Where a matrix has non-zeros. */
export type MatrixShape = 'lower' | 'upper' | 'full'

export interface MultiplyRowsOptions {
  pool: WorkerPool
  shape: MatrixShape
  /** p: each result is divided by its length to the power p. Default 0. */
  lengthExponent?: number
  into?: Float32Array<SharedArrayBuffer>
  signal?: AbortSignal
}

/** M·v for each row v, with sums in float64, over the pool. */
export async function multiplyRows(
  rows: Float32Array<SharedArrayBuffer>,
  matrix: Float64Array,
  k: number,
  { pool, shape, lengthExponent = 0, into = sharedFloat32(rows.length), signal }: MultiplyRowsOptions,
): Promise<Float32Array<SharedArrayBuffer>> {
  const shared = sharedFloat64(k * k)
  shared.set(matrix)
  const shards = Math.ceil(rows.length / k / SHARD_ROWS)
  const task = { rows, into, matrix: shared, shape, k, lengthExponent }
  await runShards<typeof multiplyRowsShards>(pool, 'multiplyRowsShards', shards, task, { signal })
  return into
}

const SHARD_ROWS = 1024

/** Worker task: the shards of rows that this thread takes. */
export function multiplyRowsShards(task: MultiplyRowsTask): void {
  const { board, rows, k } = task
  for (const shard of takeShards(board)) {
    const end = Math.min(rows.length, (shard + 1) * SHARD_ROWS * k)
    multiplyRange(task, shard * SHARD_ROWS * k, end)
  }
}

/** The same on this thread: for the few rows of a query, the same bits. */
export function multiplyRange(task: Omit<MultiplyRowsTask, 'board'>, from: number, end: number): void {
  const { rows, into, matrix, shape, k, lengthExponent } = task
  const row = new Float64Array(k)
  const result = new Float64Array(k)
  for (let at = from; at < end; at += k) {
    for (let j = 0; j < k; j++) row[j] = rows[at + j]
    let squared = 0
    for (let i = 0; i < k; i++) {
      const last = shape === 'lower' ? i + 1 : k
      let sum = 0
      for (let j = shape === 'upper' ? i : 0; j < last; j++) sum += matrix[i * k + j] * row[j]
      result[i] = sum
      squared += sum * sum
    }
    const scale = lengthExponent !== 0 && squared > 0 ? squared ** (-lengthExponent / 2) : 1
    for (let i = 0; i < k; i++) into[at + i] = result[i] * scale
  }
}
