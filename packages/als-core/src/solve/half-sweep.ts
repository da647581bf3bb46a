import { identity } from '../linear-algebra/dense.ts'
import { gramOf } from '../linear-algebra/gram-rows.ts'
import type { PhaseSeconds } from '../model/als-model.ts'
import { rowLambda } from '../model/objective.ts'
import type { ModelOptions } from '../model/options.ts'
import { runShards } from '../pool/run-shards.ts'
import { sharedFloat32, sharedFloat64 } from '../pool/shared-arrays.ts'
import { type Basis, changeBasis, padded as pad } from './basis.ts'
import type { CholeskyTask } from './cholesky-shards.ts'
import type { GramTask, RestoreTask, RotateTask } from './product-shards.ts'
import { encodeRotation, type RotationCodes } from './rotation-codes.ts'
import type { Factors, Side } from './sides.ts'
import type { FailedRow, RowSystem, SolveTask } from './solve-shards.ts'
import type { Workbench } from './workbench.ts'

/** What a half-sweep tells. */
export interface HalfSweep {
  /** The solved side: X̂ is in its spare. */
  readonly toFactors?: Float64Array
  /** Σ over the rows of f(x), the objective less its constant and the other side's regularisation. */
  readonly objective: number
  /** Σ λ|x|² of the solved rows, when λ differs from row to row. */
  readonly penalty: number
  /** Squared norm of the fixed side. */
  readonly fixedSquaredNorm: number
  readonly steps: number
}

/** A row's system could not be solved. */
export class RowError extends Error {
  override readonly name = 'RowError'
  readonly side: 'users' | 'items'
  /** The row in the matrix that was given. */
  readonly row: number

  constructor(side: 'users' | 'items', row: number, options: ModelOptions) {
    super(
      `The system of row ${row} of the ${side} is not positive definite in float32, or not finite: raise regularization (now ${options.regularization}), or check that values × alpha (${options.alpha}) are of ordinary size.`,
    )
    this.side = side
    this.row = row
  }
}

/** Solves every row of `solved` with `fixed` held. The result is in `solved.spare`, uncommitted. */
export async function halfSweep(
  bench: Workbench,
  solved: Side,
  fixed: Side,
  seconds: PhaseSeconds,
): Promise<HalfSweep> {
  const { options, share, pool, coded, outside, running } = bench
  const k = options.factors
  const held = fixed.factors!
  const perRow = options.regularizationScaling !== 'none'
  const system: RowSystem = {
    alpha: options.alpha,
    shift: options.objective === 'hkv' ? 1 : 0,
    ...(perRow && { lambda: rowLambda(options, fixed.rows) }),
    warmFrom: solved.factors ? WARM_FROM : 0,
    tolerance: options.tolerance,
    maxSteps: options.maxSteps,
  }

  let clock = performance.now()
  const lap = (phase: keyof PhaseSeconds): void => {
    const now = performance.now()
    seconds[phase] += (now - clock) / 1000
    clock = now
  }

  bench.onPhase?.('gram')
  const gram = await computeGram(bench, fixed, held)
  lap('gram')

  if (options.solver === 'cholesky') {
    bench.onPhase?.('solve')
    const result = await solveByCholesky(bench, solved, held, gram, system)
    lap('solve')
    return result
  }
  const basis = await changeBasis(bench.dense, {
    gram,
    k,
    fixedToFactors: held.toFactors,
    solvedToFactors: solved.factors?.toFactors,
    unobservedWeight: options.unobservedWeight,
    ...(!perRow && { lambda: options.regularization }),
  })
  if (coded) loadCodes(bench, encodeRotation(basis.rotation, gram, k))
  else loadMatrix(bench, basis.rotation, share.layout.rotation)
  if (basis.restart) loadMatrix(bench, basis.restart, share.layout.restart)
  if (basis.diagonal) loadDiagonal(bench, basis.diagonal)
  lap('eigen')

  bench.onPhase?.('rotate')
  const rotate: Omit<RotateTask, 'slot' | 'board'> = {
    share,
    bounds: fixed.rowShards.bounds,
    factors: held.values,
    triangle: basis.triangle,
    rank: fixed.rank,
    coded,
    outside,
  }
  await runShards(pool, 'rotateShards', fixed.rowShards.count, rotate, running)
  lap('rotate')

  bench.onPhase?.('solve')
  const sums = sharedFloat64(3 * solved.solveShards.count)
  const solve: Omit<SolveTask, 'slot' | 'board'> = {
    share,
    bounds: solved.solveShards.bounds,
    rows: { ...solved.sparse, before: solved.factors?.values ?? solved.spare, after: solved.spare },
    rank: fixed.rank,
    system,
    restart: basis.restart !== undefined,
    coded,
    outside,
    sums,
  }
  const failures = await runShards<FailedRow | undefined>(pool, 'solveShards', solved.solveShards.count, solve, running)
  throwOnFailure(failures, solved, options)
  lap('solve')
  return { ...addUp(sums), toFactors: basis.toFactors, fixedSquaredNorm: basis.squaredNorm }
}

/**
 * Rows with fewer entries start at zero: bringing their previous solution to the new basis, k² multiply-adds, costs more
 * than the passes it saves.
 */
const WARM_FROM = 1

/** F̂ᵀF̂, k×k, symmetric: the shards' partial sums added in their order, so that threads change no bit. */
async function computeGram(bench: Workbench, side: Side, held: Factors): Promise<Float64Array> {
  const { share, partials, pool, running, options } = bench
  const { padded } = share.layout
  const k = options.factors
  if (options.solver === 'cholesky') {
    // The reference is float64 throughout: float32 sums would cost it 1e-7 times the condition number of G + λI.
    const wide = await gramOf(held.values, padded, pool)
    return Float64Array.from({ length: k * k }, (_, at) => wide[Math.floor(at / k) * padded + (at % k)])
  }
  const { count, bounds } = side.gramShards
  const task: Omit<GramTask, 'slot' | 'board'> = { share, bounds, factors: held.values, partials }
  await runShards(pool, 'gramShards', count, task, running)
  const gram = new Float64Array(k * k)
  for (let s = 0; s < count; s++) {
    const partial = partials.subarray(s * padded * padded)
    for (let i = 0; i < k; i++) for (let j = i; j < k; j++) gram[i * k + j] += partial[i * padded + j]
  }
  for (let i = 0; i < k; i++) for (let j = 0; j < i; j++) gram[i * k + j] = gram[j * k + i]
  return gram
}

async function solveByCholesky(
  bench: Workbench,
  solved: Side,
  held: Factors,
  gram: Float64Array,
  system: RowSystem,
): Promise<HalfSweep> {
  const { options, share, pool, running, codebook } = bench
  const k = options.factors
  let fixedSquaredNorm = 0
  const shared = sharedFloat64(k * k)
  for (let i = 0; i < k; i++) {
    fixedSquaredNorm += gram[i * k + i]
    for (let j = 0; j < k; j++) shared[i * k + j] = options.unobservedWeight * gram[i * k + j]
    if (!system.lambda) shared[i * k + i] += options.regularization
  }
  const sums = sharedFloat64(3 * solved.solveShards.count)
  const task: Omit<CholeskyTask, 'slot' | 'board'> = {
    bounds: solved.solveShards.bounds,
    rows: { ...solved.sparse, before: solved.spare, after: solved.spare },
    codebook,
    fixed: held.values,
    gram: shared,
    k,
    padded: share.layout.padded,
    system,
    sums,
  }
  const failures = await runShards<FailedRow | undefined>(
    pool,
    'choleskyShards',
    solved.solveShards.count,
    task,
    running,
  )
  throwOnFailure(failures, solved, options)
  return { ...addUp(sums), fixedSquaredNorm }
}

/** Factors in the basis that users of the library see: X = X̂·P, rows × k, in `restored`. */
export async function restoreFactors(
  bench: Workbench,
  side: Side,
  factors: Factors,
  restored: Float32Array<SharedArrayBuffer> = sharedFloat32(side.rows * bench.options.factors),
): Promise<Float32Array<SharedArrayBuffer>> {
  const { share, pool, options, running } = bench
  const k = options.factors
  loadMatrix(bench, factors.toFactors ?? identity(k), share.layout.rotation)
  const task: Omit<RestoreTask, 'slot' | 'board'> = {
    share,
    bounds: side.rowShards.bounds,
    factors: factors.values,
    restored,
    k,
  }
  await runShards(pool, 'restoreShards', side.rowShards.count, task, { ...running, signal: undefined })
  return restored
}

/** Puts a k×k matrix where the kernel's products read it, by way of the first thread's scratch. */
function loadMatrix({ share, kernel, options }: Workbench, matrix: Float64Array, at: number): void {
  const { layout, memory } = share
  const staging = layout.scratch + layout.areas.gram
  new Float32Array(memory.buffer).set(pad(matrix, options.factors), staging / 4)
  kernel.packPanels(staging, layout.padded, at)
}

/** Puts a matrix of codes where the kernel's integer product reads it. */
function loadCodes({ share: { layout, memory } }: Workbench, { codes, scales, units }: RotationCodes): void {
  new Int16Array(memory.buffer, layout.rotation).set(codes)
  new Float32Array(memory.buffer, layout.rotationScales).set(scales)
  new Float32Array(memory.buffer, layout.rotationUnits).set(units)
}

/** The diagonal of the row systems, its two vectors one after the other, 1 in the padding. */
function loadDiagonal(
  { share: { layout, memory } }: Workbench,
  { observed, lambda }: NonNullable<Basis['diagonal']>,
): void {
  const f32 = new Float32Array(memory.buffer, layout.diagonal, 2 * layout.padded).fill(1)
  f32.set(observed)
  f32.set(lambda, layout.padded)
}

function addUp(sums: Float64Array): { objective: number; penalty: number; steps: number } {
  const total = { objective: 0, penalty: 0, steps: 0 }
  for (let s = 0; s < sums.length; s += 3) {
    total.objective += sums[s]
    total.penalty += sums[s + 1]
    total.steps += sums[s + 2]
  }
  return total
}

function throwOnFailure(results: (FailedRow | undefined)[], side: Side, options: ModelOptions): void {
  const failed = results.filter((result) => result !== undefined).map(({ failedRow }) => failedRow)
  if (failed.length > 0) throw new RowError(side.name, Math.min(...failed), options)
}
