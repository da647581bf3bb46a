/**
 * The stand-in that the tests publish to, held against Qdrant's own engine (qdrant-edge-py, in process): the same points and the same
 * request bodies to both, and every stored vector, payload and score compared.
 *
 *   npm run bench -- engine [--requests 2000] [--seed 1] [--quick]
 */
import { createInterface } from 'node:readline'
import { parseArgs } from 'node:util'
import { publish } from '@seesaw/qdrant-sink'
import { startStandIn } from '../../packages/qdrant-sink/test/stand-in/server.ts'
import { type EngineCase, makeCatalogue, makeRequest } from '../engine/cases.ts'
import { differenceOfAnswers, differenceOfPoints, type Scored } from '../engine/compare.ts'
import { startPeer } from '../peers/python.ts'
import { request } from '../publish/server.ts'
import { randomStream } from '../random-stream.ts'

export async function main(args: string[]): Promise<Record<string, unknown>> {
  const { values } = parseArgs({
    args,
    options: {
      requests: { type: 'string' },
      seed: { type: 'string', default: '1' },
      quick: { type: 'boolean', default: false },
    },
  })
  const requests = Number(values.requests ?? (values.quick ? 200 : 2000))
  const random = randomStream(Number(values.seed), 0)
  const { vectors, payloads, published, raw } = await makeCatalogue(random)
  const standIn = await startStandIn()
  const engine = await startEngine()
  try {
    const { collection } = await publish({
      url: standIn.url,
      alias: 'engine',
      vectors,
      payloads,
      pollInterval: 10,
      graceDelay: 0,
    })
    const { config } = (await request(standIn.url, 'GET', `/collections/${collection}`)) as {
      config: { params: { vectors: unknown } }
    }
    await engine.ask({ create: config.params.vectors })
    // What went over the wire, as the stand-in got it: raw vectors of all lengths beside those of `publish`.
    await request(standIn.url, 'PUT', `/collections/${collection}/points?wait=true`, { points: raw })
    const sent = standIn.requests.filter(({ operation }) => operation === 'upsert').length
    await engine.ask({ upsert: [...published, ...raw] })
    const ids = [...published, ...raw].map(({ id }) => id)
    const stored = (await request(standIn.url, 'POST', `/collections/${collection}/points`, {
      ids,
      with_vector: true,
      with_payload: true,
    })) as Parameters<typeof differenceOfPoints>[0]
    const differentPoints = differenceOfPoints(stored, (await engine.ask({ retrieve: ids })) as never)
    for (const line of differentPoints.slice(0, 10)) console.error(line)

    const byKind = new Map<string, { asked: number; different: number; largest: number }>()
    for (let i = 0; i < requests; i++) {
      const { kind, body }: EngineCase = makeRequest(random, ids)
      const ours = (await request(standIn.url, 'POST', `/collections/${collection}/points/query`, body)) as {
        points: { id: number; score: number }[]
      }
      const theirs = (await engine.ask({ query: body })) as Scored[]
      const { difference, largest } = differenceOfAnswers(
        ours.points.map(({ id, score }) => [id, score]),
        theirs,
      )
      const count = byKind.get(kind) ?? { asked: 0, different: 0, largest: 0 }
      byKind.set(kind, {
        asked: count.asked + 1,
        different: count.different + (difference === undefined ? 0 : 1),
        largest: Math.max(count.largest, largest),
      })
      if (difference !== undefined && count.different < 3)
        console.error(`${kind}: ${difference}\n  ${JSON.stringify(body)}`)
    }
    console.table([...byKind].map(([kind, count]) => ({ kind, ...count })))
    const different = [...byKind.values()].reduce((sum, count) => sum + count.different, 0)
    return { requests, batches: sent, differentPoints: differentPoints.length, different }
  } finally {
    await engine.close()
    await standIn.close()
  }
}

interface Engine {
  ask(command: object): Promise<unknown>
  close(): Promise<void>
}

async function startEngine(): Promise<Engine> {
  const child = await startPeer('edge_engine.py', [], 1)
  const lines = createInterface({ input: child.stdout! })[Symbol.asyncIterator]()
  return {
    async ask(command) {
      child.stdin!.write(`${JSON.stringify(command)}\n`)
      const { value, done } = await lines.next()
      if (done) throw new Error('The engine has ended.')
      const { result, error } = JSON.parse(value) as { result?: unknown; error?: string }
      if (error !== undefined) throw new Error(`The engine refuses ${JSON.stringify(command).slice(0, 300)}: ${error}`)
      return result
    },
    async close() {
      child.stdin!.end()
      await new Promise((resolve) => child.once('exit', resolve))
    },
  }
}
