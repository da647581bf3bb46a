/**
 * Publishing to Qdrant: points per second and peak RSS of `publish`, beside Python's qdrant-client (`upload_points`, 4 processes) and beside
 * the same request bodies, made beforehand and sent raw over as many connections. All three upload to collections made alike on the
 * server that QDRANT_URL names, or on the stand-in of the tests without one.
 *
 * `npm run bench -- publish [--size 1M] [--quick] [--rounds 3] [--batch 500] [--workers 4] [--no-peer] [--no-graph]`
 */
import { spawn } from 'node:child_process'
import { fileURLToPath } from 'node:url'
import { parseArgs } from 'node:util'
import { median } from 'simple-statistics'
import { runPeer } from '../peers/python.ts'
import { dimension, generateCatalogue } from '../publish/catalogue.ts'
import type { Figures, Settings } from '../publish/ours.ts'
import { findServer, withCollection } from '../publish/server.ts'

interface Seconds {
  seconds: number
}

export async function main(args: string[]): Promise<Record<string, unknown>> {
  const { values } = parseArgs({
    args,
    options: {
      size: { type: 'string' },
      quick: { type: 'boolean' },
      rounds: { type: 'string' },
      batch: { type: 'string', default: '500' },
      workers: { type: 'string', default: '4' },
      peer: { type: 'boolean', default: true },
      graph: { type: 'boolean', default: true },
    },
    allowNegative: true,
  })
  const points = parseSize(values.size ?? (values.quick ? '20k' : '1M'))
  const rounds = Number(values.rounds ?? (points <= 100_000 ? 3 : 1))
  const files = await generateCatalogue(points)
  const { url, name, stop } = await findServer()
  const settings: Settings = {
    url,
    files,
    batch: Number(values.batch),
    workers: Number(values.workers),
    graph: values.graph,
  }
  const ours: Figures[] = []
  const peer: Seconds[] = []
  const raw: Seconds[] = []
  try {
    for (let round = 0; round < rounds; round++) {
      const one = await inChild<Figures>('ours.ts', settings)
      ours.push(one)
      report('seesaw', points / one.uploadSeconds)
      reportCosts(one, points)
      if (values.peer) {
        peer.push(await runClient(settings))
        report('qdrant-client', points / peer[round].seconds)
      }
      raw.push(await inChild<Seconds>('raw.ts', settings))
      report('raw bytes', points / raw[round].seconds)
    }
  } finally {
    stop()
  }
  const uploads = ours.map(({ uploadSeconds }) => uploadSeconds)
  const pointsPerSecond = points / median(uploads)
  const ratioTo = (others: Seconds[]): number =>
    round3((pointsPerSecond * median(others.map(({ seconds }) => seconds))) / points)
  console.error(
    `publish at ${ratioTo(raw)} of the raw bytes, its slowest round ${round3(Math.max(...uploads) / Math.min(...uploads))} times its fastest`,
  )
  return {
    points,
    pointsPerSecond: Math.round(pointsPerSecond),
    ...(values.peer && { ratioToQdrantClient: ratioTo(peer) }),
    server: name,
    peakRssMb: Math.round(Math.max(...ours.map(({ peakRssMb }) => peakRssMb))),
  }
}

function runClient({ url, files, batch }: Settings): Promise<Seconds> {
  return withCollection(url, async (collection) => {
    const args = [url, collection, files.vectors, files.payloads, String(dimension), String(batch), '4']
    const answer = await runPeer<Seconds & { points: number }>('qdrant_upload.py', args, 4)
    if (answer.points !== files.points)
      throw new Error(`Expected ${files.points} points from qdrant-client, the server counts ${answer.points}.`)
    return answer
  })
}

function inChild<T>(script: string, settings: Settings): Promise<T> {
  const path = fileURLToPath(new URL(`../publish/${script}`, import.meta.url))
  return new Promise((resolve, reject) => {
    const child = spawn(process.execPath, [path, JSON.stringify(settings)], { stdio: ['ignore', 'pipe', 'inherit'] })
    let output = ''
    child.stdout.setEncoding('utf8').on('data', (text: string) => {
      output += text
    })
    child.on('close', (code) => {
      if (code === 0) resolve(JSON.parse(output.trimEnd().split('\n').at(-1) as string))
      else reject(new Error(`publish/${script} ended with exit code ${code}.`))
    })
  })
}

function parseSize(text: string): number {
  const match = /^(\d+(?:\.\d+)?)([kM]?)$/.exec(text)
  if (!match) throw new Error(`Expected --size such as 50k or 1M, got ${text}.`)
  return Math.round(Number(match[1]) * { '': 1, k: 1e3, M: 1e6 }[match[2] as '' | 'k' | 'M'])
}

function report(name: string, rate: number): void {
  console.error(`${name.padEnd(13)} ${Math.round(rate).toLocaleString('en')} points/s`)
}

function reportCosts({ cpuSeconds, peakRssMb, indexSeconds, seconds, bytes }: Figures, points: number): void {
  const vectors = Math.round((points * dimension * 4) / 1e6)
  console.error(
    `  ${cpuSeconds.toFixed(1)} processor seconds, ${peakRssMb.toFixed(0)} MB peak (${vectors} of them vectors), ${Math.round(bytes / points)} bytes a point, ` +
      `server's index ${indexSeconds.toFixed(1)} s, whole publication ${seconds.toFixed(1)} s`,
  )
}

function round3(value: number): number {
  return Math.round(value * 1000) / 1000
}
