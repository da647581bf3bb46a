/**
 * GFLOP/s on one core, by processor time: the kernel's two products alone, then what whole iterations achieve. The solve
 * phase has the share of an iteration's processor time that it has of its time.
 */
import { median } from 'simple-statistics'
import { compileKernel, supportsRelaxedSimd } from '../../packages/als-core/src/kernel/instantiate.ts'
import * as solverBytes from '../../packages/als-core/src/kernel/solve.wasm.ts'
import type { SolverKernel } from '../../packages/als-core/src/solve/kernel-view.ts'
import { cachedInteractions } from '../cached-interactions.ts'
import { sizes } from '../generate-interactions.ts'
import { cpuSeconds } from '../process-cost.ts'
import { hkv, Program } from './program.ts'
import { printTable } from './table.ts'

/** Rows of a product, as the solver runs it. */
const rows = 64

interface Rates {
  factors: number
  multiply: number
  gram: number
  /** Of a whole iteration on S, one thread. */
  iteration: number
  /** Of its solve phase. */
  solve: number
}

export async function kernel({ quick }: { quick: boolean }): Promise<Record<string, unknown>> {
  const rates: Rates[] = []
  for (const factors of quick ? [128] : [64, 128, 256, 512]) {
    rates.push({ factors, ...products(factors), ...(await iterations(factors)) })
  }
  console.log(`One core, ${supportsRelaxedSimd() ? 'relaxed SIMD (fused multiply-add)' : 'SIMD'}, GFLOP/s\n`)
  printTable<Rates>(
    [
      ['k', ({ factors }) => String(factors)],
      ['product X·W', ({ multiply }) => multiply.toFixed(1)],
      ['Gram XᵀX', ({ gram }) => gram.toFixed(1)],
      ['solve phase on S', ({ solve }) => solve.toFixed(1)],
      ['iteration on S', ({ iteration }) => iteration.toFixed(1)],
      ['iteration / product', ({ iteration, multiply }) => `${((100 * iteration) / multiply).toFixed(0)} %`],
    ],
    rates,
  )
  const { multiply, iteration } = rates.find(({ factors }) => factors === 128)!
  return { gflopsProduct: multiply, gflopsIteration: iteration }
}

/** Multiply: 2k² a row. Gram: the upper triangle, k(k+1) a row. */
function products(k: number): { multiply: number; gram: number } {
  const square = 4 * k * k
  const block = 4 * k * rows
  const [w, a, c, g] = [65_536, 65_536 + square, 65_536 + square + block, 65_536 + square + 2 * block]
  const pages = Math.ceil((g + square) / 65_536)
  const memory = new WebAssembly.Memory({ initial: pages, maximum: pages, shared: true })
  const unused = (): void => {}
  const env = { memory, fetchEntries: unused, fetchRows: unused }
  const { multiply, gram } = new WebAssembly.Instance(compileKernel(solverBytes), { env })
    .exports as unknown as SolverKernel
  new Float32Array(memory.buffer).fill(0.5)
  return {
    multiply: rate(2 * rows * k * k, () => multiply(a, rows, k, w, 0, c)),
    gram: rate(rows * k * (k + 1), () => gram(a, rows, k, c, g)),
  }
}

/** Median GFLOP/s of eleven runs of 50 ms, after one to warm up. */
function rate(flops: number, run: () => void): number {
  const measured = Array.from({ length: 12 }, () => {
    const start = cpuSeconds()
    let count = 0
    while (cpuSeconds() - start < 0.05) for (let i = 0; i < 10; i++, count++) run()
    return (count * flops) / (cpuSeconds() - start) / 1e9
  })
  return median(measured.slice(1))
}

/**
 * An iteration on S. Of the solve phase (4 s + 2) k operations an entry in s steps are counted: a pass to start, s - 1
 * passes of two multiply-adds an entry and factor, and half a pass for the last step.
 */
async function iterations(factors: number): Promise<{ solve: number; iteration: number }> {
  const { users, items, entries } = sizes.S
  const program = await Program.start('seesaw', await cachedInteractions('S'), {
    ...hkv,
    factors,
    threads: 1,
  })
  for (let i = 0; i < 6; i++) await program.iterate()
  await program.close()
  const measured = program.iterations.slice(1).map(({ report, cpuSeconds }) => {
    const { stepsPerRow, phases, seconds } = report!
    const solve = 2 * entries * (4 * stepsPerRow + 2) * factors
    const rest = (users + items) * (factors * (factors + 1) + 2 * factors * factors)
    const solveSeconds = (cpuSeconds * phases.solve) / seconds
    return { solve: solve / solveSeconds / 1e9, iteration: (solve + rest) / cpuSeconds / 1e9 }
  })
  return {
    solve: median(measured.map(({ solve }) => solve)),
    iteration: median(measured.map(({ iteration }) => iteration)),
  }
}
