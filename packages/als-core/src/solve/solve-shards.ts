import { transposed } from '../linear-algebra/dense.ts'
import type { CompressedRows } from '../matrix/interaction-matrix.ts'
import { entryTerms, lambdaOf, rowLambda } from '../model/objective.ts'
import { isDone, makeBoard, type ShardBoard, stopShards } from '../pool/run-shards.ts'
import { sharedFloat32, sharedFloat64 } from '../pool/shared-arrays.ts'
import { type Basis, restartMatrix } from './basis.ts'
import { FULL, type KernelShare, viewKernel } from './kernel-view.ts'
import { BLOCK_ENTRIES, BLOCK_ROWS } from './layout.ts'
import { loadMatrix } from './load-matrix.ts'
import { bringPriors, type Prior, priorOf } from './prior.ts'
import { rebaseRows } from './rebase-shards.ts'
import type { FailedRow, RowSystem, SolveTotals } from './row-system.ts'
import { addTotals, setTotals, shardTotals, throwOnFailure } from './row-system.ts'
import { type InPlaceTask, runInPlace, takeInPlace } from './rows-in-place.ts'
import type { Factors, Side } from './sides.ts'
import type { OutsideRows, Workbench } from './workbench.ts'

/** Solves the rows of `solved` against Z, which is in place. X̂ in the new basis takes the place of X̂ before. */
export async function solveByConjugateGradients(
  bench: Workbench,
  solved: Side,
  fixed: Side,
  basis: Basis,
): Promise<SolveTotals> {
  const { options, share, quantized, outside, running } = bench
  if (basis.restart) loadMatrix(bench, basis.restart, share.layout.restart)
  if (solved.prior) loadMatrix(bench, transposed(basis.toFactors, options.factors), share.layout.prior)
  if (basis.diagonal) loadDiagonal(share, basis.diagonal)
  const { count } = solved.solveShards
  const totals = shardTotals(count)
  const before = solved.factors
  const values = before?.values ?? sharedFloat32(solved.rows * share.layout.padded)
  const message = {
    values,
    rows: solved.sparse,
    order: fixed.order,
    system: {
      ...entryTerms(options),
      ...(basis.diagonal && { lambda: rowLambda(options, fixed.rows) }),
      warm: before !== undefined,
      tolerance: options.tolerance,
      maxSteps: options.maxSteps,
    },
    restart: basis.restart !== undefined,
    ...(solved.prior && { prior: priorOf(solved.prior, options) }),
    quantized,
    outside,
    totals,
  }
  const board = makeBoard(count)
  try {
    const failures = await runInPlace<typeof solveShards>(bench, 'solveShards', solved.solveShards, message, board)
    throwOnFailure(failures, solved, options)
  } catch (error) {
    if (before && running.signal?.aborted) await rebaseRest(bench, solved, before, basis, board)
    throw error
  }
  solved.factors = { values, toFactors: basis.toFactors }
  return addTotals(totals)
}

/** Brings the rows that an abort has left as they were to the basis of those that are solved. */
async function rebaseRest(
  bench: Workbench,
  solved: Side,
  { values, toFactors }: Factors,
  basis: Basis,
  board: ShardBoard,
): Promise<void> {
  const shards = solved.solveShards
  const rest = Array.from({ length: shards.count }, (_, shard) => shard).filter((shard) => !isDone(board, shard))
  const bounds = rest.flatMap((shard) => [shards.bounds[2 * shard], shards.bounds[2 * shard + 1]])
  const r = restartMatrix(bench.dense, toFactors, basis.toFactors, bench.options.factors)
  await rebaseRows({ ...bench, running: {} }, { count: rest.length, bounds: toShared(bounds) }, values, r)
  solved.factors = { values, toFactors: basis.toFactors }
}

function toShared(numbers: number[]): Float64Array<SharedArrayBuffer> {
  const shared = sharedFloat64(numbers.length)
  shared.set(numbers)
  return shared
}

/** The diagonal of the row systems, its two vectors one after the other, 1 in the padding. */
function loadDiagonal({ layout, memory }: KernelShare, { observed, lambda }: NonNullable<Basis['diagonal']>): void {
  const f32 = new Float32Array(memory.buffer, layout.diagonal, 2 * layout.padded).fill(1)
  f32.set(observed)
  f32.set(lambda, layout.padded)
}

export interface SolveTask extends InPlaceTask {
  readonly rows: CompressedRows
  /** Position in Z of each row of the fixed side. */
  readonly order: Uint32Array
  readonly system: RowSystem
  /** Whether the previous factors have to be brought to the new basis. */
  readonly restart: boolean
  readonly prior?: Prior
  /** Whether Z is int8. */
  readonly quantized: boolean
  readonly outside?: OutsideRows
  readonly totals: Float64Array
}

/** Worker task: solves each shard of rows against the fixed side. Returns the row that failed, if one did. */
export function solveShards(task: SolveTask): FailedRow | undefined {
  const { share, slot, board, bounds, values, rows, order, system, restart, prior, quantized, outside, totals } = task
  const codes = rows.values instanceof Uint8Array ? rows.values : undefined
  // The first entry of the current block of rows, and the first of those in the scratch areas.
  let blockFrom = 0
  let fetchedFrom = 0
  const view = viewKernel(share, slot, {
    fetchEntries: (start, count) => fetchEntries(blockFrom + start, blockFrom + start + count),
    fetchRows,
  })
  const { kernel, layout, f32, f64, u32, i32, u8 } = view
  const { padded } = layout
  const [source, block, indptr, lambda, priors, losses, steps] = (
    ['source', 'block', 'indptr', 'lambda', 'priors', 'losses', 'steps'] as const
  ).map(view.at)
  const [indices, entryValues, codeTerms] = (['indices', 'values', 'codeTerms'] as const).map(view.at)

  if (codes) kernel.weighCodebook(layout.codebook, system.alpha, system.shift, codeTerms)
  kernel.setFixedSide(layout.fixed, layout.records, quantized ? 1 : 0, padded)
  kernel.setScratch(
    view.at('records'),
    view.at('weights'),
    view.at('tile'),
    layout.tileRows,
    view.at('vectors'),
    view.at('chunk'),
  )

  for (const shard of takeInPlace(task)) {
    let objective = 0
    let penalty = 0
    let priorPenalty = 0
    let priorProduct = 0
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
      if (!streamed) fetchEntries(begin, begin + entries)
      for (let r = 0; r <= count; r++) i32[indptr / 4 + r] = rows.indptr[first + r] - begin
      if (system.lambda) {
        for (let r = 0; r < count; r++) {
          const n = i32[indptr / 4 + r + 1] - i32[indptr / 4 + r]
          f32[lambda / 4 + r] = lambdaOf(system.lambda, n)
        }
      }
      if (system.warm) {
        f32.set(values.subarray(first * padded, next * padded), (restart ? source : block) / 4)
        if (restart) kernel.multiply(source, count, padded, layout.restart, FULL, block)
      }
      if (prior) priorPenalty += bringPriors(view, prior, first, next, system.lambda !== undefined)
      kernel.setCapacity(streamed ? BLOCK_ENTRIES : 0)
      const failed = kernel.solveRows(
        count,
        indptr,
        block,
        system.lambda ? layout.diagonal : 0,
        lambda,
        prior ? priors : 0,
        system.warm ? 1 : 0,
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
      values.set(f32.subarray(block / 4, block / 4 + count * padded), first * padded)
      for (let r = 0; r < count; r++) {
        objective += f64[losses / 8 + 3 * r]
        if (system.lambda) penalty += f32[lambda / 4 + r] * f64[losses / 8 + 3 * r + 1]
        priorProduct += f64[losses / 8 + 3 * r + 2]
      }
      first = next
    }
    setTotals(totals, shard, { objective, penalty, steps: i32[steps / 4], priorPenalty, priorProduct })
  }
  return undefined

  /**
   * Entries [begin, end) of the matrix to the scratch areas: the records of their columns, their weights and targets. V8 copies
   * between shared arrays eight bytes at a time where both sides are equally far from a multiple of eight, else one by one.
   */
  function fetchEntries(begin: number, end: number): void {
    fetchedFrom = begin
    const count = end - begin
    if (!outside) {
      const at = indices + ((4 * begin) & 7)
      u32.set(rows.indices.subarray(begin, end), at / 4)
      kernel.lookUpRecords(at, count)
    } else {
      const scales = view.at('records') / 4 + 1
      for (let q = 0; q < count; q++) u32[scales + 2 * q] = outside.scales[order[rows.indices[begin + q]]]
    }
    if (codes) {
      const at = entryValues + (begin & 7)
      u8.set(codes.subarray(begin, end), at)
      kernel.weighCodes(at, count, codeTerms)
    } else {
      const at = entryValues + ((4 * begin) & 7)
      f32.set((rows.values as Float32Array).subarray(begin, end), at / 4)
      kernel.weighValues(at, count, system.alpha, system.shift)
    }
  }

  /** Rows of a Z that is outside the kernel's memory, copied as 32-bit words. */
  function fetchRows(start: number, count: number, to: number): void {
    const words = (padded * (quantized ? 1 : 4)) / 4
    const z = new Uint32Array(outside!.rows.buffer)
    for (let q = 0; q < count; q++) {
      const position = order[rows.indices[fetchedFrom + start + q]]
      const at = to / 4 + q * words
      for (let t = 0; t < words; t++) u32[at + t] = z[position * words + t]
    }
  }
}
