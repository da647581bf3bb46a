/**
 * Time to loss: one run alternates the programs iteration by iteration, so that whatever else the machine does hits all of
 * them, and sends all factors through one and the same computation of the objective.
 */
import { execFileSync } from 'node:child_process'
import { fileURLToPath } from 'node:url'
import { cachedInteractions, readInteractions } from '../cached-interactions.ts'
import { type MatrixSize, sizes } from '../generate-interactions.ts'
import { ExactLoss, type Objective } from './exact-loss.ts'
import { Program, type ProgramName, type ProgramOptions } from './program.ts'
import { type Column, printTable } from './table.ts'

export interface ComparisonOptions extends ProgramOptions {
  /** A generated size or a data set. */
  data: string
  /** Iterations of the peers; ours goes on until it is at the loss of the best of them, twice as many at most. */
  iterations: number
  /** Iterations after which losses are compared. */
  marks: number[]
  /** Peers, and how many iterations each joins in: an exact solve takes its time. */
  peers: Partial<Record<ProgramName, number>>
}

/** Where a program is after an iteration: seconds since the start of its training, and the exact loss. */
export interface Mark {
  readonly iteration: number
  readonly seconds: number
  readonly cpuSeconds: number
  readonly loss: number
}

export interface Contender {
  readonly name: ProgramName
  readonly marks: Mark[]
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
  const entered: (Contender & { program: Program; limit: number })[] = []
  try {
    const enter = async (name: ProgramName, limit: number, input: string): Promise<void> => {
      const program = await Program.start(name, input, { ...options, initial: name === 'seesaw' ? initial : undefined })
      entered.push({ name, program, limit, marks: [], peakRssMb: 0 })
    }
    for (const [name, limit] of Object.entries(options.peers) as [ProgramName, number][]) {
      if (limit > 0) await enter(name, limit, prefix)
    }
    // irspack shows its start before the first iteration, and ours begins with the same.
    if (options.objective === 'ials') {
      initial = cacheFile('start.f32')
      await entered[0].program.saveFactors(initial)
    }
    await enter('seesaw', options.iterations, ourInput)
    entered.unshift(entered.pop()!)
    const iterate = async (i: number, running: typeof entered): Promise<void> => {
      for (const { program } of running) await program.iterate(i)
      for (const contender of running) {
        const { program, marks } = contender
        const path = cacheFile(`${program.name}.factors.f32`)
        const exact = await loss.of(await program.factors(path, matrix.users), objective)
        const { seconds, cpuSeconds, peakRssMb } = program.iterations[program.iterations.length - 1]
        // A program that cannot be stepped trains anew, and tells the time of all iterations.
        const before = program.isStepped ? marks.at(-1) : undefined
        marks.push({
          iteration: i,
          seconds: (before?.seconds ?? 0) + seconds,
          cpuSeconds: (before?.cpuSeconds ?? 0) + cpuSeconds,
          loss: exact,
        })
        contender.peakRssMb ||= peakRssMb
        console.error(JSON.stringify({ program: program.name, ...marks.at(-1) }))
      }
    }
    for (let i = 1; i <= options.iterations; i++) {
      const isMark = options.marks.includes(i)
      await iterate(
        i,
        entered.filter(({ program, limit }) => i <= limit && (program.isStepped || isMark)),
      )
    }
    const [ours, ...peers] = entered
    const goal = bestPeer(peers, options.iterations)?.loss ?? Number.POSITIVE_INFINITY
    for (let i = options.iterations + 1; i <= 2 * options.iterations && !(ours.marks.at(-1)!.loss <= goal); i++) {
      await iterate(i, [ours])
    }
    const weights = loss.weights(objective)
    for (const [at, { report }] of ours.program.iterations.entries()) {
      const reported = report!.loss / weights
      const exact = ours.marks[at].loss
      if (Math.abs(reported / exact - 1) > 1e-4) {
        throw new Error(`train reports a loss of ${reported} after iteration ${report!.iteration}, but it is ${exact}.`)
      }
    }
  } finally {
    await Promise.all(entered.map(({ program }) => program.close()))
    await loss.close()
  }
  entered[0].peakRssMb = peakOfTraining(prefix, options)
  return {
    contenders: entered.map(({ name, marks, peakRssMb }) => ({ name, marks, peakRssMb })),
    shape: { users: matrix.users, items: matrix.items, entries: matrix.entries },
  }
}

/** Of ours as an installed package has it, compiled; the peers' memory does not grow after the first iteration. */
function peakOfTraining(prefix: string, options: ProgramOptions): number {
  const root = fileURLToPath(new URL('../../', import.meta.url))
  execFileSync(`${root}node_modules/.bin/tsc`, ['-b', 'packages/als-core'], { cwd: root, stdio: 'inherit' })
  const program = fileURLToPath(new URL('./memory-program.mjs', import.meta.url))
  return Number(execFileSync(process.execPath, [program, prefix, JSON.stringify(options)]))
}

function cacheFile(name: string): string {
  return fileURLToPath(new URL(`../.cache/${name}`, import.meta.url))
}

export function markAt({ marks }: Pick<Contender, 'marks'>, iteration: number): Mark | undefined {
  return marks.find((mark) => mark.iteration === iteration)
}

/** The peer with the lowest loss after so many iterations. */
export function bestPeer(
  peers: readonly Contender[],
  iteration: number,
): { name: ProgramName; loss: number } | undefined {
  const losses = peers.flatMap((peer) => {
    const mark = markAt(peer, iteration)
    return mark && !isExact(peer.name) ? [{ name: peer.name, loss: mark.loss }] : []
  })
  return losses.sort((a, b) => a.loss - b.loss)[0]
}

/** Exact solvers are compared by iteration, in a column of their own. */
export function isExact(name: ProgramName): boolean {
  return name.endsWith('-cholesky')
}

/** A peer's time for so many iterations over ours to the loss that it then has; undefined when ours did not reach it. */
export function timeToLossRatio(
  ours: Contender,
  peer: Contender,
  iteration: number,
  clock: 'seconds' | 'cpuSeconds',
): number | undefined {
  const goal = markAt(peer, iteration)
  const reached = goal && ours.marks.find(({ loss }) => loss <= goal.loss)
  return reached && goal[clock] / reached[clock]
}

/** A peer's processor time for an iteration over ours, over as many iterations as both have. */
export function iterationRatio(ours: Contender, peer: Contender): number | undefined {
  const last = peer.marks.at(-1)
  const same = last && markAt(ours, last.iteration)
  return same && last.cpuSeconds / same.cpuSeconds
}

export function printComparison([ours, ...peers]: Contender[], marks: number[]): void {
  const number = (value: number | undefined, digits = 2) => value?.toFixed(digits) ?? '-'
  const perIteration = ({ marks }: Contender, clock: 'seconds' | 'cpuSeconds') =>
    (marks.at(-1)![clock] / marks.at(-1)!.iteration).toPrecision(3)
  const columns: Column<Contender>[] = [
    ['program', ({ name }) => name],
    ...marks.map((i): Column<Contender> => [`loss after ${i}`, (c) => markAt(c, i)?.loss.toExponential(4) ?? '-']),
    ...marks.flatMap((i): Column<Contender>[] => [
      [
        `processor time to its loss after ${i} / ours`,
        (peer) => (peer === ours ? '1' : number(timeToLossRatio(ours, peer, i, 'cpuSeconds'))),
      ],
    ]),
    ['iterations', (c) => String(c.marks.at(-1)!.iteration)],
    ['s/iteration', (c) => perIteration(c, 'seconds')],
    ['processor s/iteration', (c) => perIteration(c, 'cpuSeconds')],
    ['its / ours', (peer) => (peer === ours ? '1' : number(iterationRatio(ours, peer)))],
    ['peak RSS, MB', ({ peakRssMb }) => peakRssMb.toFixed(0)],
  ]
  printTable(columns, [ours, ...peers])
}
