/** What the stand-in and the proxy in front of a real server have in common: HTTP, the log of requests, the faults. */
import { createServer, type IncomingMessage, type ServerResponse } from 'node:http'
import type { AddressInfo } from 'node:net'
import { setTimeout as sleep } from 'node:timers/promises'
import { type Fault, Faults, type SeenRequest } from './faults.ts'
import { findRoute, type Route } from './routes.ts'
import { Refusal } from './storage.ts'

export interface Front {
  url: string
  faults: Faults
  /** Every request in the order of arrival, without the points of upserts. */
  requests: SeenRequest[]
  /** Resolves when the requests under way now have been carried out, also those whose client is gone. */
  settled(): Promise<void>
  close(): Promise<void>
}

export interface ReceivedRequest {
  method: string
  url: URL
  headers: IncomingMessage['headers']
  /** Undefined for a path that is none of the server's. */
  route: Route | undefined
  names: string[]
  text: string
  body: Record<string, unknown> | undefined
}

export interface Answer {
  status: number
  content: string | Buffer
  retryAfter?: string | undefined
}

export interface Backend {
  /** Throws what is refused before a fault can hit. */
  check?(request: ReceivedRequest): void
  carryOut(request: ReceivedRequest): Answer | Promise<Answer>
}

export interface FrontOptions {
  port?: number
  /** Bytes of a body. Default no limit. */
  bodyLimit?: number
}

export async function startFront(backend: Backend, options: FrontOptions): Promise<Front> {
  const faults = new Faults()
  const requests: SeenRequest[] = []
  const underWay = new Set<Promise<void>>()
  const server = createServer((request, response) => {
    const answering = handle(request, response).catch((error) => reply(response, refusal(error)))
    underWay.add(answering)
    answering.finally(() => underWay.delete(answering))
  })
  // As actix does.
  server.keepAliveTimeout = 5_000

  async function handle(request: IncomingMessage, response: ServerResponse): Promise<void> {
    const received = await receive(request, options.bodyLimit ?? Number.POSITIVE_INFINITY)
    backend.check?.(received)
    const { route, names, body, text } = received
    let fault: Fault | undefined
    if (route) {
      const { operation } = route
      const seen: SeenRequest = { operation, collection: names[0], body, bytes: text.length }
      requests.push(operation === 'upsert' ? { ...seen, body: undefined } : seen)
      fault = faults.take(seen)
      if (fault?.kind === 'hang') return
      if (fault?.kind === 'slow') await sleep(fault.milliseconds)
      if (fault?.kind === 'call') await fault.call(seen)
    }
    if (fault?.kind === 'status')
      throw new Refusal(fault.status, fault.error ?? `injected ${fault.status}`, fault.retryAfter)
    if (fault?.kind === 'wait_timeout') return reply(response, ok({ operation_id: 0, status: 'wait_timeout' }))
    if (fault?.kind === 'reset' && !fault.applied) return void request.socket.resetAndDestroy()
    const answer = await backend.carryOut(received)
    if (fault?.kind === 'reset') return void request.socket.resetAndDestroy()
    reply(response, fault?.kind === 'answer' ? changed(answer, fault.change) : answer)
  }

  await new Promise<void>((resolve) => server.listen(options.port ?? 0, '127.0.0.1', resolve))
  return {
    url: `http://127.0.0.1:${(server.address() as AddressInfo).port}`,
    faults,
    requests,
    async settled() {
      await Promise.all(underWay)
    },
    async close() {
      server.closeAllConnections()
      await new Promise((resolve) => server.close(resolve))
    },
  }
}

/** 200 with the server's envelope. */
export function ok(result: unknown): Answer {
  return { status: 200, content: JSON.stringify({ result, status: 'ok', time: 0 }, writeNumber) }
}

function changed(answer: Answer, change: (json: unknown) => void): Answer {
  const json = JSON.parse(String(answer.content))
  change(json)
  return { ...answer, content: JSON.stringify(json) }
}

async function receive(request: IncomingMessage, bodyLimit: number): Promise<ReceivedRequest> {
  const text = await readBody(request, bodyLimit)
  const method = request.method ?? 'GET'
  const url = new URL(request.url ?? '/', 'http://front')
  const found = findRoute(method, url.pathname)
  const { headers } = request
  return { method, url, headers, route: found?.route, names: found?.names ?? [], text, body: parseBody(text) }
}

async function readBody(request: IncomingMessage, limit: number): Promise<string> {
  const chunks: Buffer[] = []
  let size = 0
  for await (const chunk of request) {
    size += (chunk as Buffer).length
    if (size <= limit) chunks.push(chunk as Buffer)
  }
  // 400 and not 413, which only a proxy in front of the server would say.
  if (size > limit)
    throw new Refusal(400, `JSON payload (${size} bytes) is larger than allowed (limit: ${limit} bytes).`)
  return Buffer.concat(chunks).toString()
}

function parseBody(text: string): Record<string, unknown> | undefined {
  if (text === '') return undefined
  try {
    return JSON.parse(text)
  } catch (error) {
    throw new Refusal(400, `Format error in JSON body: ${(error as Error).message}`)
  }
}

function refusal(error: unknown): Answer {
  const known = error instanceof Refusal
  const message = known ? error.message : `Service internal error: ${String(error)}`
  const content = JSON.stringify({ status: { error: message }, time: 0 })
  return { status: known ? error.status : 500, content, retryAfter: known ? error.retryAfter : undefined }
}

function reply(response: ServerResponse, { status, content, retryAfter }: Answer): void {
  if (response.headersSent || response.destroyed) return
  response.writeHead(status, {
    // A path that is none of the server's is answered by 404 and nothing else.
    ...(content.length > 0 && { 'content-type': 'application/json' }),
    ...(retryAfter !== undefined && { 'retry-after': retryAfter }),
  })
  response.end(content)
}

/** As the server writes them: 2^60 as 1152921504606846976, and the double 10^20 as 1e+20. */
function writeNumber(_key: string, value: unknown): unknown {
  const isDouble = typeof value === 'number' && Number.isInteger(value) && !Number.isSafeInteger(value)
  const text = typeof value === 'bigint' ? String(value) : isDouble ? value.toExponential() : undefined
  return text === undefined ? value : (JSON as unknown as { rawJSON(text: string): unknown }).rawJSON(text)
}
