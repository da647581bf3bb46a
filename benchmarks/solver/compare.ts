/**
 * One run alternates the programs iteration by iteration, so that whatever else the machine does hits all of them, and
 * an iteration of ours is compared with the peer's right after it.
 */
import { fileURLToPath } from 'node:url'
import { max, median, min } from 'simple-statistics'
import { cachedInteractions, readInteractions } from '../cached-interactions.ts'
import { type MatrixSize, sizes } from '../generate-interactions.ts'
import { ExactLoss, type Objective } from './exact-loss.ts'
import { type Iteration, Program, type ProgramName, type ProgramOptions } from './program.ts'
import { type Column, printTable } from './table.ts'

export interface ComparisonOptions extends ProgramOptions {
  /** A generated size or a data set. */
  data: string
  /** Iterations of ours and of the conjugate-gradient peers. */
  iterations: number
  /** Peers, and how many iterations each joins in: an exact solve takes its time. */
  peers: Partial<Record<ProgramName, number>>
}

export interface Contender {
  name: ProgramName
  iterations: Iteration[]
  /** Exact loss by iteration (from 1). */
  losses: Map<number, number>
  /** Of a training alone: asking for factors, as is done after each iteration here, takes memory of its own. */
  peakRssMb: number
}

export async function compare(options: ComparisonOptions): Promise<{ contenders: Contender[]; shape: MatrixSize }> {
  const prefix = await cachedInteractions(options.data)
  const ourInput = options.data in sizes ? options.data : prefix
  const matrix = readInteractions(prefix)
  const loss = new ExactLoss(matrix)
  const objective: Objective = options
  let initial: string | undefined
  const contenders: (Omit<Contender, 'peakRssMb'> & { program: Program; limit: number })[] = []
  try {
    const enter = async (name: ProgramName, limit: number, input: string): Promise<void> => {
      const program = await Program.start(name, input, { ...options, initial: name === 'seesaw' ? initial : undefined })
      contenders.push({ name, program, limit, iterations: program.iterations, losses: new Map() })
    }
    for (const [name, limit] of Object.entries(options.peers) as [ProgramName, number][]) {
      if (limit > 0) await enter(name, limit, prefix)
    }
    // irspack shows its start before the first iteration, and ours begins with the same.
    if (options.objective === 'ials') {
      initial = cacheFile('start.f32')
      await contenders[0].program.saveFactors(initial)
    }
    await enter('seesaw', options.iterations, ourInput)
    contenders.unshift(contenders.pop()!)
    for (let i = 1; i <= options.iterations; i++) {
      const running = contenders.filter(({ limit }) => i <= limit)
      for (const { program } of running) await program.iterate()
      for (const { program, losses } of running) {
        const path = cacheFile(`${program.name}.factors.f32`)
        losses.set(i, await loss.of(await program.factors(path, matrix.users), objective))
        const { seconds, cpuSeconds } = program.iterations[i - 1]
        console.error(JSON.stringify({ iteration: i, program: program.name, seconds, cpuSeconds, loss: losses.get(i) }))
      }
    }
    const [{ iterations, losses }] = contenders
    const weights = loss.weights(objective)
    for (const { report } of iterations) {
      const reported = report!.loss / weights
      const exact = losses.get(report!.iteration)!
      if (Math.abs(reported / exact - 1) > 1e-4) {
        throw new Error(`train reports a loss of ${reported} after iteration ${report!.iteration}, but it is ${exact}.`)
      }
    }
  } finally {
    await Promise.all(contenders.map(({ program }) => program.close()))
    await loss.close()
  }
  // From the second iteration on, ours holds both sides twice; the peers' memory does not grow after the first.
  const alone = await Program.start('seesaw', ourInput, options)
  await alone.iterate()
  const { peakRssMb: ourPeak } = await alone.iterate()
  await alone.close()
  return {
    contenders: contenders.map(({ name, iterations, losses }) => {
      return { name, iterations, losses, peakRssMb: name === 'seesaw' ? ourPeak : iterations[0].peakRssMb }
    }),
    shape: { users: matrix.users, items: matrix.items, entries: matrix.entries },
  }
}

function cacheFile(name: string): string {
  return fileURLToPath(new URL(`../.cache/${name}`, import.meta.url))
}

/** The peer's seconds over ours, iteration by iteration. */
export function pairedRatios(ours: Contender, peer: Contender): number[] {
  return peer.iterations.map(({ seconds }, i) => seconds / ours.iterations[i].seconds)
}

/** Whether our loss is no higher than the peer's after each of its iterations. */
export function lossNotAbove(ours: Contender, peer: Contender): boolean {
  return [...peer.losses].every(([iteration, loss]) => !(ours.losses.get(iteration)! > loss))
}

/** The peer's time for all its iterations over our time to the same loss; undefined when ours did not reach it. */
export function timeToLossRatio(ours: Contender, peer: Contender): number | undefined {
  const goal = peer.losses.get(peer.iterations.length)
  if (goal === undefined) return undefined
  const reached = [...ours.losses].sort(([a], [b]) => a - b).find(([, loss]) => loss <= goal)
  if (reached === undefined) return undefined
  return totalSeconds(peer.iterations) / totalSeconds(ours.iterations.slice(0, reached[0]))
}

export function printComparison([ours, ...peers]: Contender[]): void {
  const after = [1, 5, 15].filter((iteration) => ours.losses.has(iteration))
  const columns: Column<Contender>[] = [
    ['program', ({ name }) => name],
    ['iterations', ({ iterations }) => String(iterations.length)],
    ['s/iteration: median [min, max]', ({ iterations }) => spread(iterations.map(({ seconds }) => seconds))],
    ['its time / ours: median [min, max]', (peer) => (peer === ours ? '1' : spread(pairedRatios(ours, peer)))],
    ['processor s/iteration', ({ iterations }) => spread(iterations.map(({ cpuSeconds }) => cpuSeconds))],
    ['its / ours', (peer) => (peer === ours ? '1' : (cpuMedian(peer) / cpuMedian(ours)).toFixed(2))],
    ...after.map((i): Column<Contender> => [`loss after ${i}`, ({ losses }) => losses.get(i)?.toExponential(4) ?? '-']),
    [
      'its time / ours, to its last loss',
      (peer) => (peer === ours ? '1' : (timeToLossRatio(ours, peer)?.toFixed(1) ?? '-')),
    ],
    ['peak RSS, MB', ({ peakRssMb }) => peakRssMb.toFixed(0)],
  ]
  printTable(columns, [ours, ...peers])
}

function cpuMedian({ iterations }: Contender): number {
  return median(iterations.map(({ cpuSeconds }) => cpuSeconds))
}

export function spread(values: number[]): string {
  const digits = (value: number) => (value >= 10 ? value.toFixed(1) : value.toPrecision(3))
  return `${digits(median(values))} [${digits(min(values))}, ${digits(max(values))}]`
}

function totalSeconds(iterations: Iteration[]): number {
  return iterations.reduce((total, { seconds }) => total + seconds, 0)
}
