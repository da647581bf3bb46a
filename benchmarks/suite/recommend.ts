/**
 * Exact top-k against implicit over the same factors, alternating call by call.
 *
 *   npm run bench -- recommend [--size S|M] [--factors 128] [--threads 2] [--rounds 9] [--quick]
 */
import { parseArgs } from 'node:util'
import { Recommender } from '@seesaw/als-core'
import { max, median, min, quantileSorted } from 'simple-statistics'
import { cachedInteractions, readInteractions } from '../cached-interactions.ts'
import { cpuSeconds } from '../process-cost.ts'
import { type CallTimes, ImplicitRecommender, type Question } from '../recommend/implicit-recommender.ts'
import { trainedModel } from '../recommend/trained-model.ts'
import { printTable } from '../solver/table.ts'

interface Timing {
  question: Question
  ours: CallTimes
  theirs: CallTimes
}

const batch = 1000

export async function main(args: string[]): Promise<Record<string, unknown>> {
  const { values } = parseArgs({
    args,
    options: {
      size: { type: 'string', default: 'M' },
      factors: { type: 'string', default: '128' },
      threads: { type: 'string', default: '2' },
      rounds: { type: 'string' },
      quick: { type: 'boolean', default: false },
    },
  })
  const size = values.quick ? 'S' : values.size
  const [factors, threads] = [Number(values.factors), Number(values.threads)]
  const rounds = Number(values.rounds ?? (values.quick ? 3 : 9))
  const prefix = await cachedInteractions(size)
  const matrix = readInteractions(prefix)
  const { directory, factorFile } = await trainedModel(prefix, matrix, factors)
  const peer = await ImplicitRecommender.start(prefix, factorFile, factors, threads)
  const opened: number[] = []
  for (let round = 0; round < rounds; round++) opened.push(await secondsToOpen(directory))
  const recommender = await Recommender.open(directory, { interactions: matrix, threads })
  const { model } = recommender
  try {
    const started = performance.now()
    await recommender.prepare()
    const prepareSeconds = (performance.now() - started) / 1000
    const ask = ({ command, rows, limit }: Question) =>
      command === 'recommend'
        ? recommender.recommend(rows, { limit })
        : recommender.similarItems(rows, { limit, includeSelf: true })
    const ours = async (question: Question): Promise<CallTimes> => {
      const seconds: number[] = []
      const started = cpuSeconds()
      for (const row of question.single ? question.rows : [question.rows]) {
        const begin = performance.now()
        await ask({ ...question, rows: ([] as number[]).concat(row) })
        seconds.push((performance.now() - begin) / 1000)
      }
      return { seconds, cpuSeconds: cpuSeconds() - started }
    }

    const spreadOver = (count: number, n: number) =>
      Array.from({ length: n }, (_, i) => Math.floor(((i + 0.5) * count) / n))
    const timings: Timing[] = []
    let identical = true
    for (const command of ['recommend', 'similar'] as const) {
      for (const limit of [10, 100]) {
        const rows = spreadOver(command === 'recommend' ? model.users : model.items, batch)
        const question = { command, rows, limit }
        identical = sameLists(await ask(question), await peer.lists(question), question) && identical
        for (const single of [false, true]) {
          const timing: Timing = { question: { ...question, single }, ours: noCalls(), theirs: noCalls() }
          for (let round = 0; round < rounds; round++) {
            // Batches are the same rows each time; single rows are others each round.
            const some = single ? rows.filter((_, i) => i % rounds === round).slice(0, 100) : rows
            add(timing.ours, await ours({ ...timing.question, rows: some }))
            add(timing.theirs, await peer.time({ ...timing.question, rows: some }))
          }
          timings.push(timing)
        }
      }
    }
    print(timings)
    const gigabytes = (4 * factors * (model.users + model.items)) / 1e9
    console.log(
      `Opened from disk in ${milliseconds(opened.map((seconds) => seconds / gigabytes))} ms a GB of factors; ` +
        `index built in ${prepareSeconds.toFixed(2)} s.\n`,
    )
    const ratio = (command: string, single: boolean) =>
      min(timings.filter(({ question }) => question.command === command && question.single === single).map(ratioOf))
    return {
      ratioToImplicitBatch: ratio('recommend', false),
      ratioToImplicitSingle: ratio('recommend', true),
      ratioToImplicitSimilar: ratio('similar', false),
      identical,
    }
  } finally {
    await recommender.close()
    await peer.close()
  }
}

async function secondsToOpen(directory: string): Promise<number> {
  const begin = performance.now()
  const recommender = await Recommender.open(directory, { threads: 1 })
  const seconds = (performance.now() - begin) / 1000
  await recommender.close()
  return seconds
}

function noCalls(): CallTimes {
  return { seconds: [], cpuSeconds: 0 }
}

function add(calls: CallTimes, more: CallTimes): void {
  calls.seconds.push(...more.seconds)
  calls.cpuSeconds += more.cpuSeconds
}

/** The peer's median time over ours. */
function ratioOf({ ours, theirs }: Timing): number {
  return Number((median(theirs.seconds) / median(ours.seconds)).toFixed(2))
}

/**
 * Whether two results hold the same rows in the same places. The peer's float32 sums round differently, so rows may
 * stand in another order where its scores are within 1e-5 of each other.
 */
function sameLists(
  ours: Awaited<ReturnType<Recommender['recommend']>>,
  theirs: { rows: Int32Array; scores: Float32Array },
  { command, limit }: Question,
): boolean {
  let equal = 0
  let tied = 0
  for (let place = 0; place < ours.rows.length; place++) {
    if (ours.rows[place] === theirs.rows[place]) equal++
    else if (Math.abs(ours.scores[place] - theirs.scores[place]) <= 1e-5 * Math.abs(theirs.scores[place])) tied++
  }
  const other = ours.rows.length - equal - tied
  console.log(
    `${command}, N=${limit}: ${equal} places alike, ${tied} near ties (1e-5) in another order, ${other} different.`,
  )
  return other === 0
}

/** Median, least and greatest. */
function milliseconds(seconds: number[]): string {
  return `${(1000 * median(seconds)).toPrecision(3)} [${(1000 * min(seconds)).toPrecision(3)}, ${(1000 * max(seconds)).toPrecision(3)}]`
}

function print(timings: Timing[]): void {
  const p99 = ({ seconds }: CallTimes) =>
    (
      1000 *
      quantileSorted(
        [...seconds].sort((a, b) => a - b),
        0.99,
      )
    ).toPrecision(3)
  const cpu = ({ seconds, cpuSeconds }: CallTimes) => ((1000 * cpuSeconds) / seconds.length).toPrecision(3)
  console.log()
  printTable<Timing>(
    [
      [
        'call',
        ({ question }) => (question.command === 'recommend' ? 'recommend, own items left out' : 'similar items'),
      ],
      ['rows', ({ question }) => (question.single ? '1' : String(batch))],
      ['N', ({ question }) => String(question.limit)],
      ['ours, ms: median [min, max]', ({ ours }) => milliseconds(ours.seconds)],
      ['p99', ({ question, ours }) => (question.single ? p99(ours) : '')],
      ['implicit, ms: median [min, max]', ({ theirs }) => milliseconds(theirs.seconds)],
      ['p99', ({ question, theirs }) => (question.single ? p99(theirs) : '')],
      ['its time / ours', (timing) => String(ratioOf(timing))],
      ['processor ms: ours, implicit', ({ ours, theirs }) => `${cpu(ours)}, ${cpu(theirs)}`],
    ],
    timings,
  )
}
