import { once } from 'node:events'
import { createServer, type IncomingMessage, request as send } from 'node:http'
import type { AddressInfo } from 'node:net'

/** An HTTP server that passes everything on to another and can hold requests back, so that a test can stop time. */
export interface Gate {
  readonly url: string
  /** Resolves with the first request that is held. */
  readonly held: Promise<IncomingMessage>
  /** Lets what is held, and all that follows, through. */
  open(): void
  close(): Promise<void>
}

export async function startGate(target: string, holds: (request: IncomingMessage) => boolean): Promise<Gate> {
  const { hostname, port } = new URL(target)
  const opened = Promise.withResolvers<void>()
  const held = Promise.withResolvers<IncomingMessage>()
  let isOpen = false
  const server = createServer(async (request, response) => {
    if (!isOpen && holds(request)) {
      held.resolve(request)
      await opened.promise
    }
    const { method, headers, url: path } = request
    const onward = send({ hostname, port, method, path, headers }, (answer) => {
      response.writeHead(answer.statusCode!, answer.headers)
      answer.pipe(response)
    })
    // Either side may hang up: that is what a killed program does.
    onward.on('error', () => response.destroy())
    response.on('error', () => onward.destroy())
    request.on('error', () => onward.destroy())
    request.pipe(onward)
  })
  server.listen(0, '127.0.0.1')
  await once(server, 'listening')
  return {
    url: `http://127.0.0.1:${(server.address() as AddressInfo).port}`,
    held: held.promise,
    open() {
      isOpen = true
      opened.resolve()
    },
    async close() {
      isOpen = true
      opened.resolve()
      server.closeAllConnections()
      server.close()
      await once(server, 'close')
    },
  }
}
