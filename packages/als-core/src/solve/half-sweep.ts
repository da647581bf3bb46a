import { trace } from '../linear-algebra/dense.ts'
import type { PhaseSeconds } from '../model/als-model.ts'
import { changeBasis } from './basis.ts'
import { solveByCholesky } from './cholesky-shards.ts'
import { computeGram } from './gram-shards.ts'
import type { SolveTotals } from './row-system.ts'
import type { Side } from './sides.ts'
import { solveByConjugateGradients } from './solve-shards.ts'
import { transformFixedSide } from './transform-shards.ts'
import type { Workbench } from './workbench.ts'

/** What a half-sweep tells. */
export interface HalfSweep extends SolveTotals {
  /** Squared norm of the fixed side. */
  readonly fixedSquaredNorm: number
}

/**
 * Solves every row of `solved`, in place, while `fixed` stays as it is. When the signal aborts it, every row is one that was
 * solved or one from before, all in one basis.
 */
export async function halfSweep(
  bench: Workbench,
  solved: Side,
  fixed: Side,
  seconds: PhaseSeconds,
): Promise<HalfSweep> {
  const { options } = bench
  const step = <T>(phase: keyof PhaseSeconds, work: () => Promise<T>) => timed(bench, seconds, phase, work)

  const gram = await step('gram', () => computeGram(bench, fixed))
  if (options.solver === 'cholesky') {
    const totals = await step('solve', () => solveByCholesky(bench, solved, fixed, gram))
    return { ...totals, fixedSquaredNorm: trace(gram, options.factors) }
  }

  const basis = await step('basis', () =>
    changeBasis(bench.dense, {
      gram,
      k: options.factors,
      fixedToFactors: fixed.factors!.toFactors,
      solvedToFactors: solved.factors?.toFactors,
      unobservedWeight: options.unobservedWeight,
      ...(options.regularizationScaling === 'none' && { lambda: options.regularization }),
    }),
  )
  await step('transform', () => transformFixedSide(bench, fixed, basis))
  const totals = await step('solve', () => solveByConjugateGradients(bench, solved, fixed, basis))
  return { ...totals, fixedSquaredNorm: basis.squaredNorm }
}

async function timed<T>(
  bench: Workbench,
  seconds: PhaseSeconds,
  phase: keyof PhaseSeconds,
  work: () => Promise<T>,
): Promise<T> {
  bench.onPhase?.(phase)
  const started = performance.now()
  const result = await work()
  seconds[phase] += (performance.now() - started) / 1000
  return result
}
