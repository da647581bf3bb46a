/**
 * Time to quality: processor seconds until a program's Recall@20 is at 99 % of the best that a peer ends with, at 256 factors.
 *
 * Ours and irspack minimise `ials` (α0 = 0.01, λ = 0.005, ν = 1). The others have `hkv` alone, which is that objective divided
 * by α0 but for the weight of an observed pair as unobserved: α = 1/α0, and one λ for all rows, the mean of theirs over α0.
 */
import { fileURLToPath } from 'node:url'
import { type AlsModel, evaluate, type InteractionMatrix } from '@seesaw/als-core'
import { median } from 'simple-statistics'
import { cachedInteractions, readInteractions } from '../cached-interactions.ts'
import { type DataSet, dataSets, readDataSet } from '../quality/data-sets.ts'
import { Program, type ProgramName, type ProgramOptions } from './program.ts'
import { type Column, printTable } from './table.ts'

const FACTORS = 256
const ITERATIONS = 12
/** Of programs that train anew for each mark. */
const MARKS = [2, 3, 4, 5, 6, 8, 12]
const PEERS: ProgramName[] = ['irspack-cg', 'implicit-cg', 'rusket-cg', 'rusket-anderson', 'cmfrec-cg']

interface Course {
  readonly name: ProgramName
  readonly points: { iteration: number; seconds: number; cpuSeconds: number; recall: number }[]
}

interface Row {
  readonly name: ProgramName
  /** By seed; undefined where the goal was not reached. */
  readonly toGoal: ({ iteration: number; cpuSeconds: number } | undefined)[]
  readonly ratios: number[]
  readonly last: number[]
}

export async function timeToQuality({
  threads,
  seeds,
  quick,
}: {
  threads: number
  seeds: number
  quick: boolean
}): Promise<Record<string, unknown>> {
  const results: Record<string, unknown> = {}
  for (const data of quick ? dataSets.slice(0, 1) : dataSets) {
    const parts = readDataSet(data)
    if (!parts) continue
    const runs: { goal: number; courses: Course[] }[] = []
    for (let seed = 1; seed <= seeds; seed++) runs.push(await race(data, parts.test, threads, seed))
    const rows = ['seesaw' as ProgramName, ...PEERS].map((name): Row => {
      const toGoal = runs.map(({ goal, courses }) => reach(courses, name, goal))
      const ours = runs.map(({ goal, courses }) => reach(courses, 'seesaw', goal))
      return {
        name,
        toGoal,
        ratios: toGoal.flatMap((peer, run) => (peer && ours[run] ? [peer.cpuSeconds / ours[run].cpuSeconds] : [])),
        last: runs.map(({ courses }) => courses.find((course) => course.name === name)!.points.at(-1)!.recall),
      }
    })
    console.log(`${data}: goal ${runs.map(({ goal }) => goal.toFixed(4)).join(', ')}`)
    printTable(columns, rows)
    const [, ...peers] = rows
    const reached = peers.filter(({ ratios }) => ratios.length > 0).sort((a, b) => median(a.ratios) - median(b.ratios))
    results[data] = reached[0]
      ? { bestPeer: reached[0].name, cpuToQualityRatio: median(reached[0].ratios) }
      : { bestPeer: null, cpuToQualityRatio: null }
  }
  return { part: 'quality', factors: FACTORS, threads, seeds, ...results }
}

const columns: Column<Row>[] = [
  ['program', ({ name }) => name],
  ['Recall@20 at the end', ({ last }) => median(last).toFixed(4)],
  ['iterations to the goal', ({ toGoal }) => toGoal.map((point) => point?.iteration ?? '-').join(', ')],
  ['processor s', ({ toGoal }) => toGoal.map((point) => point?.cpuSeconds.toFixed(2) ?? '-').join(', ')],
  ['its / ours, median', ({ ratios }) => (ratios.length > 0 ? median(ratios).toFixed(2) : '-')],
]

function reach(courses: Course[], name: ProgramName, goal: number): Course['points'][number] | undefined {
  return courses.find((course) => course.name === name)!.points.find(({ recall }) => recall >= goal)
}

/** All programs in turn, iteration by iteration. */
async function race(
  data: DataSet,
  test: InteractionMatrix,
  threads: number,
  seed: number,
): Promise<{ goal: number; courses: Course[] }> {
  const prefix = await cachedInteractions(data)
  const matrix = readInteractions(prefix)
  const [unobservedWeight, regularization] = [0.01, 0.005]
  const meanEntries = (matrix.entries / matrix.users + matrix.entries / matrix.items) / 2
  const meanOthers = (matrix.users + matrix.items) / 2
  const shared = { factors: FACTORS, threads, seed }
  const ials: ProgramOptions = { ...shared, objective: 'ials', alpha: 1, unobservedWeight, regularization, nu: 1 }
  const hkv: ProgramOptions = {
    ...shared,
    objective: 'hkv',
    alpha: 1 / unobservedWeight,
    unobservedWeight: 1,
    regularization: (regularization * (meanEntries + unobservedWeight * meanOthers)) / unobservedWeight,
    nu: 0,
  }
  const programs: Program[] = []
  try {
    const courses: Course[] = []
    for (const name of ['seesaw', ...PEERS] as ProgramName[]) {
      programs.push(await Program.start(name, prefix, /^(seesaw|irspack)/.test(name) ? ials : hkv))
      courses.push({ name, points: [] })
    }
    for (let iteration = 1; iteration <= ITERATIONS; iteration++) {
      const running = programs.filter(({ isStepped }) => isStepped || MARKS.includes(iteration))
      for (const program of running) await program.iterate(iteration)
      for (const program of running) {
        const { points } = courses[programs.indexOf(program)]
        const path = fileURLToPath(new URL(`../.cache/${program.name}.factors.f32`, import.meta.url))
        const { users: userFactors, items: itemFactors } = await program.factors(path, matrix.users)
        const model = { factors: FACTORS, users: matrix.users, items: matrix.items, userFactors, itemFactors }
        const { at } = await evaluate(model as AlsModel, { train: matrix, test, k: 20, threads })
        const { seconds, cpuSeconds } = program.iterations[program.iterations.length - 1]
        const before = program.isStepped ? points.at(-1) : undefined
        points.push({
          iteration,
          seconds: (before?.seconds ?? 0) + seconds,
          cpuSeconds: (before?.cpuSeconds ?? 0) + cpuSeconds,
          recall: at[20].recall,
        })
        console.error(JSON.stringify({ data, seed, program: program.name, ...points.at(-1) }))
      }
    }
    const best = Math.max(...courses.slice(1).map(({ points }) => points.at(-1)!.recall))
    return { goal: 0.99 * best, courses }
  } finally {
    await Promise.all(programs.map((program) => program.close()))
  }
}
