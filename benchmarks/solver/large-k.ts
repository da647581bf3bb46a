/** Many factors on real data (Gowalla), objective ials with nu = 1: where the time of an iteration goes. */
import { median } from 'simple-statistics'
import { cachedInteractions } from '../cached-interactions.ts'
import { runPeer } from '../peers/python.ts'
import { medianIteration, phaseColumns } from './phases.ts'
import { type Iteration, Program, type ProgramName, type ProgramOptions } from './program.ts'
import { type Column, printTable } from './table.ts'

export async function largeK({
  threads,
  quick,
}: {
  threads: number
  quick: boolean
}): Promise<Record<string, unknown>> {
  const data = await cachedInteractions('gowalla')
  const figures: Record<string, unknown> = { data: 'gowalla', threads }
  for (const factors of [512, 1024]) {
    const common = { factors, threads, seed: 1, alpha: 1 }
    const ials = { ...common, objective: 'ials' as const, regularization: 0.005, unobservedWeight: 0.01, nu: 1 }
    const hkv = { ...common, objective: 'hkv' as const, regularization: 0.01, unobservedWeight: 1, nu: 0 }
    const ours = await run('seesaw', data, ials, quick ? 2 : 4)
    const oursHkv = await run('seesaw', data, hkv, quick ? 2 : 4)
    const cg = await run('implicit-cg', data, hkv, quick ? 1 : 2)
    // At 1024 factors an iteration of its Cholesky is 50 TFLOP: the time is that of every 20th row, extrapolated.
    const part = [data, factors, 20, threads].map(String)
    const cholesky = await runPeer<{ seconds: number }>('implicit_cholesky_part.py', part, threads)
    console.log(`Gowalla, k=${factors}, ${threads} threads\n`)
    for (const [objective, program] of Object.entries({ ials: ours, hkv: oursHkv })) {
      const title: Column<Iteration> = ['objective', () => objective]
      printTable([title, ...phaseColumns], [medianIteration(program.iterations)])
    }
    const seconds = (program: Program) => median(program.iterations.map(({ seconds }) => seconds))
    printTable<[string, number]>(
      [
        ['program', ([name]) => name],
        ['s/iteration', ([, theirs]) => theirs.toFixed(2)],
        ['its time / ours (hkv)', ([, theirs]) => (theirs / seconds(oursHkv)).toFixed(1)],
      ],
      [
        ['implicit, CG', seconds(cg)],
        ['implicit, Cholesky (every 20th row)', cholesky.seconds],
      ],
    )
    const { phases, seconds: total } = medianIteration(ours.iterations).report!
    figures[`k${factors}`] = {
      secondsPerIteration: seconds(ours),
      largestShareOutsideSolve: Math.max(phases.gram, phases.basis, phases.transform) / total,
      ratioToImplicitCg: seconds(cg) / seconds(oursHkv),
      ratioToImplicitCholesky: cholesky.seconds / seconds(oursHkv),
    }
  }
  return figures
}

async function run(name: ProgramName, data: string, options: ProgramOptions, iterations: number): Promise<Program> {
  const program = await Program.start(name, data, options)
  for (let i = 0; i < iterations; i++) await program.iterate()
  await program.close()
  return program
}
