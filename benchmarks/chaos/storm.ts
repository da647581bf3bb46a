import { createServer, request as send } from 'node:http'
import type { AddressInfo } from 'node:net'
import type { Fault } from '../../packages/qdrant-sink/test/stand-in/faults.ts'
import type { Front } from '../../packages/qdrant-sink/test/stand-in/front.ts'

/** Shares of requests that go wrong, and whether anybody is there at all. */
export interface Weather {
  s3: number
  qdrant: number
  /** While it is true, Qdrant has been killed: connections break, before or after a request was carried out. */
  qdrantDown: boolean
}

/** Lets requests to Qdrant go wrong at random. Returns what counts them. */
export function stormQdrant(front: Front, weather: Weather, random: () => number): { hits: number } {
  const counter = { hits: 0 }
  const kinds: (() => Fault)[] = [
    () => ({ kind: 'reset' }),
    () => ({ kind: 'reset', applied: true }),
    () => ({ kind: 'status', status: [500, 502, 503][Math.floor(random() * 3)] }),
    () => ({ kind: 'status', status: 429, retryAfter: '0' }),
    () => ({ kind: 'slow', milliseconds: 50 + 400 * random() }),
    () => ({ kind: 'wait_timeout' }),
  ]
  front.faults.take = ({ operation }) => {
    if (weather.qdrantDown) {
      counter.hits++
      return { kind: 'reset', applied: random() < 0.5 }
    }
    if (random() >= weather.qdrant) return undefined
    counter.hits++
    const fault = kinds[Math.floor(random() * kinds.length)]()
    // Only what changes points can end in 200 without being applied.
    return fault.kind === 'wait_timeout' && operation !== 'upsert' ? { kind: 'reset' } : fault
  }
  return counter
}

/** A proxy before an S3 server: 503, resets, bodies that break off or are slow. */
export async function stormS3(
  target: string,
  random: () => number,
): Promise<{ readonly url: string; hits: number; weather: Pick<Weather, 's3'>; close(): Promise<void> }> {
  const { hostname, port } = new URL(target)
  const server = createServer((incoming, outgoing) => {
    const { method, url: path, headers } = incoming
    const fault = random() < storm.weather.s3 ? Math.floor(random() * 4) : -1
    if (fault >= 0) storm.hits++
    if (fault === 0) {
      outgoing.writeHead(503, { 'content-type': 'application/xml' })
      outgoing.end(
        '<?xml version="1.0"?><Error><Code>SlowDown</Code><Message>Please reduce your rate</Message></Error>',
      )
      return
    }
    if (fault === 1) return void incoming.socket.resetAndDestroy()
    const upstream = send({ hostname, port, method, path, headers, agent: false }, (answer) => {
      const chunks: Buffer[] = []
      answer.on('data', (chunk: Buffer) => chunks.push(chunk))
      answer.on('error', () => outgoing.destroy())
      answer.on('end', () => {
        const body = Buffer.concat(chunks)
        if (outgoing.destroyed) return
        outgoing.writeHead(answer.statusCode!, answer.headers)
        if (fault === 2 && body.length > 1) {
          outgoing.write(body.subarray(0, Math.floor(body.length * random())), () => incoming.socket.resetAndDestroy())
        } else if (fault === 3) setTimeout(() => outgoing.end(body), 50 + 400 * random())
        else outgoing.end(body)
      })
    })
    upstream.on('error', () => outgoing.destroy())
    outgoing.on('error', () => upstream.destroy())
    incoming.pipe(upstream)
  })
  await new Promise<void>((resolve) => server.listen(0, '127.0.0.1', resolve))
  const storm = {
    url: `http://127.0.0.1:${(server.address() as AddressInfo).port}`,
    hits: 0,
    weather: { s3: 0 } as Pick<Weather, 's3'>,
    async close() {
      server.closeAllConnections()
      await new Promise((resolve) => server.close(resolve))
    },
  }
  return storm
}
