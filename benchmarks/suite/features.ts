/**
 * Items that nobody has yet: what their features are worth, beside the same model without them, content kNN, and irspack.
 *
 *   npm run bench -- features [--data lastfm-hetrec|ml-latest-small|quickstart] [--seeds 5] [--threads 2] [--no-peers] [--quick]
 *   npm run bench -- features --part scale [--size M]    2 million feature columns, 12 a row, 3 of them from all columns
 *   npm run bench -- features --part regularization    Recall@20 over λ_B, on a split of another seed
 */
import { parseArgs } from 'node:util'
import { createWorkerPool, type WorkerPool } from '@seesaw/als-core'
import { mean, standardDeviation } from 'simple-statistics'
import { type DataSetName, dataSets, readDataSet } from '../features/data-sets.ts'
import { measureSplit, names, type Recalls } from '../features/protocol.ts'
import { measureScale } from '../features/scale.ts'
import { measureIterations } from '../features/speed.ts'
import type { sizes } from '../generate-interactions.ts'
import { type Column, printTable } from '../solver/table.ts'

export async function main(args: string[]): Promise<Record<string, unknown>> {
  const { values } = parseArgs({
    args,
    options: {
      part: { type: 'string', default: 'compare' },
      data: { type: 'string' },
      size: { type: 'string', default: 'M' },
      seeds: { type: 'string', default: '5' },
      threads: { type: 'string', default: '2' },
      'no-peers': { type: 'boolean', default: false },
      quick: { type: 'boolean', default: false },
    },
  })
  const threads = Number(values.threads)
  const seeds = values.quick ? 1 : Number(values.seeds)
  if (values.part === 'scale') {
    const size = values.size as keyof typeof sizes
    const shape = { features: 2_000_000, perRow: 12, rarePerRow: 3, factors: 128, iterations: 4 }
    return { part: 'scale', size, ...(await measureScale({ size, ...shape, threads })) }
  }
  const peers = !values['no-peers']
  const some = dataSets.filter((name) => values.data === undefined || values.data === name)
  const pool = createWorkerPool({ threads })
  try {
    if (values.part === 'regularization') return await overRegularization(some, pool, threads)
    return await compare(some, { seeds, peers, threads, pool, rounds: values.quick ? 1 : 3 })
  } finally {
    await pool.close()
  }
}

interface Line {
  data: DataSetName
  name: string
  recalls: Recalls[]
}

async function compare(
  some: readonly DataSetName[],
  {
    seeds,
    peers,
    threads,
    pool,
    rounds,
  }: Record<'seeds' | 'threads' | 'rounds', number> & { peers: boolean; pool: WorkerPool },
): Promise<Record<string, unknown>> {
  const lines: Line[] = []
  const figures: Record<string, unknown> = {}
  const overContent: number[] = []
  for (const data of some) {
    const set = readDataSet(data)
    if (!set) continue
    const { users, items, entries } = set.matrix
    console.error(`${data}: ${users} × ${items}, ${entries} entries, ${set.features.features} features`)
    const bySeed: Recalls[][] = []
    for (let seed = 1; seed <= seeds; seed++) {
      bySeed.push(await measureSplit(set, seed, undefined, { pool, threads, peers }))
      console.error(JSON.stringify({ data, seed, recalls: bySeed.at(-1) }))
    }
    const of = (name: string) => bySeed.flatMap((recalls) => recalls.filter((each) => each.name === name))
    for (const { name } of bySeed[0]) lines.push({ data, name, recalls: of(name) })
    const average = (name: string, part: 'warm' | 'new' | 'all') => mean(of(name).map((recalls) => recalls[part]))
    if (data === 'lastfm-hetrec') {
      figures.lastfmAllGain = round(average(names.features, 'all') / average(names.plain, 'all') - 1)
      figures.lastfmColdRecall20 = round(average(names.features, 'new'))
    }
    if (data !== 'quickstart') {
      overContent.push(average(names.features, 'new') / average(names.content, 'new'))
      continue
    }
    const costs = await measureIterations(set, { pool, threads, rounds, peers })
    console.error(JSON.stringify({ data, factors: 128, processorSecondsPerIteration: costs }))
    if (costs.irspack) figures.ratioToIrspack = round(costs.irspack / costs.features)
    figures.overheadPerIteration = round(costs.features / costs.plain - 1)
  }
  if (overContent.length > 0) figures.coldOverContentKnn = round(Math.min(...overContent))
  const recall = (part: 'warm' | 'new' | 'all'): Column<Line>[1] => {
    return ({ recalls }) => spread(recalls.map((each) => each[part]))
  }
  printTable<Line>(
    [
      ['data', ({ data }) => data],
      ['recommended by', ({ name }) => name],
      ['warm items', recall('warm')],
      ['new items', recall('new')],
      ['all items', recall('all')],
      ['catalogue shown', ({ recalls }) => `${(100 * mean(recalls.map(({ coverage }) => coverage))).toFixed(1)} %`],
    ],
    lines,
  )
  return figures
}

/** Which λ_B to take: on a split that no figure is of. */
async function overRegularization(
  some: readonly DataSetName[],
  pool: WorkerPool,
  threads: number,
): Promise<Record<string, unknown>> {
  const results: Record<string, unknown> = {}
  for (const data of some) {
    const set = readDataSet(data)
    if (!set) continue
    for (const lambda of [undefined, 0.1, 1, 10, 100, 1000]) {
      const [{ warm, new: fresh, all }] = await measureSplit(set, 100, lambda, { pool, threads, peers: false })
      const name = `${data} ${lambda ?? 'default'}`
      results[name] = { warm: round(warm), new: round(fresh), all: round(all) }
      console.error(name, JSON.stringify(results[name]))
    }
  }
  return { part: 'regularization', results }
}

/** Mean and standard deviation. */
function spread(values: number[]): string {
  const deviation = values.length > 1 ? ` ± ${standardDeviation(values).toFixed(4)}` : ''
  return `${mean(values).toFixed(4)}${deviation}`
}

function round(value: number): number {
  return Number(value.toFixed(4))
}
