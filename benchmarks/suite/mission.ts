/**
 * The whole job, from Parquet in an S3 server to a Qdrant behind its alias: `examples/train.ts` beside what a team would write in
 * Python (`peers/pipeline.py`: pandas, pyarrow, scipy, implicit, qdrant-client), one after the other, with the same files, settings and
 * servers.
 *
 *   npm run bench -- mission [--size 200k|2M|20M|100M|1B] [--from s3|disk] [--endpoint URL] [--factors 128] [--iterations 15]
 *     [--python-memory 12] [--no-python] [--quick]
 */
import { mkdirSync, mkdtempSync, rmSync } from 'node:fs'
import { tmpdir } from 'node:os'
import { join } from 'node:path'
import { parseArgs } from 'node:util'
import { serveFromS3 } from '../load/s3.ts'
import type { Assignment, Outcome } from '../mission/contender.ts'
import { runOurs } from '../mission/ours.ts'
import { type OutOfMemory, runPython } from '../mission/python-pipeline.ts'
import { generateShop, type Shop } from '../mission/shop.ts'
import { runPeer } from '../peers/python.ts'
import { findServer, request, type Server } from '../publish/server.ts'
import { printTable } from '../solver/table.ts'

const threads = 2

export async function main(args: string[]): Promise<Record<string, unknown>> {
  const { values } = parseArgs({
    args,
    options: {
      size: { type: 'string' },
      from: { type: 'string', default: 's3' },
      endpoint: { type: 'string' },
      factors: { type: 'string', default: '128' },
      iterations: { type: 'string', default: '15' },
      // GB that the Python pipeline may use.
      'python-memory': { type: 'string', default: '12' },
      python: { type: 'boolean', default: true },
      quick: { type: 'boolean', default: false },
    },
    allowNegative: true,
  })
  const size = values.size ?? (values.quick ? '200k' : '20M')
  const { heldOut, ...folders } = await generateShop(size)
  const folder = mkdtempSync(join(tmpdir(), 'seesaw-mission-'))
  const s3 = values.from === 's3' ? await serveFromS3(`shop-${size}`, folders, values.endpoint) : undefined
  let server: Server | undefined
  try {
    server = await findServer()
    const assignment = (name: string): Assignment => {
      const output = join(folder, name)
      mkdirSync(output)
      return {
        ...{ sources: s3?.places ?? folders, s3: s3?.connection, qdrant: server!.url, output },
        ...{ factors: Number(values.factors), iterations: Number(values.iterations), threads, seed: 42 },
        thresholds: { user: 20, item: 50 },
      }
    }
    const ours = await runOurs(assignment('ours'))
    await expectPoints(server.url, 'mission-seesaw', ours.items)
    report('Seesaw', ours)
    if (!values.python) return { size, seconds: round(ours.whole.seconds), peakMb: Math.round(ours.whole.peakMb) }

    const python = await runPython(assignment('python'), Number(values['python-memory']) * 1e9)
    report('Python', python)
    const figures = { size, from: values.from, seconds: round(ours.whole.seconds) }
    if ('outOfMemory' in python) {
      console.log(`The Python pipeline ran out of ${values['python-memory']} GB in ${python.outOfMemory}.`)
      return { ...figures, pythonOutOfMemory: python.outOfMemory, memoryShareBelow: share(ours, python) }
    }
    await expectPoints(server.url, 'mission-python', python.items)
    compare(ours, python)
    const same = (['users', 'items', 'entries', 'confidence'] as const).every((key) => ours[key] === python[key])
    console.log(
      `${ours.users} users, ${ours.items} items, ${ours.entries} entries, confidences add up to ${ours.confidence}: ` +
        `${same ? 'identical' : `DIFFERENT from ${JSON.stringify({ ...python, stages: undefined })}`}`,
    )
    const { users, recalls, difference, standardError } = await compareRecall({ ...folders, heldOut }, ours, python)
    console.log(
      `Recall@20 of ${users} users: ${recalls.map((recall) => recall.toFixed(4)).join(' and ')}, ` +
        `difference ${difference.toFixed(4)} ± ${standardError.toFixed(4)}`,
    )
    if (!same) process.exitCode = 1
    return {
      ...figures,
      pythonSeconds: round(python.whole.seconds),
      ratio: round(python.whole.seconds / ours.whole.seconds),
      processorRatio: round(python.whole.cpuSeconds / ours.whole.cpuSeconds),
      memoryShare: share(ours, python),
      identical: same,
      recallDifference: Number(difference.toFixed(4)),
      server: server.name,
    }
  } finally {
    if (server) await removeCollections(server.url)
    server?.stop()
    await s3?.close()
    rmSync(folder, { recursive: true, force: true })
  }
}

interface RecallComparison {
  users: number
  recalls: number[]
  difference: number
  standardError: number
}

function compareRecall(shop: Shop, ours: Outcome, python: Outcome): Promise<RecallComparison> {
  const settings = { ...shop, users: 5000, models: [ours.model, python.model] }
  return runPeer('recall.py', [JSON.stringify(settings)], threads)
}

async function expectPoints(url: string, alias: string, points: number): Promise<void> {
  const path = `/collections/${alias}/points/count`
  const { count } = (await request(url, 'POST', path, { exact: true })) as { count: number }
  if (count !== points) throw new Error(`${alias} serves ${count} points, expected ${points}, one for each item.`)
}

/** What the run has published, on a server that stays. */
async function removeCollections(url: string): Promise<void> {
  const { collections } = (await request(url, 'GET', '/collections')) as { collections: { name: string }[] }
  for (const { name } of collections) {
    if (name.startsWith('mission-')) await request(url, 'DELETE', `/collections/${name}`)
  }
}

function report(name: string, { whole, stages }: Pick<Outcome, 'whole' | 'stages'>): void {
  console.log(`\n${name}\n`)
  printTable(
    [
      ['stage', ({ stage }) => stage],
      ['seconds', ({ seconds }) => seconds.toFixed(1)],
      ['of processors', ({ cpuSeconds }) => cpuSeconds.toFixed(1)],
      ['peak MB', ({ peakMb }) => peakMb.toFixed(0)],
    ],
    [...stages, { stage: 'in all', ...whole }],
  )
}

/** Their time over ours by stage: the stages that both have. */
function compare(ours: Outcome, python: Outcome): void {
  const ratios = python.stages.flatMap((theirs) => {
    const own = ours.stages.find(({ stage }) => stage === theirs.stage)
    return own ? [`${own.stage} ${(theirs.seconds / own.seconds).toFixed(1)}`] : []
  })
  const all = (python.whole.seconds / ours.whole.seconds).toFixed(2)
  console.log(`Python's time over Seesaw's: ${ratios.join(', ')}, in all ${all}`)
}

function share(ours: Outcome, python: Outcome | OutOfMemory): number {
  return round(ours.whole.peakMb / python.whole.peakMb)
}

function round(value: number): number {
  return Math.round(100 * value) / 100
}
