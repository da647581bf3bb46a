/**
 * The solver against implicit (objective hkv) or irspack (objective ials), alternating iteration by iteration.
 *
 *   npm run bench -- solver [--size S|M|L|1B|gowalla|...] [--factors 128] [--threads 2] [--iterations 15]
 *                           [--objective hkv|ials] [--tolerance T] [--exact-iterations 15] [--quick]
 *   npm run bench -- solver --part large-k | scaling | kernel | native | exactness | over-4-gib [--quick]
 */
import { parseArgs } from 'node:util'
import { planMemory } from '@seesaw/als-core'
import { median } from 'simple-statistics'
import {
  type ComparisonOptions,
  compare,
  lossNotAbove,
  pairedRatios,
  printComparison,
  timeToLossRatio,
} from '../solver/compare.ts'
import { exactness } from '../solver/exactness.ts'
import { kernel } from '../solver/kernel.ts'
import { largeK } from '../solver/large-k.ts'
import { native } from '../solver/native.ts'
import { overFourGib } from '../solver/over-four-gib.ts'
import { scaling } from '../solver/scaling.ts'
import { trainOnce } from '../solver/train-once.ts'

export async function main(args: string[]): Promise<Record<string, unknown>> {
  const { values } = parseArgs({
    args,
    options: {
      size: { type: 'string', default: 'S' },
      factors: { type: 'string', default: '128' },
      threads: { type: 'string', default: '2' },
      iterations: { type: 'string' },
      'exact-iterations': { type: 'string' },
      objective: { type: 'string', default: 'hkv' },
      tolerance: { type: 'string' },
      part: { type: 'string', default: 'compare' },
      quick: { type: 'boolean', default: false },
    },
  })
  const size = values.size
  const factors = Number(values.factors)
  const threads = Number(values.threads)
  if (values.part === 'large-k') return largeK({ threads, quick: values.quick })
  if (values.part === 'scaling') return scaling({ quick: values.quick })
  if (values.part === 'kernel') return kernel({ quick: values.quick })
  if (values.part === 'native') return native({ size, factors })
  if (values.part === 'exactness') return exactness({ threads, quick: values.quick })
  if (values.part === 'over-4-gib') return overFourGib({ threads })
  if (size === '1B') return trainOnce({ size, factors, threads, iterations: Number(values.iterations ?? 2) })

  const iterations = Number(values.iterations ?? (values.quick ? 5 : size === 'L' ? 1 : 15))
  // An exact solve of M takes a minute, of L ten.
  const exact = Number(values['exact-iterations'] ?? (size === 'L' ? 0 : values.quick || size === 'M' ? 1 : iterations))
  const options: ComparisonOptions = {
    data: size,
    iterations,
    factors,
    threads,
    seed: 1,
    alpha: 1,
    // Against implicit rows are solved as well as it takes for a loss no higher than its own after every iteration: on M 0.2
    // does for eight, 0.1 for twelve, 0.04 for all 15. After the sixth a row takes one step in any case.
    tolerance: values.tolerance
      ? Number(values.tolerance)
      : values.objective === 'ials'
        ? undefined
        : size === 'M'
          ? 0.04
          : 0.3,
    ...(values.objective === 'ials'
      ? {
          objective: 'ials',
          regularization: 0.005,
          unobservedWeight: 0.01,
          nu: 1,
          peers: { 'irspack-cg': iterations, 'irspack-cholesky': exact, 'irspack-ialspp': iterations },
        }
      : {
          objective: 'hkv',
          regularization: 0.01,
          unobservedWeight: 1,
          nu: 0,
          peers: { 'implicit-cg': iterations, 'implicit-cholesky': exact },
        }),
  }
  const { contenders, shape } = await compare(options)
  printComparison(contenders)
  const [ours, cg] = contenders
  const cholesky = contenders.at(2)
  const library = values.objective === 'ials' ? 'Irspack' : 'Implicit'
  return {
    size,
    factors,
    threads,
    ...(values.objective === 'ials' && { objective: 'ials' }),
    secondsPerIteration: median(ours.iterations.map(({ seconds }) => seconds)),
    [`ratioTo${library}Cg`]: median(pairedRatios(ours, cg)),
    [`ratioTo${library}Cholesky`]: cholesky ? median(pairedRatios(ours, cholesky)) : null,
    lossNotAbove: lossNotAbove(ours, cg),
    timeToLossRatio: timeToLossRatio(ours, cg) ?? null,
    peakRssMb: Math.round(ours.peakRssMb),
    plannedMb: Math.round(planMemory({ ...shape, factors, threads }).total / 1e6),
  }
}
