import { spawn } from 'node:child_process'
import { createServer, request as httpRequest, type IncomingMessage, type Server, type ServerResponse } from 'node:http'
import { createServer as createTlsServer } from 'node:https'
import { type AddressInfo, connect, createServer as createTcpServer } from 'node:net'
import { text } from 'node:stream/consumers'
import { generate } from 'selfsigned'
import { Agent } from 'undici'
import { afterAll, beforeAll, describe, expect, test as plain } from 'vitest'
import { generations, Index, match, publish, rollback, similar } from '../src/index.ts'
import { quick, tagged } from './catalogue.ts'
import { test } from './publication.ts'
import { type StandIn, startStandIn } from './stand-in/server.ts'

describe('errors hold the reason of the server', () => {
  test('of queries', async ({ server, alias, run }) => {
    await run()
    const retry = { retries: 0 }
    await using index = new Index({ url: server.url, alias, retry })
    await expect(index.query(similar(999))).rejects.toMatchObject({
      name: 'ServerError',
      status: 404,
      temporary: false,
      message: expect.stringMatching(/^404: Not found: No point with id 999 found/),
    })
    await expect(index.query(similar([1, 2, 3]))).rejects.toThrow(
      /^400: Wrong input: Vector dimension error: expected dim: 4, got 3/,
    )
    await using lost = new Index({ url: server.url, alias: `${alias}-other`, retry })
    await expect(lost.query(similar(1))).rejects.toThrow(
      /Collection .*-other` doesn't exist! Check `alias`, and that something has been/,
    )
    const words = 'Bad request: Index required but not found for "year" of one of the following types: [integer]'
    server.faults.add({ operation: 'query', fault: { kind: 'status', status: 400, error: words } })
    await expect(index.query(similar(1, { filter: { must: match('year', 1990) } }))).rejects.toThrow(words)
  })

  test('of generations, rollback and a publication', async ({ server, alias, run }) => {
    const fault = { kind: 'status', status: 403, error: 'Forbidden: Access to collection recs is required' } as const
    const message =
      /403: Forbidden: Access to collection recs is required. Check `apiKey`, or the user and password in `url`/
    for (const call of [generations, rollback]) {
      server.faults.add({ operation: 'listCollections', fault })
      await expect(call({ url: server.url, alias })).rejects.toThrow(message)
    }
    server.faults.add({ operation: 'listAliases', fault })
    await expect(run()).rejects.toMatchObject({
      name: 'PublishError',
      step: 'preflight',
      message: expect.stringMatching(message),
    })
    expect(server.requests.filter(({ operation }) => operation === 'listAliases')).toHaveLength(1)
  })

  plain('of a proxy that answers in text or HTML', async () => {
    let body = ''
    const proxy = await listen(createServer((_, response) => void response.writeHead(403).end(body)))
    const ask = (): Promise<unknown> => generations({ url: proxy.url, alias: 'a' })
    body = 'blocked by policy 7'
    await expect(ask()).rejects.toThrow(/^403: blocked by policy 7. Check `apiKey`/)
    body = '<html><h1>403 Forbidden</h1></html>'
    await expect(ask()).rejects.toThrow(/^403: Forbidden. Check `apiKey`/)
    proxy.close()
  })
})

describe('through a reverse proxy, an environment proxy, TLS', () => {
  let standIn: StandIn
  beforeAll(async () => {
    standIn = await startStandIn()
  }, 60_000)
  afterAll(() => standIn.close())
  const forward = (request: IncomingMessage, response: ServerResponse): void => {
    const { method, headers } = request
    const target = new URL(request.url as string, standIn.url)
    request.pipe(
      httpRequest(target, { method, headers }, (answer) => {
        response.writeHead(answer.statusCode as number, answer.headers)
        answer.pipe(response)
      }),
    )
  }
  const small = { ...quick, ...tagged(10, 1) }

  plain('user and password in the URL are sent as basic authentication, with every request', async () => {
    const seen = new Set<string | undefined>()
    const proxy = await listen(
      createServer((request, response) => {
        seen.add(request.headers.authorization)
        forward(request, response)
      }),
    )
    const url = proxy.url.replace('//', '//us%40er:s%C3%A9cret@')
    await publish({ ...small, url, alias: 'basic' })
    expect([...seen]).toEqual([`Basic ${Buffer.from('us@er:sécret').toString('base64')}`])
    await expect(publish({ ...small, url: 'user:secret@host', alias: 'basic' })).rejects.toThrow(
      /`url` is "\*\*\*@host", expected/,
    )
    // An error names the address without them.
    const failed = await new Index({ url, alias: 'none', retry: { retries: 0 } })
      .query(similar(1))
      .catch((error) => error)
    expect(failed.url).toContain('/collections/none/')
    expect(JSON.stringify([failed, failed.message, failed.cause, failed.stack])).not.toMatch(/s%C3%A9cret|sécret/)
    proxy.close()
  })

  plain('Node’s proxy environment is followed', async () => {
    let tunnels = 0
    const proxy = await listen(
      createServer((_, response) => void response.writeHead(500).end()).on('connect', (request, socket) => {
        tunnels++
        const { hostname, port } = new URL(`http://${request.url}`)
        const upstream = connect(Number(port), hostname, () => {
          socket.write('HTTP/1.1 200 OK\r\n\r\n')
          socket.pipe(upstream).pipe(socket)
        })
        upstream.on('error', () => socket.destroy())
        socket.on('error', () => upstream.destroy())
      }),
    )
    const program = `import { generations } from ${JSON.stringify(new URL('../src/index.ts', import.meta.url).href)}
console.log(JSON.stringify(await generations({ url: ${JSON.stringify(standIn.url)}, alias: 'none' })))`
    const ask = async (environment: Record<string, string>): Promise<string> => {
      const child = spawn(process.execPath, ['--input-type=module-typescript', '-e', program], {
        env: { PATH: process.env.PATH, ...environment },
        stdio: ['ignore', 'pipe', 'inherit'],
      })
      return (await text(child.stdout)).trim()
    }
    expect(await ask({ HTTP_PROXY: proxy.url })).toBe('[]')
    expect(tunnels).toBe(0)
    expect(await ask({ HTTP_PROXY: proxy.url, NODE_USE_ENV_PROXY: '1' })).toBe('[]')
    expect(tunnels).toBeGreaterThan(0)
    tunnels = 0
    expect(await ask({ HTTP_PROXY: proxy.url, NODE_USE_ENV_PROXY: '1', NO_PROXY: '127.0.0.1' })).toBe('[]')
    expect(tunnels).toBe(0)
    proxy.close()
  })

  plain(
    'a certificate that is not trusted ends it at once; a dispatcher brings the authority and a client certificate',
    async () => {
      const days = { notAfterDate: new Date(Date.now() + 86_400_000) }
      const names = { name: 'subjectAltName' as const, altNames: [{ type: 2 as const, value: 'localhost' }] }
      const pem = await generate([{ name: 'commonName', value: 'localhost' }], {
        keyType: 'ec',
        ...days,
        extensions: [{ name: 'basicConstraints', cA: true }, names],
        clientCertificate: true,
      })
      let handshakes = 0
      let client: string | undefined
      const server = createTlsServer(
        { key: pem.private, cert: pem.cert, ca: pem.cert, requestCert: true, rejectUnauthorized: false },
        (request, response) => {
          client = (
            request.socket as unknown as { getPeerCertificate(): { subject?: { CN?: string } } }
          ).getPeerCertificate().subject?.CN
          forward(request, response)
        },
      ).on('connection', () => handshakes++)
      const { port, close } = await listen(server)
      const url = `https://localhost:${port}`
      const message = /DEPTH_ZERO_SELF_SIGNED_CERT.*certificate is not trusted: set NODE_EXTRA_CA_CERTS/
      await expect(publish({ ...small, url, alias: 'tls' })).rejects.toMatchObject({
        temporary: false,
        message: expect.stringMatching(message),
      })
      await expect(new Index({ url, alias: 'tls' }).query(similar(1))).rejects.toThrow(message)
      expect(handshakes).toBe(2)

      const dispatcher = new Agent({ connect: { ca: pem.cert, cert: pem.clientcert, key: pem.clientprivate } })
      expect(await publish({ ...small, url, alias: 'tls', dispatcher })).toMatchObject({ points: 10 })
      expect(client).toBeDefined()
      // It is the caller's, and stays open.
      expect(await generations({ url, alias: 'tls', dispatcher })).toHaveLength(1)
      await dispatcher.close()
      close()
    },
  )

  plain.each([
    ['TLS to a port without it', (port: number) => `https://127.0.0.1:${port}`],
    ['something that is not HTTP', (port: number) => `http://127.0.0.1:${port}`],
  ])('%s is not retried', async (_, address) => {
    let connections = 0
    const server = createTcpServer((socket) => {
      connections++
      socket.on('error', () => {}).end('SSH-2.0-OpenSSH_9.6\r\n')
    })
    const { port, close } = await listen(server)
    await expect(generations({ url: address(port), alias: 'a' })).rejects.toMatchObject({
      temporary: false,
      status: undefined,
      message: expect.stringMatching(/Check `url`: the scheme, and that the port is the REST port \(6333\)/),
    })
    expect(connections).toBe(1)
    close()
  })
})

interface Listening {
  url: string
  port: number
  close(): void
}

async function listen(server: Server | ReturnType<typeof createTcpServer>): Promise<Listening> {
  await new Promise<void>((resolve) => server.listen(0, '127.0.0.1', resolve))
  const { port } = server.address() as AddressInfo
  return {
    url: `http://127.0.0.1:${port}`,
    port,
    close() {
      if ('closeAllConnections' in server) server.closeAllConnections()
      server.close()
    },
  }
}
