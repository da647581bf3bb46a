/** Injects the faults of the stand-in in front of a real server. */
import { createServer, type IncomingMessage, type ServerResponse } from 'node:http'
import type { AddressInfo } from 'node:net'
import { setTimeout as sleep } from 'node:timers/promises'
import { Faults, type SeenRequest } from './faults.ts'
import { findRoute, readBody } from './server.ts'

export interface Proxy {
  url: string
  faults: Faults
  requests: SeenRequest[]
  close(): Promise<void>
}

export async function startProxy(target: string): Promise<Proxy> {
  const faults = new Faults()
  const requests: SeenRequest[] = []
  const server = createServer((request, response) => {
    forward(request, response).catch(() => request.socket.destroy())
  })
  server.keepAliveTimeout = 5_000

  async function forward(request: IncomingMessage, response: ServerResponse): Promise<void> {
    const text = await readBody(request, Number.POSITIVE_INFINITY)
    const { route, names } = findRoute(request.method ?? 'GET', new URL(request.url ?? '/', target).pathname)
    const body = text === '' ? undefined : JSON.parse(text)
    const seen: SeenRequest = {
      operation: route.operation,
      collection: names[0],
      body: route.operation === 'upsert' ? undefined : body,
      bytes: text.length,
    }
    requests.push(seen)
    const fault = faults.take({ ...seen, body })
    if (fault?.kind === 'reset' && !fault.applied) return void request.socket.resetAndDestroy()
    if (fault?.kind === 'hang') return
    if (fault?.kind === 'status') {
      const headers = {
        'content-type': 'application/json',
        ...(fault.retryAfter !== undefined && { 'retry-after': fault.retryAfter }),
      }
      return void response
        .writeHead(fault.status, headers)
        .end(JSON.stringify({ status: { error: fault.error ?? '' }, time: 0 }))
    }
    if (fault?.kind === 'wait_timeout') {
      const answer = { result: { operation_id: 0, status: 'wait_timeout' }, status: 'ok', time: 0 }
      return void response.writeHead(200, { 'content-type': 'application/json' }).end(JSON.stringify(answer))
    }
    if (fault?.kind === 'slow') await sleep(fault.milliseconds)
    if (fault?.kind === 'call') await fault.call(seen)
    const answer = await fetch(new URL(request.url ?? '/', target), {
      method: request.method ?? 'GET',
      ...(text !== '' && { body: text, headers: { 'content-type': 'application/json' } }),
    })
    const content = Buffer.from(await answer.arrayBuffer())
    if (fault?.kind === 'reset') return void request.socket.resetAndDestroy()
    response
      .writeHead(answer.status, { 'content-type': answer.headers.get('content-type') ?? 'application/json' })
      .end(content)
  }

  await new Promise<void>((resolve) => server.listen(0, '127.0.0.1', resolve))
  return {
    url: `http://127.0.0.1:${(server.address() as AddressInfo).port}`,
    faults,
    requests,
    async close() {
      server.closeAllConnections()
      await new Promise((resolve) => server.close(resolve))
    },
  }
}
