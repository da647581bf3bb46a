import { createServer } from 'node:http'
import type { AddressInfo } from 'node:net'
import { startStandIn } from './stand-in/server.ts'

/** The vector of a row of a stream that nobody keeps: a few instructions a value. */
export function largeVector(row: number, vector: Float32Array): void {
  let state = (row * 2654435761) >>> 0
  for (let i = 0; i < vector.length; i++) {
    state = (Math.imul(state, 1664525) + 1013904223) >>> 0
    vector[i] = state / 2 ** 31 - 1
  }
}

const POINT = Buffer.from('{"id":')

/**
 * The stand-in, except that it counts the points of upserts without reading or keeping them, and answers for any of them what
 * `largeVector` makes: a million points in a fraction of their memory and time.
 */
export async function startCountingServer(): Promise<{ url: string; close(): Promise<void> }> {
  const standIn = await startStandIn()
  const counts = new Map<string, number>()
  const server = createServer(async (request, response) => {
    const [, , collection, operation, kind] = (request.url ?? '').split(/[/?]/)
    const answer = (result: unknown): void => {
      response
        .writeHead(200, { 'content-type': 'application/json' })
        .end(JSON.stringify({ result, status: 'ok', time: 0 }))
    }
    const chunks: Buffer[] = []
    for await (const chunk of request) chunks.push(chunk as Buffer)
    const body = Buffer.concat(chunks)
    if (operation === 'points' && request.method === 'PUT') {
      let points = 0
      for (let at = body.indexOf(POINT); at >= 0; at = body.indexOf(POINT, at + 1)) points++
      counts.set(collection, (counts.get(collection) ?? 0) + points)
      return answer({ operation_id: 0, status: 'completed' })
    }
    if (operation === 'points' && kind === 'count') return answer({ count: counts.get(collection) })
    if (operation === 'points' && kind === 'query') return answer({ points: [{ id: 0, version: 0, score: 1 }] })
    if (operation === 'points') {
      const ids = JSON.parse(body.toString()).ids as number[]
      const vector = new Float32Array(128)
      return answer(
        ids.map((id) => {
          largeVector(id, vector)
          return { id, vector: Array.from(vector), payload: { row: id } }
        }),
      )
    }
    const headers = { 'content-type': 'application/json' }
    const forwarded = await fetch(standIn.url + request.url, {
      method: request.method ?? 'GET',
      ...(body.length > 0 && { body, headers }),
    })
    response.writeHead(forwarded.status, headers).end(Buffer.from(await forwarded.arrayBuffer()))
  })
  await new Promise<void>((resolve) => server.listen(0, '127.0.0.1', resolve))
  return {
    url: `http://127.0.0.1:${(server.address() as AddressInfo).port}`,
    async close() {
      server.closeAllConnections()
      await new Promise((resolve) => server.close(resolve))
      await standIn.close()
    },
  }
}
