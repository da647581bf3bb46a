import { createServer, type IncomingMessage, request, type ServerResponse } from 'node:http'
import type { AddressInfo } from 'node:net'
import { CreateBucketCommand, DeleteObjectCommand, PutObjectCommand, S3Client } from '@aws-sdk/client-s3'
import { startFauxqs } from 'fauxqs'
import { afterAll, beforeAll } from 'vitest'

/** Answers a request itself and returns true, or leaves it to the server. */
export type Fault = (incoming: IncomingMessage, outgoing: ServerResponse) => boolean | Promise<boolean>

export interface TestServer {
  endpoint: string
  credentials: { accessKeyId: string; secretAccessKey: string }
  /** GETs of objects so far, as "key range". */
  gets: string[]
  /** Pages of listings, and HEADs. */
  lists: number
  heads: number
  /** Headers of the last request. */
  headers: IncomingMessage['headers']
  /** What to do with the next GETs of objects, and with the next listings. */
  fault: Fault | undefined
  listFault: Fault | undefined
  put(key: string, body: Buffer): Promise<void>
  remove(key: string): Promise<void>
}

/** A real S3 server for the tests of a file, with a proxy before it in which things can go wrong. */
export function testServer(): TestServer {
  const credentials = { accessKeyId: 'test', secretAccessKey: 'test' }
  const server: TestServer = {
    endpoint: '',
    credentials,
    gets: [],
    lists: 0,
    heads: 0,
    headers: {},
    fault: undefined,
    listFault: undefined,
    put: async (key, body) => {
      await client.send(new PutObjectCommand({ Bucket: 'shop', Key: key, Body: body }))
    },
    remove: async (key) => {
      await client.send(new DeleteObjectCommand({ Bucket: 'shop', Key: key }))
    },
  }
  let client: S3Client
  let real: Awaited<ReturnType<typeof startFauxqs>>
  const proxy = createServer(async (incoming, outgoing) => {
    server.headers = incoming.headers
    if (incoming.method === 'HEAD') server.heads++
    else if (incoming.url!.includes('list-type')) {
      server.lists++
      if (await server.listFault?.(incoming, outgoing)) return
    } else if (incoming.method === 'GET') {
      server.gets.push(`${decodeURIComponent(incoming.url!.split('?')[0])} ${incoming.headers.range}`)
      if (await server.fault?.(incoming, outgoing)) return
    }
    const { method, url: path, headers } = incoming
    // A connection of its own: one kept alive may be closed by the server just as it is used again.
    const upstream = request(real.address, { method, path, headers, agent: false }, (answer) => {
      outgoing.writeHead(answer.statusCode!, answer.headers)
      answer.on('error', () => outgoing.destroy())
      answer.pipe(outgoing)
    })
    upstream.on('error', () => outgoing.destroy())
    incoming.pipe(upstream)
  })
  beforeAll(async () => {
    real = await startFauxqs({ port: 0, logger: false })
    client = new S3Client({ endpoint: real.address, region: 'us-east-1', credentials, forcePathStyle: true })
    await client.send(new CreateBucketCommand({ Bucket: 'shop' }))
    await new Promise<void>((resolve) => proxy.listen(0, '127.0.0.1', resolve))
    server.endpoint = `http://127.0.0.1:${(proxy.address() as AddressInfo).port}`
  })
  afterAll(async () => {
    client.destroy()
    proxy.closeAllConnections()
    proxy.close()
    await real.stop()
  })
  return server
}

export function errorAnswer(status: number, code: string, headers: Record<string, string> = {}, more = ''): Fault {
  return (_, outgoing) => {
    outgoing.writeHead(status, { 'content-type': 'application/xml', ...headers })
    outgoing.end(`<?xml version="1.0"?><Error><Code>${code}</Code><Message>${code} it is</Message>${more}</Error>`)
    return true
  }
}

/** Announces the whole range, sends a part, and resets the connection. */
export const resetInBody: Fault = ({ headers }, outgoing) => {
  const [start, end] = headers.range!.replace('bytes=', '').split('-').map(Number)
  outgoing.writeHead(206, { 'content-length': end - start + 1 })
  outgoing.write(Buffer.alloc(Math.floor((end - start) / 2)), () => outgoing.socket!.resetAndDestroy())
  return true
}

/** A complete answer with fewer bytes than asked for. */
export const shortBody: Fault = ({ headers }, outgoing) => {
  const [start, end] = headers.range!.replace('bytes=', '').split('-').map(Number)
  const bytes = Buffer.alloc(Math.floor((end - start) / 2))
  outgoing.writeHead(206, { 'content-length': bytes.length })
  outgoing.end(bytes)
  return true
}
