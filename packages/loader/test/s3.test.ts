import { createServer, request } from 'node:http'
import { createServer as createSecureServer } from 'node:https'
import type { AddressInfo } from 'node:net'
import type { TLSSocket } from 'node:tls'
import pMap from 'p-map'
import { generate } from 'selfsigned'
import { beforeAll, beforeEach, describe, expect, test } from 'vitest'
import { type LoadOptions, type LoadProgress, loadInteractions, planLoad, readItems } from '../src/index.ts'
import { failure } from './failure.ts'
import { int32, pairColumns, parquetBytes, signals } from './parquet-files.ts'
import { linesOf, referenceLoad } from './reference.ts'
import { errorAnswer, resetInBody, shortBody, testServer } from './s3-server.ts'

const server = testServer()
const rows = signals(20_000, 300, 200, 7)
const expected = referenceLoad(
  rows.map((row) => ({ ...row, value: 3 })),
  { user: 20, item: 50 },
)

async function putHaves(): Promise<void> {
  for (let part = 0; part < 5; part++) {
    const body = parquetBytes(pairColumns(rows.slice(part * 4000, (part + 1) * 4000)), { rowGroupSize: 2000 })
    await server.put(`haves/day=${part}/part.parquet`, body)
  }
}

function load(more: Partial<LoadOptions> = {}) {
  const { endpoint, credentials } = server
  return loadInteractions({
    sources: [{ name: 'haves', uri: 's3://shop/haves/', confidence: 3 }],
    thresholds: { user: 20, item: 50 },
    s3: { endpoint, credentials },
    threads: 2,
    ...more,
  })
}

beforeAll(async () => {
  await putHaves()
  await server.put('haves-old/part.parquet', parquetBytes(pairColumns(rows)))
  const ids = Array.from({ length: 300 }, (_, id) => id)
  const title = { name: 'title', data: ids.map((id) => `Release ${id}`), type: 'STRING' as const }
  await server.put('releases.parquet', parquetBytes([int32('release_id', ids), title]))
})

beforeEach(() => {
  server.fault = undefined
  server.listFault = undefined
  server.gets.length = 0
})

describe('objects', () => {
  test('under a prefix load by ranged reads: one per footer, and one per row group in each pass that fetches', async () => {
    const loaded = await load({ downloadBudget: 0 })
    expect(linesOf(loaded)).toEqual(expected)
    expect(server.gets).toHaveLength(5 + 2 * 10)
    expect(server.gets.every((get) => /haves\/day=\d\/part.parquet bytes=\d+-\d+$/.test(get))).toBe(true)
    expect(loaded.stats).toMatchObject({ retries: 0, bytes: 2 * loaded.plan.bytes })
  })

  test('are found by prefix, glob and partition without touching them', async () => {
    const { endpoint, credentials } = server
    const files = async (uri: string, partitions?: Record<string, string>) => {
      const s3 = { endpoint, credentials }
      const plan = await planLoad({ sources: [{ name: 'haves', uri, partitions }], s3 })
      return plan.sources[0].files.map((file) => file.uri.replace('s3://shop/', ''))
    }
    // "haves-old/" begins like "haves", and is not below it.
    expect(await files('s3://shop/haves')).toHaveLength(5)
    expect(await files('s3://shop/haves/day=[12]/*.parquet')).toEqual([
      'haves/day=1/part.parquet',
      'haves/day=2/part.parquet',
    ])
    expect(await files('s3://shop/haves/', { day: '3' })).toEqual(['haves/day=3/part.parquet'])
    expect(await files('s3://shop/haves-old/part.parquet')).toEqual(['haves-old/part.parquet'])
    await expect(files('s3://shop/none/')).rejects.toThrow(/no Parquet file at s3:\/\/shop\/none\//)
    await expect(files('s3://nobucket/none/')).rejects.toThrow(/s3:\/\/nobucket\/none\/: there is no such bucket/)
  })

  test('by the thousand take a page of the listing per thousand, four to see what else is there, and no HEAD', async () => {
    const { endpoint, credentials } = server
    const body = parquetBytes(pairColumns(rows.slice(0, 100)))
    const keys = Array.from({ length: 2003 }, (_, i) => `many/part-${String(i).padStart(4, '0')}.parquet`)
    await pMap(keys, (key) => server.put(key, body), { concurrency: 16 })
    server.lists = 0
    const plan = await planLoad({
      sources: [{ name: 'haves', uri: 's3://shop/many/part-*0.parquet' }],
      s3: { endpoint, credentials },
    })
    expect(plan.files).toBe(201)
    expect({ lists: server.lists, heads: server.heads, gets: server.gets.length }).toEqual({
      lists: 3 + 4,
      heads: 0,
      gets: 201,
    })
  })

  test('hold metadata too', async () => {
    const { endpoint, credentials } = server
    const titles: unknown[] = []
    const ids = Uint32Array.of(3, 250, 299)
    for await (const item of readItems({
      source: 's3://shop/releases.parquet',
      id: 'release_id',
      ids,
      s3: { endpoint, credentials },
    })) {
      titles.push(item)
    }
    expect(titles).toEqual([
      { row: 0, id: 3, values: { release_id: 3, title: 'Release 3' } },
      { row: 1, id: 250, values: { release_id: 250, title: 'Release 250' } },
      { row: 2, id: 299, values: { release_id: 299, title: 'Release 299' } },
    ])
  })
})

describe('what passes by is survived and counted', () => {
  test.each([
    ['503 SlowDown', errorAnswer(503, 'SlowDown')],
    ['500 InternalError', errorAnswer(500, 'InternalError')],
    ['a reset in the body', resetInBody],
    ['a short body', shortBody],
  ])('%s, in the footers and in both passes', async (_, fault) => {
    let last: LoadProgress | undefined
    const due = new Set(['plan', 'count', 'scatter'])
    server.fault = (incoming, outgoing) => due.delete(last?.phase ?? 'plan') && fault(incoming, outgoing)
    const loaded = await load({
      downloadBudget: 0,
      onProgress: (progress) => {
        last = progress
      },
    })
    expect(linesOf(loaded)).toEqual(expected)
    expect(loaded.stats.retries).toBe(3)
    expect(last?.retries).toBe(3)
  })
})

describe('what stays is an error', () => {
  test('a store that keeps breaking off', async () => {
    server.fault = (incoming, outgoing) => phase === 'count' && shortBody(incoming, outgoing)
    let phase = ''
    const error = await failure(load({ onProgress: (progress) => (phase = progress.phase) }))
    expect(error.message).toMatch(
      /s3:\/\/shop\/haves\/day=\d\/part.parquet: reading bytes=\d+-\d+ broke off 5 times, the last time because the body ended after \d+ of \d+ bytes/,
    )
    expect(error.code).toBe('storage')
  })

  test('an object that changes between the passes', async () => {
    let phase = ''
    server.fault = async () => {
      if (phase === 'scatter') await server.put('haves/day=2/part.parquet', parquetBytes(pairColumns(rows.slice(1))))
      return false
    }
    const error = await failure(load({ downloadBudget: 0, onProgress: (progress) => (phase = progress.phase) }))
    expect(error).toMatchObject({ code: 'changed', file: 's3://shop/haves/day=2/part.parquet' })
    expect(error.message).toMatch(/part.parquet changed while it was being loaded/)
    server.fault = undefined
    await putHaves()
  })

  test('an object that is deleted between the passes', async () => {
    let phase = ''
    server.fault = async () => {
      if (phase === 'scatter') await server.remove('haves/day=3/part.parquet')
      return false
    }
    const error = await failure(load({ downloadBudget: 0, onProgress: (progress) => (phase = progress.phase) }))
    expect(error).toMatchObject({ code: 'missing', file: 's3://shop/haves/day=3/part.parquet' })
    server.fault = undefined
    await putHaves()
  })

  test.each([
    ['InvalidObjectState', 403, /InvalidObjectState \(403\): .* archived \(DEEP_ARCHIVE\): restore it first/],
    ['KMS.DisabledException', 400, /could not be read \(bytes=.*\): KMS.DisabledException \(400\): .* it is\.$/],
  ])('%s', async (code, status, message) => {
    server.fault = errorAnswer(status, code, {}, '<StorageClass>DEEP_ARCHIVE</StorageClass>')
    const error = await failure(load())
    expect(error.code).toBe('storage')
    expect(error.message).toMatch(message)
    expect(error.message).not.toMatch(/access key|deleted/)
  })

  test.each([
    ['NoSuchBucket', 404, 'missing', /there is no such bucket/],
    ['NoSuchKey', 404, 'storage', /NoSuchKey \(404\).*does not list buckets there.*http\(s\):\/\/host/],
    ['PermanentRedirect', 301, 'storage', /The bucket is in eu-west-3: set the option s3.region/],
    ['AuthorizationHeaderMalformed', 400, 'storage', /The bucket is in eu-west-3/],
    ['AccessDenied', 403, 'credentials', /Listing needs s3:ListBucket/],
    ['RequestTimeTooSkewed', 403, 'credentials', /clock of this machine/],
  ])('%s of a listing', async (code, status, kind, message) => {
    server.listFault = errorAnswer(status, code, { 'x-amz-bucket-region': 'eu-west-3' })
    const error = await failure(load())
    expect(error.code).toBe(kind)
    expect(error.message).toMatch(message)
    expect(error.message).not.toMatch(/deleted/)
  })

  test('an endpoint with the bucket in it, or without anybody behind it', async () => {
    const { credentials } = server
    const inPath = await failure(load({ s3: { endpoint: `${server.endpoint}/shop`, credentials } }))
    expect(inPath.message).toMatch(/could not be listed.*the bucket belongs in s3:\/\/bucket\/prefix/)
    const nobody = await failure(load({ s3: { endpoint: 'http://127.0.0.1:9', credentials, maxAttempts: 1 } }))
    expect(nobody.message).toMatch(/ECONNREFUSED.*check s3.endpoint/)
    expect((await failure(load({ s3: { endpoint: 'localhost:9000', credentials } }))).message).toMatch(
      /s3.endpoint: expected http\(s\):\/\/host/,
    )
  })

  test.each([
    ['ExpiredToken', 400, /could not be read \(bytes=.*\), the keys have expired: ExpiredToken/],
    ['SignatureDoesNotMatch', 403, /SignatureDoesNotMatch \(403\): .*Check the access key, the secret/],
    ['AccessDenied', 403, /AccessDenied \(403\): .*bucket policy/],
  ])('%s', async (code, status, message) => {
    server.fault = errorAnswer(status, code)
    const error = await failure(load())
    expect(error.code).toBe('credentials')
    expect(error.message).toMatch(message)
  })

  test('keys that expire are asked for again, so they may be renewed', async () => {
    let asked = 0
    const credentials = async () => ({ ...server.credentials, sessionToken: `token-${asked++}` })
    const tokens = new Set<unknown>()
    server.fault = ({ headers }) => {
      tokens.add(headers['x-amz-security-token'])
      return false
    }
    const loaded = await load({ s3: { endpoint: server.endpoint, credentials } })
    expect(linesOf(loaded)).toEqual(expected)
    expect(tokens.size).toBeGreaterThan(9)
  })
})

describe('the way to the store', () => {
  test('says that the requester pays, in listings and in reads', async () => {
    const payers = new Set<unknown>()
    server.listFault = ({ headers }) => {
      payers.add(`list ${headers['x-amz-request-payer']}`)
      return false
    }
    server.fault = ({ headers }) => {
      payers.add(`get ${headers['x-amz-request-payer']}`)
      return false
    }
    const { endpoint, credentials } = server
    await load({ s3: { endpoint, credentials, requesterPays: true } })
    expect([...payers].sort()).toEqual(['get requester', 'list requester'])
  })

  test('leads through a proxy', async () => {
    const seen: string[] = []
    const proxy = createServer((incoming, outgoing) => {
      seen.push(incoming.url!)
      const { method, url, headers } = incoming
      const upstream = request(url!, { method, headers, agent: false }, (answer) => {
        outgoing.writeHead(answer.statusCode!, answer.headers)
        answer.pipe(outgoing)
      })
      incoming.pipe(upstream)
    })
    await new Promise<void>((resolve) => proxy.listen(0, '127.0.0.1', resolve))
    const { endpoint, credentials } = server
    const address = `http://127.0.0.1:${(proxy.address() as AddressInfo).port}`
    const loaded = await load({ s3: { endpoint, credentials, proxy: address } })
    expect(linesOf(loaded)).toEqual(expected)
    expect(seen.length).toBeGreaterThan(10)
    expect(seen.every((url) => url.startsWith(`${endpoint}/shop`))).toBe(true)
    proxy.closeAllConnections()
    proxy.close()
  })

  test('is encrypted, with certificates of an authority of its own on both sides', async () => {
    const address = [{ name: 'subjectAltName' as const, altNames: [{ type: 7 as const, ip: '127.0.0.1' }] }]
    const own = await generate([{ name: 'commonName', value: 'store' }], { extensions: address })
    const client = await generate([{ name: 'commonName', value: 'loader' }])
    const clients: string[] = []
    const both = { key: own.private, cert: own.cert, ca: client.cert, requestCert: true, rejectUnauthorized: true }
    const secure = createSecureServer(both, (incoming, outgoing) => {
      clients.push((incoming.socket as TLSSocket).getPeerCertificate().subject.CN as string)
      const { method, url, headers } = incoming
      const upstream = request(`${server.endpoint}${url}`, { method, headers, agent: false }, (answer) => {
        outgoing.writeHead(answer.statusCode!, answer.headers)
        answer.pipe(outgoing)
      })
      incoming.pipe(upstream)
    })
    await new Promise<void>((resolve) => secure.listen(0, '127.0.0.1', resolve))
    const endpoint = `https://127.0.0.1:${(secure.address() as AddressInfo).port}`
    const { credentials } = server
    const tls = { ca: own.cert, cert: client.cert, key: client.private }
    expect(linesOf(await load({ s3: { endpoint, credentials, tls } }))).toEqual(expected)
    expect(new Set(clients)).toEqual(new Set(['loader']))
    const error = await failure(load({ s3: { endpoint, credentials, maxAttempts: 1 } }))
    expect(error.message).toMatch(/certificate.*check s3.endpoint, s3.proxy and s3.tls/i)
    secure.closeAllConnections()
    secure.close()
  })
})
