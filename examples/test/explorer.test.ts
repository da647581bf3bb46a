import { execFile } from 'node:child_process'
import { mkdtemp, rm } from 'node:fs/promises'
import { request } from 'node:http'
import type { AddressInfo } from 'node:net'
import { tmpdir } from 'node:os'
import { join } from 'node:path'
import { promisify } from 'node:util'
import type { FastifyInstance } from 'fastify'
import { afterAll, beforeAll, describe, expect, test } from 'vitest'
import type { Explanation, Item, MapPoints, Neighbours, Overview } from '../explorer/answers.ts'
import { openModel } from '../explorer/server/model-source.ts'
import { openQdrant } from '../explorer/server/qdrant-source.ts'
import type { Source } from '../explorer/server/source.ts'
import { startServer } from '../explorer/server/start-server.ts'
import type { ItemPayload } from '../pipeline/payload.ts'
import { hostileGenre, makeShop, publishShop, type Shop } from './explorer-shop.ts'

let folder: string
let shop: Shop
let qdrant: Awaited<ReturnType<typeof publishShop>>
let sources: Source[]
let servers: FastifyInstance[]
let urls: Record<string, string>
beforeAll(async () => {
  folder = await mkdtemp(join(tmpdir(), 'explorer-'))
  shop = await makeShop(folder)
  qdrant = await publishShop(shop)
  sources = [await openModel(shop.directory, 2), await openQdrant({ url: qdrant.url, alias: 'shop' })]
  servers = await Promise.all(sources.map((source) => startServer(source, { port: 0 })))
  const [model, index] = servers.map((server) => server.listeningOrigin)
  urls = { 'a saved model': model!, Qdrant: index! }
}, 120_000)
afterAll(async () => {
  await Promise.all(servers?.map((server) => server.close()) ?? [])
  await Promise.all(sources?.map((source) => source.close()) ?? [])
  await qdrant?.close()
  await rm(folder, { recursive: true, force: true })
})

const values = (item: ItemPayload, name: string) => [item[name]].flat() as unknown[]
const idOf = (row: number) => String(shop.payloads[row]!.item_id)
const rowOf = (id: string) => shop.payloads.findIndex((item) => String(item.item_id) === id)

/** Rows by cosine to 2·mean(positive) - mean(negative) of unit vectors, or to their mean; by a plain loop over the factors. */
function rankByCosine(positive: number[], negative: number[] = []): { row: number; score: number }[] {
  const { factors: k, itemFactors, items } = shop.model
  const unit = (vector: number[]) => vector.map((value) => value / Math.hypot(...vector))
  const vector = (row: number) => unit(Array.from(itemFactors.subarray(row * k, (row + 1) * k)))
  const mean = (rows: number[]) =>
    Array.from({ length: k }, (_, i) => rows.reduce((sum, row) => sum + vector(row)[i]!, 0) / rows.length)
  const plus = mean(positive)
  const minus = negative.length > 0 ? mean(negative) : plus
  const query = unit(plus.map((value, i) => 2 * value - minus[i]!))
  return Array.from({ length: items }, (_, row) => row)
    .filter((row) => ![...positive, ...negative].includes(row))
    .map((row) => ({ row, score: vector(row).reduce((sum, value, i) => sum + value * query[i]!, 0) }))
    .sort((a, b) => b.score - a.score)
}

describe.each(['a saved model', 'Qdrant'])('over %s', (name) => {
  const get = async <T>(path: string): Promise<T> => {
    const response = await fetch(urls[name]! + path)
    const body = await response.json()
    expect(response.status, JSON.stringify(body)).toBe(200)
    return body as T
  }
  const near = (query: string) => get<Neighbours>(`/api/neighbours?${query}`)
  const idsOf = ({ items }: Neighbours) => items.map(({ id }) => id)

  test('the overview counts what the catalogue has', async () => {
    const overview = await get<Overview>('/api/overview')
    expect(overview.items).toBe(shop.payloads.length)
    for (const [facet, column] of [
      ['genres', 'genres'],
      ['styles', 'styles'],
      ['countries', 'country'],
    ] as const) {
      const counts = new Map<unknown, number>()
      for (const item of shop.payloads) {
        for (const value of values(item, column)) counts.set(value, (counts.get(value) ?? 0) + 1)
      }
      expect(new Map(overview[facet].map(({ value, items }) => [value, items]))).toEqual(counts)
    }
    const years = shop.payloads.map(({ year }) => year as number)
    expect(overview.years).toEqual({ first: Math.min(...years), last: Math.max(...years) })
  })

  test('without seeds: the best known', async () => {
    const { items, seeds } = await near('limit=30')
    expect(seeds).toEqual([])
    const counts = shop.payloads.map(({ interaction_count }) => interaction_count).sort((a, b) => b - a)
    expect(items.map(({ interactions }) => interactions)).toEqual(counts.slice(0, 30))
  })

  test('one seed, a blend, negatives: the nearest by cosine, with their scores and what is known of them', async () => {
    for (const [positive, negative] of [
      [[5], []],
      [[5, 40, 77], []],
      [
        [5, 40],
        [100, 200],
      ],
    ] as [number[], number[]][]) {
      const query = [...positive.map((row) => `seed=${idOf(row)}`), ...negative.map((row) => `not=${idOf(row)}`)]
      const answer = await near(`${query.join('&')}&dial=likeness&limit=25`)
      const expected = rankByCosine(positive, negative).slice(0, 25)
      expect(idsOf(answer)).toEqual(expected.map(({ row }) => idOf(row)))
      for (const [n, item] of answer.items.entries()) {
        expect(item.score).toBeCloseTo(expected[n]!.score, 4)
        const payload = shop.payloads[expected[n]!.row]!
        expect(item).toMatchObject({
          name: payload.title,
          year: payload.year,
          genres: payload.genres,
          artists: payload.artists,
          interactions: payload.interaction_count,
        })
      }
      expect(answer.seeds.map(({ id }) => id)).toEqual(positive.map(idOf))
      expect(answer.negatives.map(({ id }) => id)).toEqual(negative.map(idOf))
    }
  })

  test('filters leave what has the word, the years, the interactions; the order stays', async () => {
    const all = rankByCosine([5])
    const { genres, styles, country, year } = shop.payloads[all[3]!.row]! as ItemPayload & Record<string, string[]>
    const counts = shop.payloads.map(({ interaction_count }) => interaction_count).sort((a, b) => a - b)
    const quantile = (share: number) => counts[Math.round(share * (counts.length - 1))]!
    const filters: [string, (item: ItemPayload) => boolean][] = [
      [`genre=${encodeURIComponent(genres![0]!)}`, (item) => values(item, 'genres').includes(genres![0])],
      [`style=${encodeURIComponent(styles![0]!)}`, (item) => values(item, 'styles').includes(styles![0])],
      [`country=${encodeURIComponent(String(country))}`, (item) => item.country === country],
      [`from=${Number(year) - 3}&to=${Number(year) + 3}`, (item) => Math.abs(Number(item.year) - Number(year)) <= 3],
      ['from=1990', (item) => Number(item.year) >= 1990],
      ['popularity=-75', (item) => item.interaction_count <= quantile(0.25)],
      ['popularity=90', (item) => item.interaction_count >= quantile(0.9)],
    ]
    filters.push([
      `${filters[0]![0]}&from=1980&popularity=20`,
      (item) => {
        return filters[0]![1](item) && Number(item.year) >= 1980 && item.interaction_count >= quantile(0.2)
      },
    ])
    for (const [query, passes] of filters) {
      const expected = all.filter(({ row }) => passes(shop.payloads[row]!)).slice(0, 10)
      expect(expected.length, query).toBeGreaterThan(0)
      const answer = await near(`seed=${idOf(5)}&limit=10&${query}`)
      expect(idsOf(answer), query).toEqual(expected.map(({ row }) => idOf(row)))
      const best = await near(`limit=100&${query}`)
      expect(
        best.items.every(({ id }) => passes(shop.payloads[rowOf(id)]!)),
        query,
      ).toBe(true)
    }
    const none = await near(`seed=${idOf(5)}&from=9000`)
    expect(none.items).toEqual([])
  })

  test('at most one per artist: the best of each', async () => {
    const taken = new Set<unknown>()
    const expected = rankByCosine([5]).filter(({ row }) => {
      const [artist] = values(shop.payloads[row]!, 'artists')
      return !taken.has(artist) && taken.add(artist)
    })
    const answer = await near(`seed=${idOf(5)}&artists=one&limit=40`)
    expect(idsOf(answer)).toEqual(expected.slice(0, 40).map(({ row }) => idOf(row)))
    const artists = (await near('artists=one&limit=100')).items.map(({ artists }) => artists[0])
    expect(new Set(artists).size).toBe(artists.length)
  })

  test('the dial: taste for several seeds unless likeness is asked for, and they differ', async () => {
    const seeds = `seed=${idOf(5)}&seed=${idOf(40)}`
    const natural = await near(seeds)
    expect(natural.dial).toBe('taste')
    expect(idsOf(await near(`${seeds}&dial=taste`))).toEqual(idsOf(natural))
    const likeness = await near(`${seeds}&dial=likeness`)
    expect(idsOf(likeness)).not.toEqual(idsOf(natural))
    expect((await near(`seed=${idOf(5)}`)).dial).toBe('likeness')
    // Both sources know the same taste.
    const other = urls[name === 'Qdrant' ? 'a saved model' : 'Qdrant']!
    const elsewhere = (await (await fetch(`${other}/api/neighbours?${seeds}`)).json()) as Neighbours
    expect(idsOf(natural)).toEqual(idsOf(elsewhere))
  })

  test('why: shares of the examples add up to the score', async () => {
    for (const dial of ['likeness', 'taste']) {
      const query = `seed=${idOf(5)}&seed=${idOf(40)}&not=${idOf(100)}&dial=${dial}`
      const { items } = await near(query)
      const { score, shares, common } = await get<Explanation>(`/api/explain?${query}&item=${items[2]!.id}`)
      expect(score).toBeCloseTo(items[2]!.score!, 4)
      expect(shares.map(({ item, negative }) => [item.id, negative]).sort()).toEqual(
        [
          [idOf(5), false],
          [idOf(40), false],
          [idOf(100), true],
        ].sort(),
      )
      expect(shares.reduce((sum, { share }) => sum + share, 0)).toBeCloseTo(score, 6)
      for (const { field, values: shared } of common) {
        for (const value of shared) {
          expect(values(shop.payloads[rowOf(items[2]!.id)]!, field)).toContain(value)
          expect([5, 40].flatMap((row) => values(shop.payloads[row]!, field))).toContain(value)
        }
      }
    }
  })

  test('search: words in any order, without accents and case, those that begin with it first', async () => {
    const item = shop.payloads[33]!
    const title = String(item.title)
    const [artist] = values(item, 'artists')
    const find = async (q: string) =>
      (await get<{ items: Item[] }>(`/api/search?limit=50&q=${encodeURIComponent(q)}`)).items
    expect((await find(title.toUpperCase())).map(({ id }) => id)).toContain(String(item.item_id))
    expect((await find(`${artist} ${title.split(' ').at(-1)}`)).map(({ id }) => id)).toContain(String(item.item_id))
    for (const found of await find('the')) expect(`${found.name} ${found.artists}`.toLowerCase()).toContain('the')
    const begin = (await find(title.slice(0, 3))).map(({ name }) =>
      name.toLowerCase().startsWith(title.slice(0, 3).toLowerCase()),
    )
    expect(begin).toEqual(begin.toSorted((a, b) => Number(b) - Number(a)))
    expect(await find('zzzz no such words')).toEqual([])
  })

  test('the map has every item once, in range, by its genre, and neighbours lie nearer than others', async () => {
    const map = await get<MapPoints>('/api/map')
    expect([...map.ids].sort()).toEqual(shop.payloads.map(({ item_id }) => String(item_id)).sort())
    for (const [n, id] of map.ids.entries()) {
      expect(Math.abs(map.x[n]!)).toBeLessThanOrEqual(1500)
      expect(Math.abs(map.y[n]!)).toBeLessThanOrEqual(1000)
      const genre = map.genres[map.genre[n]!]
      if (genre !== undefined) expect(values(shop.payloads[rowOf(id)]!, 'genres')[0]).toBe(genre)
    }
    const at = new Map(map.ids.map((id, n) => [id, n]))
    const apart = (a: string, b: string) =>
      Math.hypot(map.x[at.get(a)!]! - map.x[at.get(b)!]!, map.y[at.get(a)!]! - map.y[at.get(b)!]!)
    const mean = (numbers: number[]) => numbers.reduce((sum, value) => sum + value, 0) / numbers.length
    const rows = Array.from({ length: 40 }, (_, n) => n * 7)
    const nearer = rows.filter((row) => {
      const ranked = rankByCosine([row])
      const distances = ranked.map((other) => apart(idOf(row), idOf(other.row)))
      return mean(distances.slice(0, 5)) < mean(distances)
    })
    expect(nearer.length).toBeGreaterThan(30)
  })

  test('the program and the commands that are shown give the list', async () => {
    const { genres } = shop.payloads[5]! as ItemPayload & { genres: string[] }
    const queries = [
      `seed=${idOf(5)}&limit=7`,
      `seed=${idOf(5)}&seed=${idOf(40)}&not=${idOf(100)}&dial=taste&from=1960&to=2010&popularity=-30&limit=7`,
      `seed=${idOf(5)}&genre=${encodeURIComponent(genres[0]!)}&artists=one&popularity=10&limit=7`,
      `seed=${idOf(5)}&genre=${encodeURIComponent(hostileGenre)}&limit=7`,
    ]
    for (const query of queries) {
      const answer = await near(query)
      expect(answer.items.length).toBeGreaterThan(2)
      for (const { title, text } of answer.samples) {
        const printed = title === 'TypeScript' ? await runProgram(text) : await runCommand(text)
        const found = shop.payloads
          .map(({ item_id }) => String(item_id))
          .filter((id) => new RegExp(`\\b${id}\\b`).test(printed))
        expect(found.sort(), `${title}\n${text}\n${printed}`).toEqual(idsOf(answer).sort())
      }
    }
  })

  test.each([
    ['neighbours?seed=0', /^seed=0: no such item$/],
    ['neighbours?seed=', /^seed=: expected one value of 1 to 200 characters$/],
    [`neighbours?seed=${'9'.repeat(300)}`, /^seed=9{40}…: expected one value of 1 to 200 characters$/],
    ['neighbours?limit=0', /^limit=0: expected an integer from 1 to 100$/],
    ['neighbours?limit=1e1', /^limit=1e1: expected an integer from 1 to 100$/],
    ['neighbours?popularity=99', /^popularity=99: expected an integer from -95 to 95$/],
    ['neighbours?dial=sideways', /^dial=sideways: expected 'likeness', 'between' or 'taste'$/],
    ['neighbours?genre=Polka', /^genre=Polka: no item has it$/],
    ['neighbours?genre=Rock&genre=Jazz', /^genre=Rock,Jazz: expected one value/],
    ['neighbours?from=2000&to=1990', /^from=2000 is after to=1990/],
    ['neighbours?artists=two', /^artists=two: expected 'one'$/],
    ['neighbours?colour=red&limit=x', /limit=x: expected.*\ncolour: no such parameter, expected seed, not, dial/],
    ['neighbours?__proto__=1', /^__proto__: no such parameter|^$/],
    [`neighbours?${Array.from({ length: 51 }, (_, n) => `seed=${n}`).join('&')}`, /^seed=.*: expected at most 50$/],
    ['search', /^q=: expected one value/],
    ['search?q=%00%ff', /^$/],
    ['explain?item=1', /^item=1: no such item$/],
    ['map?large=1', /^large: no such parameter, expected none$/],
  ])('%s is refused, or answered, in words', async (path, message) => {
    const response = await fetch(`${urls[name]}/api/${path}`)
    const body = (await response.json()) as { error?: string }
    expect(response.status).toBe(body.error === undefined ? 200 : 400)
    expect(body.error ?? '').toMatch(message)
  })

  test('a seed that is a negative too is refused', async () => {
    const response = await fetch(`${urls[name]}/api/neighbours?seed=${idOf(5)}&not=${idOf(5)}`)
    expect([response.status, await response.json()]).toEqual([
      400,
      { error: `seed=${idOf(5)} and not=${idOf(5)}: expected an item in one of them only` },
    ])
  })
})

test('what Qdrant does not hold is refused: the dial half-way', async () => {
  const response = await fetch(`${urls.Qdrant}/api/neighbours?seed=${idOf(5)}&dial=between`)
  expect(response.status).toBe(400)
  expect(await response.json()).toEqual({ error: "dial=between: not published, expected 'likeness' or 'taste'" })
  const half = (await (
    await fetch(`${urls['a saved model']}/api/neighbours?seed=${idOf(5)}&dial=between`)
  ).json()) as Neighbours
  expect(half.items).toHaveLength(20)
})

test('the page comes with a policy that lets only its own files run, and answers to no other name', async () => {
  const url = urls['a saved model']!
  const page = await fetch(`${url}/?seed=1&anything=%3Cscript%3E`)
  expect(page.status).toBe(200)
  expect(await page.text()).not.toContain('anything')
  const policy = page.headers.get('content-security-policy')!
  expect(policy).toContain("default-src 'none'")
  expect(policy).toContain("script-src 'self'")
  expect(policy).not.toContain('unsafe')
  expect((await fetch(`${url}/page.js`)).headers.get('content-type')).toMatch(/javascript/)
  expect((await fetch(`${url}/../server/routes.ts`)).status).toBe(404)
  expect((await fetch(`${url}/api/neighbours`, { method: 'POST' })).status).toBe(404)
  const status = await new Promise((resolve, reject) => {
    const asked = request(`${url}/api/overview`, { headers: { host: 'evil.example' } }, ({ statusCode }) =>
      resolve(statusCode),
    )
    asked.on('error', reject).end()
  })
  expect(status).toBe(403)
  expect((servers[0]!.addresses() as AddressInfo[]).map(({ address }) => address)).toEqual(['127.0.0.1'])
})

test('a model without a catalogue is shown by its ids', async () => {
  const bare = join(folder, 'bare')
  const { saveModel } = await import('@seesaw/als-core')
  await saveModel(shop.model, bare)
  const source = await openModel(bare, 1)
  const server = await startServer(source, { port: 0 })
  try {
    const answer = (await (
      await fetch(`${server.listeningOrigin}/api/neighbours?seed=${idOf(5)}`)
    ).json()) as Neighbours
    expect(answer.seeds[0]!.name).toBe(`item ${idOf(5)}`)
    expect(answer.items).toHaveLength(20)
  } finally {
    await server.close()
    await source.close()
  }
})

async function runProgram(text: string): Promise<string> {
  const { stdout } = await promisify(execFile)(process.execPath, ['--input-type=module-typescript', '--eval', text], {
    cwd: join(import.meta.dirname, '..'),
  })
  return stdout
}

/** Lets a shell take the command apart, and sends what it says. */
async function runCommand(text: string): Promise<string> {
  const { stdout } = await promisify(execFile)('sh', ['-c', `curl() { printf '%s\\0' "$@"; }\n${text}`])
  const words = stdout.split('\0').slice(0, -1)
  const after = (flag: string) => (words.includes(flag) ? words[words.indexOf(flag) + 1] : undefined)
  const [url] = words.filter((word) => word.startsWith('http'))
  const body = after('-d')
  const response = await fetch(
    url!,
    body === undefined ? {} : { method: 'POST', body, headers: { 'content-type': 'application/json' } },
  )
  expect(response.status).toBe(200)
  const answer = (await response.json()) as { items?: Item[] }
  // This page's own answer names the seeds and samples too.
  return JSON.stringify(answer.items ?? answer)
}
