/**
 * Time to loss of the solver and of its peers (objective hkv), or of irspack alone (ials), alternating iteration by iteration.
 *
 *   npm run bench -- solver [--size S|M|L|1B|gowalla|...] [--factors 128] [--threads 2] [--iterations 15]
 *                           [--objective hkv|ials] [--tolerance T] [--momentum B] [--exact-iterations 1]
 *                           [--peers implicit-cg,rusket-anderson,...] [--quick]
 *   npm run bench -- solver --part quality | large-k | scaling | kernel | native | exactness | over-4-gib [--quick]
 */
import { parseArgs } from 'node:util'
import { planMemory } from '@seesaw/als-core'
import {
  bestPeer,
  type ComparisonOptions,
  compare,
  isExact,
  iterationRatio,
  markAt,
  printComparison,
  timeToLossRatio,
} from '../solver/compare.ts'
import { exactness } from '../solver/exactness.ts'
import { kernel } from '../solver/kernel.ts'
import { largeK } from '../solver/large-k.ts'
import { native } from '../solver/native.ts'
import { overFourGib } from '../solver/over-four-gib.ts'
import type { ProgramName } from '../solver/program.ts'
import { scaling } from '../solver/scaling.ts'
import { timeToQuality } from '../solver/time-to-quality.ts'
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
      momentum: { type: 'string' },
      peers: { type: 'string' },
      seeds: { type: 'string' },
      part: { type: 'string', default: 'compare' },
      quick: { type: 'boolean', default: false },
    },
  })
  const size = values.size
  const factors = Number(values.factors)
  const threads = Number(values.threads)
  if (values.part === 'quality')
    return timeToQuality({ threads, seeds: Number(values.seeds ?? (values.quick ? 1 : 3)), quick: values.quick })
  if (values.part === 'large-k') return largeK({ threads, quick: values.quick })
  if (values.part === 'scaling') return scaling({ quick: values.quick })
  if (values.part === 'kernel') return kernel({ quick: values.quick })
  if (values.part === 'native') return native({ size, factors })
  if (values.part === 'exactness') return exactness({ threads, quick: values.quick })
  if (values.part === 'over-4-gib') return overFourGib({ threads })
  if (size === '1B') return trainOnce({ size, factors, threads, iterations: Number(values.iterations ?? 2) })

  const iterations = Number(values.iterations ?? (values.quick ? 5 : size === 'L' ? 3 : 15))
  // An exact solve of M takes a minute, of L ten.
  const exact = Number(values['exact-iterations'] ?? (size === 'L' ? 0 : 1))
  const marks = [1, 5, 15].filter((mark) => mark < iterations).concat(iterations)
  const shared = {
    data: size,
    iterations,
    marks,
    factors,
    threads,
    seed: 1,
    alpha: 1,
    ...(values.tolerance && { tolerance: Number(values.tolerance) }),
    ...(values.momentum && { momentum: Number(values.momentum) }),
  }
  const all: ComparisonOptions['peers'] =
    values.objective === 'ials'
      ? { 'irspack-cg': iterations, 'irspack-ialspp': iterations, 'irspack-cholesky': exact }
      : {
          'implicit-cg': iterations,
          'irspack-cg': iterations,
          'rusket-cg': iterations,
          'rusket-anderson': iterations,
          'cmfrec-cg': iterations,
          'implicit-cholesky': exact,
          'irspack-cholesky': exact,
        }
  const wanted = values.peers?.split(',') as ProgramName[] | undefined
  const peers = Object.fromEntries(
    Object.entries(all).filter(([name]) => wanted?.includes(name as ProgramName) ?? true),
  )
  const options: ComparisonOptions =
    values.objective === 'ials'
      ? { ...shared, peers, objective: 'ials', regularization: 0.005, unobservedWeight: 0.01, nu: 1 }
      : { ...shared, peers, objective: 'hkv', regularization: 0.01, unobservedWeight: 1, nu: 0 }
  const { contenders, shape } = await compare(options)
  printComparison(contenders, marks)
  const [ours, ...others] = contenders
  const best = others.find(({ name }) => name === bestPeer(others, iterations)?.name)
  const ratio = (mark: number, clock: 'seconds' | 'cpuSeconds') =>
    best ? (timeToLossRatio(ours, best, mark, clock) ?? null) : null
  const first = marks.find((mark) => mark > 1) ?? 1
  const library = values.objective === 'ials' ? 'irspack' : 'implicit'
  const cg = others.find(({ name }) => name === `${library}-cg`)
  const exactRatios = others.flatMap((peer) => (isExact(peer.name) ? [iterationRatio(ours, peer) ?? 0] : []))
  return {
    size,
    factors,
    threads,
    ...(values.objective === 'ials' && { objective: 'ials' }),
    bestPeer: best?.name ?? null,
    timeToLossRatio: ratio(iterations, 'seconds'),
    cpuToLossRatio: ratio(iterations, 'cpuSeconds'),
    [`cpuToLossRatioAfter${first}`]: ratio(first, 'cpuSeconds'),
    [library === 'implicit' ? 'ratioToImplicitCg' : 'ratioToIrspackCg']: cg ? (iterationRatio(ours, cg) ?? null) : null,
    ratioToFastestCholesky: exactRatios.length > 0 ? Math.min(...exactRatios) : null,
    lossNotAbove: others.every((peer) => {
      const mark = markAt(peer, iterations)
      return mark === undefined || markAt(ours, iterations)!.loss <= mark.loss
    }),
    peakRssMb: Math.round(ours.peakRssMb),
    plannedMb: Math.round(planMemory({ ...shape, factors, threads }).total / 1e6),
  }
}
