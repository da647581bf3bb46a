/** Seconds per iteration against threads, entries and factors, beside implicit's conjugate gradients. */
import { min } from 'simple-statistics'
import { cachedInteractions } from '../cached-interactions.ts'
import { type ChartPoint, writeLineChart } from '../charts/line-chart.ts'
import { sizes } from '../generate-interactions.ts'
import { hkv, Program, type ProgramName } from './program.ts'
import { printTable } from './table.ts'

interface Point {
  data: string
  factors: number
  threads: number
  /** Least seconds of an iteration: what the program takes when nothing else runs. */
  seesaw: number
  implicit: number
}

export async function scaling({ quick }: { quick: boolean }): Promise<Record<string, unknown>> {
  const iterations = quick ? 2 : 6
  const measure = async (data: string, factors: number, threads: number): Promise<Point> => {
    const point = { data, factors, threads, ...(await alternate(data, factors, threads, iterations)) }
    console.error(JSON.stringify(point))
    return point
  }
  const byThreads: Point[] = []
  for (const threads of [1, 2]) byThreads.push(await measure('S', 128, threads))
  const byFactors: Point[] = []
  for (const factors of quick ? [64, 128] : [64, 128, 256]) byFactors.push(await measure('S', factors, 2))
  const byEntries: Point[] = []
  for (const data of quick ? ['N1'] : ['N1', 'N4', 'N16']) byEntries.push(await measure(data, 128, 2))

  print('Threads (S, k=128)', byThreads)
  print('Factors (S, 2 threads)', byFactors)
  print('Entries (100k users × 40k items, k=128, 2 threads)', byEntries)
  if (!quick) drawCharts(byThreads, byFactors, byEntries)
  return {
    threadsSpeedup: byThreads[0].seesaw / byThreads[1].seesaw,
    implicitThreadsSpeedup: byThreads[0].implicit / byThreads[1].implicit,
  }
}

function drawCharts(byThreads: Point[], byFactors: Point[], byEntries: Point[]): void {
  writeLineChart({
    name: 'solver-factors',
    title: 'Seconds per iteration by factors k (S: 2.5M entries, 2 threads)',
    x: 'factors k',
    points: byFactors.flatMap((point) => series(point, point.factors)),
  })
  writeLineChart({
    name: 'solver-entries',
    title: 'Seconds per iteration by millions of entries (100k users × 40k items, k=128, 2 threads)',
    x: 'million entries',
    points: byEntries.flatMap((point) => series(point, sizes[point.data as keyof typeof sizes].entries / 1e6)),
  })
  writeLineChart({
    name: 'solver-threads',
    title: 'Seconds per iteration by threads (S: 2.5M entries, k=128)',
    x: 'threads',
    points: byThreads.flatMap((point) => series(point, point.threads)),
  })
}

/** The least of both programs' iterations, run in turn; ours at implicit's accuracy, as in the comparison. */
async function alternate(
  data: string,
  factors: number,
  threads: number,
  iterations: number,
): Promise<{ seesaw: number; implicit: number }> {
  const prefix = await cachedInteractions(data)
  const options = {
    ...hkv,
    factors,
    threads,
    tolerance: 0.3,
  } as const
  const names: ProgramName[] = ['seesaw', 'implicit-cg']
  const programs = await Promise.all(names.map((name) => Program.start(name, prefix, options)))
  for (let i = 0; i < iterations; i++) for (const program of programs) await program.iterate()
  // The first iteration starts at random, without the users' solution before.
  const [seesaw, implicit] = programs.map(({ iterations }) => min(iterations.slice(1).map(({ seconds }) => seconds)))
  await Promise.all(programs.map((program) => program.close()))
  return { seesaw, implicit }
}

function print(title: string, points: Point[]): void {
  console.log(`${title}\n`)
  printTable(
    [
      ['data', ({ data }) => data],
      ['entries', ({ data }) => `${sizes[data as keyof typeof sizes].entries / 1e6}M`],
      ['k', ({ factors }) => String(factors)],
      ['threads', ({ threads }) => String(threads)],
      ['seesaw, s/iteration', ({ seesaw }) => seesaw.toFixed(3)],
      ['implicit CG, s/iteration', ({ implicit }) => implicit.toFixed(3)],
      ['ratio', ({ seesaw, implicit }) => (implicit / seesaw).toFixed(1)],
    ],
    points,
  )
}

function series({ seesaw, implicit }: Point, x: number): ChartPoint[] {
  return [
    { series: 'seesaw', x, y: seesaw },
    { series: 'implicit, CG', x, y: implicit },
  ]
}
