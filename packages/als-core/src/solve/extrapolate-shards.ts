import { continues, restartMatrix } from './basis.ts'
import { rebaseRows } from './rebase-shards.ts'
import { type InPlaceTask, runInPlace, takeInPlace } from './rows-in-place.ts'
import type { Factors, Side } from './sides.ts'
import type { Workbench } from './workbench.ts'

/**
 * Moves a side on in the direction that it came from: Y + β(Y - Y₋), with Y₋ the factors of the iteration before, in whose
 * memory the result is (Nesterov 1983; for alternating least squares Mitchell, Ye and De Sterck 2020).
 *
 * The difference is taken in the basis of Y. Where one basis continues the other, Y₋ stays as it is: on S the loss after 15
 * iterations is then 4e-5 lower than with the exact change of basis.
 *
 * @returns Y, which the side then no longer has.
 */
export async function extrapolate(bench: Workbench, side: Side, before: Factors, weight: number): Promise<Factors> {
  const { values, toFactors } = side.factors!
  const k = bench.options.factors
  if (toFactors && !continues(before.toFactors, toFactors, k)) {
    await rebaseRows(bench, side.solveShards, before.values, restartMatrix(bench.dense, before.toFactors, toFactors, k))
  }
  const message = { values: before.values, now: values, weight }
  await runInPlace<typeof extrapolateShards>(bench, 'extrapolateShards', side.solveShards, message)
  side.factors = { values: before.values, toFactors }
  return { values, toFactors }
}

export interface ExtrapolateTask extends InPlaceTask {
  /** rows × padded: Y. `values` is Y₋. */
  readonly now: Float32Array
  readonly weight: number
}

/** Worker task: Y + β(Y - Y₋) in the place of Y₋. */
export function extrapolateShards(task: ExtrapolateTask): void {
  const { share, bounds, values, now, weight } = task
  const { padded } = share.layout
  for (const shard of takeInPlace(task)) {
    const end = bounds[2 * shard + 1] * padded
    for (let i = bounds[2 * shard] * padded; i < end; i++) values[i] = now[i] + weight * (now[i] - values[i])
  }
}
