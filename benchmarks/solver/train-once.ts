/** Ours alone on a matrix that leaves no room for anything beside it, generated straight into the process that trains. */
import { planMemory } from '@seesaw/als-core'
import { sizes } from '../generate-interactions.ts'
import { phaseColumns } from './phases.ts'
import { hkv, Program } from './program.ts'
import { printTable } from './table.ts'

export interface TrainOnceOptions {
  size: '1B'
  factors: number
  threads: number
  iterations: number
}

export async function trainOnce({
  size,
  factors,
  threads,
  iterations,
}: TrainOnceOptions): Promise<Record<string, unknown>> {
  const program = await Program.start('seesaw', size, {
    ...hkv,
    factors,
    threads,
  })
  for (let i = 0; i < iterations; i++) await program.iterate()
  await program.close()
  printTable(
    [
      ['iteration', ({ report }) => String(report!.iteration)],
      ...phaseColumns,
      ['loss', ({ report }) => report!.loss.toExponential(4)],
    ],
    program.iterations,
  )
  const last = program.iterations.at(-1)!
  return {
    size,
    factors,
    threads,
    secondsPerIteration: last.seconds,
    ratioToImplicitCg: null,
    ratioToImplicitCholesky: null,
    lossNotAbove: null,
    timeToLossRatio: null,
    peakRssMb: Math.round(last.peakRssMb),
    plannedMb: Math.round(planMemory({ ...sizes[size], factors, threads }).total / 1e6),
  }
}
