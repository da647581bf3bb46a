import { type ShardBoard, stopShards, takeShards } from '../pool/run-shards.ts'
import { type KernelShare, viewKernel } from './kernel-view.ts'
import { BLOCK_ENTRIES, BLOCK_ROWS } from './layout.ts'
import { FULL, type OutsideRows } from './product-shards.ts'

/** The sparse side that is being solved. */
export interface SolveRows {
  readonly indptr: Float64Array
  readonly indices: Uint32Array
  readonly values: Float32Array | Uint8Array
  /** The factors before (rows × padded, in their basis) and, apart from them, after: a shard can be run again. */
  readonly before: Float32Array
  readonly after: Float32Array
}

/** The numbers of the row systems. */
export interface RowSystem {
  readonly alpha: number
  /** w = α|v| - shift: 1 for 'hkv', 0 for 'ials'. */
  readonly shift: number
  /** λ of a row of n entries is base·(n + extra)^exponent; absent when λ is part of the basis. */
  readonly lambda?: { base: number; extra: number; exponent: number }
  /** Rows of at least this many entries start from their previous solution; 0: none does. */
  readonly warmFrom: number
  readonly tolerance: number
  readonly maxSteps: number
}

export interface SolveTask {
  readonly share: KernelShare
  readonly slot: number
  readonly board: ShardBoard
  readonly bounds: Float64Array
  readonly rows: SolveRows
  /** Place in Z of each row of the fixed side. */
  readonly rank: Uint32Array
  readonly system: RowSystem
  /** Whether the factors before have to be brought to the new basis. */
  readonly restart: boolean
  /** Whether Z is int8. */
  readonly coded: boolean
  readonly outside?: OutsideRows
  /** For each shard: Σ f, Σ λ|x|², steps. */
  readonly sums: Float64Array
}

/** A row whose system is not positive definite, or not finite. */
export interface FailedRow {
  readonly failedRow: number
}

/** Solves each shard of rows against the fixed side. Returns the row that failed, if one did. */
export function solveShards(task: SolveTask): FailedRow | undefined {
  const { share, slot, board, bounds, rows, rank, system, restart, coded, outside, sums } = task
  const codes = rows.values instanceof Uint8Array ? rows.values : undefined
  // The first entry of the block of rows under way, and the first of those in the areas.
  let blockFrom = 0
  let broughtFrom = 0
  const view = viewKernel(share, slot, {
    fetchEntries: (start, count) => bringEntries(blockFrom + start, blockFrom + start + count),
    fetchRows: bringRows,
  })
  const { kernel, layout, f32, f64, u32, i32, u8 } = view
  const { padded } = layout
  const [source, block, indptr, lambda, losses, steps] = (
    ['source', 'block', 'indptr', 'lambda', 'losses', 'steps'] as const
  ).map(view.at)
  const [indices, values] = (['indices', 'values'] as const).map(view.at)

  if (codes) kernel.weighCodebook(layout.codebook, system.alpha, system.shift, view.at('weighed'))
  kernel.setFixedSide(layout.fixed, layout.columns, coded ? 1 : 0, padded)
  kernel.setScratch(
    view.at('places'),
    view.at('weights'),
    view.at('tile'),
    layout.tileRows,
    view.at('vectors'),
    view.at('chunk'),
  )

  for (const shard of takeShards(board)) {
    let loss = 0
    let penalty = 0
    i32[steps / 4] = 0
    const end = bounds[2 * shard + 1]
    for (let first = bounds[2 * shard]; first < end; ) {
      const begin = rows.indptr[first]
      let next = first + 1
      while (next < end && next - first < BLOCK_ROWS && rows.indptr[next + 1] - begin <= BLOCK_ENTRIES) next++
      const count = next - first
      const entries = rows.indptr[next] - begin
      const streamed = entries > BLOCK_ENTRIES
      blockFrom = begin
      if (!streamed) bringEntries(begin, begin + entries)
      for (let r = 0; r <= count; r++) i32[indptr / 4 + r] = rows.indptr[first + r] - begin
      if (system.lambda) {
        const { base, extra, exponent } = system.lambda
        for (let r = 0; r < count; r++) {
          const n = i32[indptr / 4 + r + 1] - i32[indptr / 4 + r]
          f32[lambda / 4 + r] = base * (n + extra) ** exponent
        }
      }
      if (system.warmFrom > 0) {
        f32.set(rows.before.subarray(first * padded, next * padded), (restart ? source : block) / 4)
        if (restart) kernel.multiply(source, count, padded, layout.restart, FULL, block)
      }
      kernel.setCapacity(streamed ? BLOCK_ENTRIES : 0)
      const failed = kernel.solveRows(
        count,
        indptr,
        block,
        system.lambda ? layout.diagonal : 0,
        lambda,
        system.warmFrom,
        streamed ? 0 : 1,
        system.tolerance,
        system.maxSteps,
        losses,
        steps,
      )
      if (failed >= 0) {
        stopShards(board)
        return { failedRow: first + failed }
      }
      rows.after.set(f32.subarray(block / 4, block / 4 + count * padded), first * padded)
      for (let r = 0; r < count; r++) {
        loss += f64[losses / 8 + 2 * r]
        if (system.lambda) penalty += f32[lambda / 4 + r] * f64[losses / 8 + 2 * r + 1]
      }
      first = next
    }
    sums[3 * shard] = loss
    sums[3 * shard + 1] = penalty
    sums[3 * shard + 2] = i32[steps / 4]
  }
  return undefined

  /**
   * Entries [begin, end) of the matrix into the scratch areas: where their rows of Z are, their weights and targets. V8 copies
   * between shared arrays eight bytes at a time where both sides are equally far from a multiple of eight, else one by one.
   */
  function bringEntries(begin: number, end: number): void {
    broughtFrom = begin
    const count = end - begin
    if (!outside) {
      const at = indices + ((4 * begin) & 7)
      u32.set(rows.indices.subarray(begin, end), at / 4)
      kernel.placeEntries(at, count)
    } else {
      const units = view.at('places') / 4 + 1
      for (let q = 0; q < count; q++) u32[units + 2 * q] = outside.units[rank[rows.indices[begin + q]]]
    }
    if (codes) {
      const at = values + (begin & 7)
      u8.set(codes.subarray(begin, end), at)
      kernel.weighCodes(at, count, view.at('weighed'))
    } else {
      const at = values + ((4 * begin) & 7)
      f32.set((rows.values as Float32Array).subarray(begin, end), at / 4)
      kernel.weighValues(at, count, system.alpha, system.shift)
    }
  }

  /** Rows of a Z that is outside the kernel's memory, copied as 32-bit words. */
  function bringRows(start: number, count: number, to: number): void {
    const words = (padded * (coded ? 1 : 4)) / 4
    const z = new Uint32Array(outside!.rows.buffer)
    for (let q = 0; q < count; q++) {
      const place = rank[rows.indices[broughtFrom + start + q]]
      const at = to / 4 + q * words
      for (let t = 0; t < words; t++) u32[at + t] = z[place * words + t]
    }
  }
}
