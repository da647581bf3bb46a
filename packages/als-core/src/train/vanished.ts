import { SingularError } from '../solve/basis.ts'
import { restoreFactors } from '../solve/restore-shards.ts'
import type { Side } from '../solve/sides.ts'
import type { Workbench } from '../solve/workbench.ts'

/**
 * Scores approach 1, so factors that count are near 1. Rows fail in float32 once λ·n / |f|² is above some 1e31, which needs
 * factors below 1e-12 whatever λ is.
 */
const VANISHED = 1e-10

/**
 * What to throw when a half-sweep has failed against `fixed`: under a λ far too large the factors shrink with every half-sweep
 * until float32 no longer holds the systems, and then the error of the row, which asks for a larger λ, would mislead.
 */
export async function explainFailure(error: unknown, bench: Workbench, fixed: Side): Promise<unknown> {
  const { regularization } = bench.options
  if (bench.running.signal?.aborted || regularization === 0 || !fixed.factors) return error
  const largest = (await restoreFactors(bench, fixed)).reduce((most, value) => Math.max(most, Math.abs(value)), 0)
  // Not so of NaN, which is the mark of a training that diverged.
  if (!(largest < VANISHED)) return error
  return new SingularError(
    `The factors have vanished: the largest of the ${fixed.name} is ${largest.toPrecision(2)}, expected about 1, because regularization ${regularization} outweighs every interaction. Lower regularization, or raise alpha.`,
    { cause: error },
  )
}
