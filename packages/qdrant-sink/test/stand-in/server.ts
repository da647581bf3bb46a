/**
 * A stand-in for a Qdrant server: the REST paths that publishing and querying use, over real HTTP, in one process, with exact search.
 * It refuses every body that does not fit the official client's types, and can be told to fail.
 *
 * `node server.ts [port]` runs it on its own and prints its address.
 */
import { createServer, type IncomingMessage, type ServerResponse } from 'node:http'
import type { AddressInfo } from 'node:net'
import { setTimeout as sleep } from 'node:timers/promises'
import type { Schemas } from '@qdrant/js-client-rest'
import { Faults, type Operation, type SeenRequest } from './faults.ts'
import { requestValidators } from './schemas.ts'
import { search, searchGroups, vectorsOf } from './search.ts'
import { idKey, Refusal, Storage } from './storage.ts'

export interface StandIn {
  url: string
  storage: Storage
  faults: Faults
  /** Every request in the order of arrival, without the points of upserts. */
  requests: SeenRequest[]
  close(): Promise<void>
}

/** The server's `service.max_request_size_mb`. */
const BODY_LIMIT = 32 * 1024 * 1024
const VERSION = '1.19.0'

let validator: ReturnType<typeof requestValidators> | undefined

export interface StandInOptions {
  port?: number
  apiKey?: string
  version?: string
  quotas?: Schemas['QuotaStatus']
  bodyLimit?: number
}

export async function startStandIn(options: StandInOptions = {}): Promise<StandIn> {
  const storage = new Storage()
  const faults = new Faults()
  const requests: SeenRequest[] = []
  validator ??= requestValidators()
  const validatorFor = validator
  const server = createServer((request, response) => {
    answer(request, response).catch((error) => {
      if (error instanceof Refusal)
        reply(response, error.status, { status: { error: error.message }, time: 0 }, error.retryAfter)
      else reply(response, 500, { status: { error: `Service internal error: ${String(error)}` }, time: 0 })
    })
  })
  // As actix does.
  server.keepAliveTimeout = 5_000

  async function answer(request: IncomingMessage, response: ServerResponse): Promise<void> {
    const text = await readBody(request, options.bodyLimit ?? BODY_LIMIT)
    if (options.apiKey && request.headers['api-key'] !== options.apiKey)
      throw new Refusal(401, 'Must provide an API key or an Authorization bearer token')
    const url = new URL(request.url ?? '/', 'http://stand-in')
    const { route, names } = findRoute(request.method ?? 'GET', url.pathname)
    const body = parseBody(text)
    if (route.schema !== undefined) {
      const validate = validatorFor(route.schema)
      if (!validate(body)) {
        const { instancePath, message, params } = validate.errors?.[0] ?? {}
        throw new Refusal(400, `Format error in JSON body: ${instancePath} ${message} ${JSON.stringify(params)}`)
      }
    }
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
    if (fault?.kind === 'status')
      throw new Refusal(fault.status, fault.error ?? `injected ${fault.status}`, fault.retryAfter)
    if (fault?.kind === 'slow') await sleep(fault.milliseconds)
    if (fault?.kind === 'call') await fault.call(seen)
    if (fault?.kind === 'wait_timeout')
      return reply(response, 200, { result: { operation_id: 0, status: 'wait_timeout' }, status: 'ok', time: 0 })
    const result = route.run({ storage, options, names, body: withLargeIds(text, body), query: url.searchParams })
    if (fault?.kind === 'reset') return void request.socket.resetAndDestroy()
    reply(response, 200, route.operation === 'root' ? result : { result, status: 'ok', time: 0 })
  }

  await new Promise<void>((resolve) => server.listen(options.port ?? 0, '127.0.0.1', resolve))
  return {
    url: `http://127.0.0.1:${(server.address() as AddressInfo).port}`,
    storage,
    faults,
    requests,
    async close() {
      server.closeAllConnections()
      await new Promise((resolve) => server.close(resolve))
    },
  }
}

export interface Call {
  storage: Storage
  options: StandInOptions
  /** Names in the path: the collection, and for single points the id. */
  names: string[]
  // biome-ignore lint/suspicious/noExplicitAny: the body has been checked against the route's schema
  body: any
  query: URLSearchParams
}

export interface Route {
  method: string
  path: RegExp
  operation: Operation
  /** Type of the body in the client's schemas. */
  schema?: string
  run(call: Call): unknown
}

const collection = '/collections/([^/]+)'

const routes: Route[] = [
  route('GET', '/', 'root', ({ options }) => ({
    title: 'qdrant - vector search engine',
    version: options.version ?? VERSION,
    commit: 'stand-in',
  })),
  route('GET', '/quotas', 'quotas', ({ options }) => options.quotas ?? { config: { enabled: false }, usage: {} }),
  route('GET', '/collections', 'listCollections', ({ storage }) => ({
    collections: [...storage.collections.keys()].map((name) => ({ name })),
  })),
  route('GET', '/aliases', 'listAliases', ({ storage }) => ({
    aliases: [...storage.aliases].map(([alias_name, collection_name]) => ({ alias_name, collection_name })),
  })),
  route(
    'POST',
    '/collections/aliases',
    'updateAliases',
    ({ storage, body }) => storage.updateAliases(body.actions),
    'ChangeAliasesOperation',
  ),
  route('GET', collection, 'getCollection', describe),
  route(
    'PUT',
    collection,
    'createCollection',
    ({ storage, names, body }) => storage.create(names[0], body),
    'CreateCollection',
  ),
  route(
    'PATCH',
    collection,
    'updateCollection',
    ({ storage, names, body }) => storage.update(names[0], body),
    'UpdateCollection',
  ),
  route('DELETE', collection, 'deleteCollection', ({ storage, names }) => storage.delete(names[0])),
  route(
    'PUT',
    `${collection}/index`,
    'createIndex',
    ({ storage, names, body }) => done(storage.createIndex(names[0], body)),
    'CreateFieldIndex',
  ),
  route(
    'PUT',
    `${collection}/points`,
    'upsert',
    ({ storage, names, body }) => done(storage.upsert(names[0], body.points)),
    'PointsList',
  ),
  route(
    'POST',
    `${collection}/points/count`,
    'count',
    ({ storage, names }) => ({ count: storage.find(names[0]).points.size }),
    'CountRequest',
  ),
  route('POST', `${collection}/points`, 'getPoints', getPoints, 'PointRequest'),
  route(
    'POST',
    `${collection}/points/delete`,
    'deletePoints',
    ({ storage, names, body }) => done(storage.deletePoints(names[0], body.points)),
    'PointIdsList',
  ),
  route(
    'PUT',
    `${collection}/points/payload`,
    'overwritePayload',
    ({ storage, names, body }) => done(storage.overwritePayload(names[0], body.points, body.payload)),
    'SetPayload',
  ),
  route('POST', `${collection}/points/scroll`, 'scroll', scroll, 'ScrollRequest'),
  route('GET', `${collection}/points/([^/]+)`, 'getPoint', getPoint),
  route(
    'POST',
    `${collection}/points/query`,
    'query',
    ({ storage, names, body }) => ({ points: search(storage, names[0], body) }),
    'QueryRequest',
  ),
  route(
    'POST',
    `${collection}/points/query/batch`,
    'queryBatch',
    ({ storage, names, body }) =>
      body.searches.map((one: Schemas['QueryRequest']) => ({ points: search(storage, names[0], one) })),
    'QueryRequestBatch',
  ),
  route(
    'POST',
    `${collection}/points/query/groups`,
    'queryGroups',
    ({ storage, names, body }) => searchGroups(storage, names[0], body),
    'QueryGroupsRequest',
  ),
  route('GET', `${collection}/optimizations`, 'optimizations', ({ storage, names }) => {
    const busy = storage.find(names[0]).busyPolls > 0
    return {
      summary: { queued_optimizations: 0, queued_segments: 0, queued_points: 0, idle_segments: 1 },
      running: busy ? [{}] : [],
      queued: [],
    }
  }),
]

function route(method: string, path: string, operation: Operation, run: Route['run'], schema?: string): Route {
  return { method, path: new RegExp(`^${path}$`), operation, run, ...(schema !== undefined && { schema }) }
}

/** The operation a request asks for, and the names in its path. */
export function findRoute(method: string, path: string): { route: Route; names: string[] } {
  for (const candidate of routes) {
    const match = candidate.method === method && candidate.path.exec(path)
    if (match) return { route: candidate, names: match.slice(1).map(decodeURIComponent) }
  }
  throw new Refusal(404, `Not found: ${method} ${path}`)
}

function done(operation: number): Schemas['UpdateResult'] {
  return { operation_id: operation, status: 'completed' }
}

function describe({ storage, names }: Call): unknown {
  const found = storage.find(names[0])
  const busy = found.busyPolls > 0
  if (busy) found.busyPolls--
  const { create, vectors } = found
  return {
    status: busy ? 'yellow' : 'green',
    optimizer_status: 'ok',
    indexed_vectors_count: found.indexingThreshold > 0 && !busy ? found.points.size : 0,
    points_count: found.points.size,
    segments_count: 1,
    update_queue: { length: 0 },
    payload_schema: Object.fromEntries(
      [...found.indexes].map(([field, schema]) => [
        field,
        { data_type: typeof schema === 'string' ? schema : schema.type, points: 0 },
      ]),
    ),
    config: {
      params: {
        vectors: vectors.get('') ?? Object.fromEntries(vectors),
        shard_number: create.shard_number ?? 1,
        replication_factor: 1,
      },
      hnsw_config: { m: 16, ef_construct: 100, full_scan_threshold: 10_000 },
      optimizer_config: {
        deleted_threshold: 0.2,
        vacuum_min_vector_number: 1000,
        default_segment_number: 0,
        indexing_threshold: found.indexingThreshold,
        flush_interval_sec: 5,
      },
      ...(create.strict_mode_config && { strict_mode_config: create.strict_mode_config }),
      ...(found.metadata && { metadata: found.metadata }),
    },
  }
}

function getPoints({ storage, names, body }: Call): Schemas['Record'][] {
  const found = storage.find(names[0])
  const { ids, with_payload: payload = true, with_vector: vector = false } = body as Schemas['PointRequest']
  return ids.flatMap((id) => {
    const point = found.points.get(idKey(id))
    if (!point) return []
    return [
      {
        id: point.id as number | string,
        ...(payload && { payload: point.payload }),
        ...(vector && { vector: vectorsOf(point) as Schemas['VectorStructOutput'] }),
      },
    ]
  })
}

function scroll({ storage, names, body }: Call): unknown {
  const { limit = 10, offset } = body as { limit?: number; offset?: number | string }
  const sorted = [...storage.find(names[0]).points.values()].sort((a, b) => (a.id < b.id ? -1 : 1))
  const from = offset === undefined ? 0 : sorted.findIndex(({ id }) => id >= offset)
  const page = sorted.slice(from, from + limit)
  return {
    points: page.map(({ id, payload }) => ({ id, payload })),
    next_page_offset: sorted[from + limit]?.id ?? null,
  }
}

function getPoint({ storage, names }: Call): unknown {
  const point = storage.find(names[0]).points.get(idKey(names[1]))
  if (!point) throw new Refusal(404, `Not found: Point with id ${names[1]} does not exists!`)
  return { id: point.id, payload: point.payload, vector: vectorsOf(point) }
}

export async function readBody(request: IncomingMessage, limit: number): Promise<string> {
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

/** Ids go up to 2^64, which a number does not hold; the client sends and reads them as bigints. */
function withLargeIds(text: string, body: unknown): unknown {
  if (!/[:[,]\s*\d{16,20}\s*[,}\]]/.test(text)) return body
  return JSON.parse(text, (_key: string, value: unknown, context?: { source: string }) =>
    Number.isInteger(value) && !Number.isSafeInteger(value) ? BigInt(context?.source as string) : value,
  )
}

function bigintAsNumber(_key: string, value: unknown): unknown {
  return typeof value === 'bigint'
    ? (JSON as unknown as { rawJSON(text: string): unknown }).rawJSON(String(value))
    : value
}

function reply(response: ServerResponse, status: number, body: unknown, retryAfter?: string): void {
  if (response.headersSent || response.destroyed) return
  response.writeHead(status, {
    'content-type': 'application/json',
    ...(retryAfter !== undefined && { 'retry-after': retryAfter }),
  })
  response.end(JSON.stringify(body, bigintAsNumber))
}

if (import.meta.main) {
  const { url } = await startStandIn({ port: Number(process.argv[2] ?? 0) })
  console.log(url)
}
