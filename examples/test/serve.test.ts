import { once } from 'node:events'
import { mkdtempSync, rmSync } from 'node:fs'
import { type AddressInfo, connect, createServer as createTcpServer, type Socket } from 'node:net'
import { tmpdir } from 'node:os'
import { join } from 'node:path'
import { type AlsModel, matrixFromTriplets, Recommender, saveModel, train } from '@seesaw/als-core'
import autocannon from 'autocannon'
import { afterAll, beforeAll, describe, expect, test } from 'vitest'
import { createServer, type RecommendationServer } from '../server/create-server.ts'
import { Program } from './program.ts'

// Child processes on a busy machine take their time; no time is asserted here.
const users = 60
const items = 120
const folder = mkdtempSync(join(tmpdir(), 'serve-'))
const directory = join(folder, 'model')
const rows = Array.from({ length: 900 }, (_, n) => n % users)
const interactions = matrixFromTriplets({
  ...{ users, items, rows, duplicates: 'max' },
  columns: rows.map((user, n) => (user * 7 + n * n) % items),
  values: rows.map((_, n) => 1 + (n % 3)),
})
let model: AlsModel
let recommender: Recommender
let server: RecommendationServer
let url: string

const trainOn = (prefix: string, seed: number) =>
  train(interactions, {
    ...{ factors: 8, iterations: 3, threads: 1, seed },
    userIds: Array.from({ length: users }, (_, user) => `${prefix}user/${user}`),
    itemIds: Array.from({ length: items }, (_, item) => 1000 + item),
    interactionCounts: Uint32Array.from({ length: items }, (_, item) => item),
  })

beforeAll(async () => {
  model = await trainOn('', 1)
  await saveModel(model, directory, { interactions })
  recommender = await Recommender.open(directory, { threads: 1 })
  server = createServer(recommender, { maxInFlight: 20 })
  url = await server.app.listen({ port: 0 })
})
afterAll(async () => {
  await server.app.close()
  await recommender.close()
  rmSync(folder, { recursive: true })
})

interface Answer {
  readonly status: number
  readonly body: { readonly items: { id: number | string; score: number }[]; readonly message: string }
}

async function get(path: string, at = url): Promise<Answer> {
  const response = await fetch(at + path)
  return { status: response.status, body: (await response.json()) as Answer['body'] }
}

async function post(path: string, content: unknown): Promise<Answer> {
  const response = await fetch(url + path, {
    method: 'POST',
    headers: { 'content-type': 'application/json' },
    body: typeof content === 'string' ? content : JSON.stringify(content),
  })
  return { status: response.status, body: (await response.json()) as Answer['body'] }
}

const listed = (list: Iterable<{ id: number | string; score: number }>) => ({
  items: Array.from(list, ({ id, score }) => ({ id, score })),
})

describe('answers are those of the recommender', () => {
  test('for a user, without what the user has, filtered and limited', async () => {
    const user = encodeURIComponent('user/7')
    expect(await get(`/users/${user}/recommendations?limit=5`)).toEqual({
      status: 200,
      body: listed(await recommender.recommend(7, { limit: 5 })),
    })
    const { body } = await get(`/users/${user}/recommendations?limit=120&minInteractions=50&maxInteractions=60`)
    expect(body).toEqual(listed(await recommender.recommend(7, { limit: 120, interactionCount: { min: 50, max: 60 } })))
    const { indptr, indices } = interactions.csr
    const own = new Set(Array.from(indices.subarray(indptr[7], indptr[8]), (row) => 1000 + row))
    expect(body.items.length).toBeGreaterThan(3)
    for (const { id } of body.items) expect(own.has(+id) || +id < 1050 || +id > 1060).toBe(false)
  })

  test('for an item, with each metric', async () => {
    for (const metric of ['cosine', 'taste', 'dot'] as const) {
      expect((await get(`/items/1011/similar?limit=4&metric=${metric}`)).body).toEqual(
        listed(await recommender.similarItems('1011', { limit: 4, metric })),
      )
    }
  })

  test('for a blend, a posted history and an explanation; ids may be numbers', async () => {
    const deny = ['1002', '5']
    expect(
      (await post('/blends', { positive: [1001, '1003'], negative: [1009], limit: 6, filter: { deny } })).body,
    ).toEqual(listed(await recommender.blend({ positive: [1, 3], negative: [9] }, { limit: 6, deny })))
    expect((await post('/recommendations', { items: [1001, 1077], values: [2, -1], limit: 3 })).body).toEqual(
      listed(await recommender.recommendForHistory({ items: ['1001', '1077'], values: [2, -1] }, { limit: 3 })),
    )
    expect((await post('/recommendations', { items: [], fallback: 'mostPopular', limit: 2 })).body.items).toEqual([
      { id: 1119, score: 119 },
      { id: 1118, score: 118 },
    ])
    const { contributions, score } = await recommender.explain('user/3', '1100')
    expect((await get(`/users/${encodeURIComponent('user/3')}/explanations/1100`)).body).toEqual({
      score,
      because: contributions.map(({ id, contribution }) => ({ id, adds: contribution })),
    })
  })
})

test.each([
  ['/users/nobody/recommendations', 404, 'UNKNOWN_USER', /no user with id "nobody"/],
  ['/items/999/similar', 404, 'UNKNOWN_ITEM', /no item with id "999"/],
  ['/items/01001/similar', 404, 'UNKNOWN_ITEM', /no item with id "01001"/],
  ['/items/1001/similar?limit=0', 400, 'BAD_REQUEST', /limit must be >= 1/],
  ['/items/1001/similar?limit=1001', 400, 'BAD_REQUEST', /limit must be <= 1000/],
  ['/items/1001/similar?metric=l2', 400, 'BAD_REQUEST', /metric must be equal to one of/],
  ['/items/1001/similar?limits=3', 400, 'BAD_REQUEST', /must NOT have additional properties/],
  ['/items/1001', 404, 'NO_SUCH_ROUTE', /There is no GET \/items\/1001/],
])('GET %s is %d %s', async (path, status, code, message) => {
  const found = await get(path)
  expect(found).toMatchObject({ status, body: { code } })
  expect(found.body.message).toMatch(message)
})

test.each([
  ['/blends', { positive: [] }, 400, 'BAD_REQUEST'],
  ['/blends', { positive: ['1001'], confidence: [1, 2] }, 400, 'BAD_OPTION'],
  ['/blends', { positive: ['7'] }, 404, 'UNKNOWN_ITEM'],
  ['/blends', '{"positive": ["1001"', 400, 'BAD_REQUEST'],
  ['/blends', { positive: [{}] }, 400, 'BAD_REQUEST'],
  ['/recommendations', { items: ['1001', '1001'] }, 400, 'BAD_OPTION'],
  ['/recommendations', { items: ['1001'], where: 'true' }, 400, 'BAD_REQUEST'],
  ['/recommendations', { items: Array.from({ length: 10_001 }, () => '1001') }, 400, 'BAD_REQUEST'],
  ['/recommendations', { items: ['1001'], pad: 'x'.repeat(2 ** 20) }, 413, 'BAD_REQUEST'],
])('POST %s of %o is %d %s', async (path, content, status, code) => {
  expect(await post(path, content)).toMatchObject({ status, body: { code } })
})

test('health, readiness and metrics', async () => {
  expect(await get('/health')).toEqual({ status: 200, body: { status: 'ok' } })
  expect(await get('/ready')).toEqual({ status: 200, body: { status: 'ready', model: { users, items, factors: 8 } } })
  const text = await (await fetch(`${url}/metrics`)).text()
  expect(text).toMatch(/http_request_duration_seconds_count\{route="\/items\/:item\/similar",status="404"\} [1-9]/)
  expect(text).toMatch(/^model_items 120$/m)
  expect(text).toMatch(/^process_resident_memory_bytes \d+/m)
})

test('for somebody of whom nothing is known, and for a history with items that the model does not have', async () => {
  const popular = [
    { id: 1119, score: 119 },
    { id: 1118, score: 118 },
  ]
  expect((await get('/users/nobody/recommendations?fallback=mostPopular&limit=2')).body).toEqual({ items: popular })
  const known = { items: ['1001', '1077'], values: [2, -1], limit: 3 }
  const items = ['1001', 7, '1077', 'gone']
  expect(await post('/recommendations', { ...known, items, values: [2, 9, -1, 9] })).toMatchObject({ status: 404 })
  expect((await post('/recommendations', { ...known, items, values: [2, 9, -1, 9], skipUnknown: true })).body).toEqual({
    ...(await post('/recommendations', known)).body,
    unknown: ['7', 'gone'],
  })
  const none = { items: ['gone'], skipUnknown: true, fallback: 'mostPopular', limit: 2 }
  expect((await post('/recommendations', none)).body).toEqual({ items: popular, unknown: ['gone'] })
  expect(await post('/recommendations', { ...known, items, skipUnknown: true })).toMatchObject({ status: 400 })
})

test.each([
  ['an id that is true', '/recommendations', '{"items": [true]}', /items\/0 must be string,integer/],
  ['an id that is null', '/recommendations', '{"items": [null]}', /items\/0 must be string,integer/],
  [
    'an id that JSON has rounded',
    '/recommendations',
    '{"items": [9007199254740993]}',
    /items\/0 must be <= 9007199254740991/,
  ],
  ['a value that is null', '/recommendations', '{"items": ["1001"], "values": [null]}', /values\/0 must be number/],
  ['items that are no list', '/recommendations', '{"items": "1001"}', /items must be array/],
  ['a value beyond float32', '/recommendations', '{"items": ["1001"], "values": [1e39]}', /values\[0\] is 1e\+39/],
  [
    'a confidence beyond float32',
    '/blends',
    '{"positive": ["1001"], "confidence": [1e300]}',
    /confidence\[0\] is 1e\+300/,
  ],
])('%s is refused with 400', async (_, path, content, message) => {
  const found = await post(path, content)
  expect(found.status).toBe(400)
  expect(found.body.message).toMatch(message)
})

test('a path or a body that cannot be read has a code too, and the type that is expected', async () => {
  expect(await get('/users/%E0%A4%A/recommendations')).toMatchObject({ status: 400, body: { code: 'BAD_REQUEST' } })
  expect(await get(`/users/${'x'.repeat(600)}/recommendations`)).toMatchObject({ body: { code: 'BAD_REQUEST' } })
  const text = await fetch(`${url}/blends`, { method: 'POST', headers: { 'content-type': 'text/plain' }, body: '{}' })
  expect(text.status).toBe(415)
  expect(await text.json()).toEqual({
    code: 'BAD_REQUEST',
    message: 'The content-type is "text/plain", expected application/json.',
  })
  expect(await get('/items/1001/similar?limit=0x10')).toMatchObject({ status: 400 })
  expect(await get('/items/1001/similar?limit=3&limit=4')).toMatchObject({ status: 400 })
})

test('requests that never end, or whose clients leave, take no place from others', async () => {
  const strict = createServer(recommender, { maxInFlight: 2, requestMilliseconds: 1000 })
  const at = await strict.app.listen({ port: 0 })
  const port = (strict.app.server.address() as AddressInfo).port
  const half = () =>
    new Promise<Socket>((resolve) => {
      const socket = connect(port, '127.0.0.1', () => {
        socket.write(
          'POST /blends HTTP/1.1\r\nhost: x\r\ncontent-type: application/json\r\ncontent-length: 99\r\n\r\n{',
        )
        resolve(socket)
      })
    })
  const sockets = await Promise.all(Array.from({ length: 8 }, half))
  for (const path of ['/items/1001/similar', '/health', '/ready']) expect((await get(path, at)).status).toBe(200)
  for (const socket of sockets.slice(0, 4)) socket.destroy()
  const told = await Promise.all(
    sockets.slice(4).map((socket) => new Promise<string>((resolve) => socket.on('data', (data) => resolve(`${data}`)))),
  )
  for (const answer of told) expect(answer).toMatch(/^HTTP\/1.1 408 /)
  for (let n = 0; n < 4; n++) expect((await get('/items/1001/similar', at)).status).toBe(200)
  await strict.app.close()
})

test('above the limit of requests under way the rest is turned away at once, and all is well after', async () => {
  const statuses = await Promise.all(
    Array.from({ length: 60 }, async () => (await fetch(`${url}/items/1001/similar?limit=100`)).status),
  )
  expect(statuses.filter((status) => status === 200).length).toBeGreaterThanOrEqual(20)
  expect(new Set(statuses).size).toBeLessThanOrEqual(2)
  expect((await get('/items/1001/similar')).status).toBe(200)
})

test('npm run serve: from the folder to the end by a signal; a new model takes over without a request lost', async () => {
  const shop = join(folder, 'shop')
  await saveModel(model, shop, { interactions })
  const program = new Program('serve.ts', {
    OUTPUT_DIR: shop,
    PORT: '0',
    RELOAD_SECONDS: '1',
    THREADS: '1',
    DRAIN_SECONDS: '2',
  })
  const port = await program.until(
    new Promise<string>((resolve) => {
      const look = setInterval(() => {
        const [, found] = /listening at http:\/\/127\.0\.0\.1:(\d+)/.exec(program.stdout) ?? []
        if (found === undefined) return
        clearInterval(look)
        resolve(found)
      }, 20)
    }),
  )
  const at = `http://127.0.0.1:${port}`
  const { promise, resolve, reject } = Promise.withResolvers<autocannon.Result>()
  const asked = { url: `${at}/items/1001/similar`, connections: 4, duration: 600 }
  const load = autocannon(asked, (error, result) => (error ? reject(error) : resolve(result)))
  const [loaded] = await Promise.all([promise, replaceModel()])
  expect({ errors: loaded.errors, timeouts: loaded.timeouts, failed: loaded.non2xx }).toEqual({
    errors: 0,
    timeouts: 0,
    failed: 0,
  })
  expect(loaded['2xx']).toBeGreaterThan(0)
  program.kill('SIGTERM')
  // The port stays open while whoever balances the load learns that it will close.
  for (let status = 200; status !== 503; ) status = (await program.until(get('/ready', at))).status
  const last = await program.until(fetch(`${at}/items/1001/similar`))
  expect([last.status, last.headers.get('connection')]).toEqual([200, 'close'])
  expect(await program.end()).toEqual({ code: 143, signal: null })

  async function replaceModel(): Promise<void> {
    const other = encodeURIComponent('new-user/1')
    expect((await get(`/users/${other}/recommendations`, at)).status).toBe(404)
    await saveModel(await trainOn('new-', 2), shop, { interactions })
    for (let status = 404; status !== 200; ) {
      status = (await program.until(get(`/users/${other}/recommendations`, at))).status
    }
    expect((await get(`/users/${encodeURIComponent('user/1')}/recommendations`, at)).status).toBe(404)
    expect(await (await fetch(`${at}/metrics`)).text()).toMatch(/^model_reloads_total\{result="done"\} 1$/m)
    load.stop()
  }
})

test('npm run serve: a model without interactions is served, and it is said what that means', async () => {
  const bare = join(folder, 'bare')
  await saveModel(model, bare)
  const program = new Program('serve.ts', { OUTPUT_DIR: bare, PORT: '0', THREADS: '1', RELOAD_SECONDS: '0' })
  await program.until(
    new Promise<void>((resolve) => {
      const look = setInterval(() => {
        if (!/listening at/.test(program.stdout)) return
        clearInterval(look)
        resolve()
      }, 20)
    }),
  )
  expect(program.stdout).toMatch(/the model was saved without interactions: lists hold what users have/)
  program.kill('SIGINT')
  expect((await program.end()).code).toBe(130)
})

test('npm run serve: what cannot be is said before it begins', async () => {
  const wrong = new Program('serve.ts', { PORT: '99999', LOG_LEVEL: 'loud' })
  expect((await wrong.end()).code).toBe(2)
  expect(wrong.stderr).toMatch(/PORT=99999: expected an integer from 0 to 65535/)
  expect(wrong.stderr).toMatch(/LOG_LEVEL=loud: expected 'error', 'warn', 'info' or 'debug'/)
  const other = createTcpServer().listen(0, '127.0.0.1')
  await once(other, 'listening')
  const PORT = `${(other.address() as AddressInfo).port}`
  const taken = new Program('serve.ts', { OUTPUT_DIR: directory, PORT, THREADS: '1' })
  expect((await taken.end()).code).toBe(2)
  expect(taken.stderr).toMatch(`PORT=${PORT}: another process listens there at 127.0.0.1.`)
  other.close()
  const nothing = new Program('serve.ts', { OUTPUT_DIR: join(folder, 'nothing') })
  expect((await nothing.end()).code).toBe(1)
  expect(nothing.stderr).toMatch(/has no manifest.json: it does not hold a model/)
})
