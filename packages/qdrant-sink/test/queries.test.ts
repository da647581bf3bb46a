import { readFileSync } from 'node:fs'
import { afterAll, beforeAll, describe, expect, test } from 'vitest'
import {
  atLeastAsPopularAs,
  blend,
  crowdFavourites,
  filter,
  forUser,
  hasId,
  hiddenGems,
  Index,
  isEmpty,
  match,
  matchAny,
  matchExcept,
  type NamedVectors,
  type Payload,
  publish,
  type QueryRequest,
  range,
  rarerThan,
  type SimilarOptions,
  similar,
  type Vectors,
} from '../src/index.ts'
import { catalogue, quick } from './catalogue.ts'
import { startServer, type TestServer } from './servers.ts'

const rows = 200
const dimension = 8
const { vectors, payloads } = catalogue(rows, dimension)
const users = catalogue(20, dimension, 7).vectors
let server: TestServer
let alias: string
let index: Index
/** Scores of a query by a plain loop over the vectors, best first, ties by id. */
type Ranked = { id: number; score: number }[]

beforeAll(async () => {
  server = await startServer()
  alias = server.alias()
  await publish({
    ...quick,
    url: server.url,
    alias,
    vectors: named(vectors),
    payloads,
    users: { vectors: named(users) },
  })
  index = new Index({ url: server.url, alias })
}, 60_000)
afterAll(async () => {
  await index.close()
  await server.close()
})

const using = 'cosine'

describe('queries', () => {
  test('similar: the nearest by cosine, without itself', async () => {
    await expectRanking(similar(7, { using, limit: 5 }), rank(cosine(vectorOf(7)), [7]))
  })

  test('scroll: every point once, in the order of ids, page by page; a filter and fields', async () => {
    const ids: unknown[] = []
    for await (const { id, payload, vector } of index.scroll({ pageSize: 64, vector: ['dot'], payload: ['item_id'] })) {
      ids.push(id)
      expect(Object.keys(payload)).toEqual(Object.keys(payload).filter((name) => name === 'item_id'))
      expect(Object.keys(vector!)).toEqual(['dot'])
    }
    expect(ids).toHaveLength(rows)
    expect(ids).toEqual([...ids].sort((a, b) => Number(a) - Number(b)))
    const some: unknown[] = []
    for await (const { id } of index.scroll({ filter: { must: hasId([3, 9, 27]) }, pageSize: 2 })) some.push(id)
    expect(some).toEqual([3, 9, 27])
  })

  test('a vector of one’s own', async () => {
    await expectRanking(similar(Float32Array.from(vectorOf(7)), { using, limit: 5 }), rank(cosine(vectorOf(7)), []))
  })

  test('blend: near the mean of three', async () => {
    const target = mean([1, 2, 3].map(unit))
    await expectRanking(blend({ positive: [1, 2, 3], using, limit: 5 }), rank(cosine(target), [1, 2, 3]))
  })

  test('negative: near 2·mean(positive) - mean(negative)', async () => {
    const plus = mean([1, 2].map(unit))
    const minus = unit(3)
    const target = plus.map((value, column) => 2 * value - minus[column])
    await expectRanking(blend({ positive: [1, 2], negative: [3], using, limit: 5 }), rank(cosine(target), [1, 2, 3]))
  })

  test('strategies: sum_scores and best_score, with negatives alone', async () => {
    const near = [1, 4].map((id) => cosine(vectorOf(id)))
    const far = cosine(vectorOf(3))
    await expectRanking(
      blend({ positive: [1, 4], negative: [3], strategy: 'sum_scores', using, limit: 5 }),
      rank((vector) => near[0](vector) + near[1](vector) - far(vector), [1, 3, 4]),
    )
    const points = await index.query(blend({ negative: [3], strategy: 'best_score', using, limit: 5 }))
    const least = rank((vector) => -far(vector), [3]).slice(0, 5)
    expect(points.map(({ id }) => id)).toEqual(least.map(({ id }) => id))
  })

  test('filter: the 1990s, Electronic, not from the UK', async () => {
    const wanted = filter({
      must: [match('genres', 'Electronic'), range('year', { gte: 1990, lt: 2000 })],
      mustNot: match('country', 'UK'),
    })
    const passes = ({ genres, year, country }: Payload): boolean =>
      (genres as string[]).includes('Electronic') && Number(year) >= 1990 && Number(year) < 2000 && country !== 'UK'
    await expectRanking(similar(7, { using, filter: wanted, limit: 8 }), rank(cosine(vectorOf(7)), [7], passes))
  })

  test('conditions: match any, except, has_id, empty, should, nested', async () => {
    const ids = async (specification: Parameters<typeof filter>[0]): Promise<unknown[]> =>
      (await index.query(similar(1, { using, filter: specification, limit: rows })))
        .map(({ id }) => id)
        .sort((a, b) => Number(a) - Number(b))
    const where = (passes: (payload: Payload, id: number) => boolean): number[] =>
      rowNumbers(rows).flatMap((row) => (row > 0 && passes(payloads(row), row + 1) ? [row + 1] : []))
    expect(await ids({ must: matchAny('country', ['US', 'UK']) })).toEqual(
      where(({ country }) => country === 'US' || country === 'UK'),
    )
    expect(await ids({ must: matchExcept('country', ['US', 'UK']) })).toEqual(
      where(({ country }) => country !== 'US' && country !== 'UK'),
    )
    expect(await ids({ must: hasId([3, 5]) })).toEqual([3, 5])
    expect(await ids({ must: isEmpty('nothing') })).toEqual(where(() => true))
    expect(await ids({ should: [match('country', 'US'), match('country', 'UK')], mustNot: hasId(5) })).toEqual(
      where(({ country }, id) => id !== 5 && (country === 'US' || country === 'UK')),
    )
    expect(await ids({ must: [filter({ mustNot: match('country', 'US') }), range('year', { lt: 1980 })] })).toEqual(
      where(({ country, year }) => country !== 'US' && Number(year) < 1980),
    )
  })

  test('hidden gems and crowd favourites, by filter', async () => {
    const gems = await index.query(similar(7, { using, filter: { must: rarerThan(100) }, limit: 5 }))
    expect(gems.length).toBe(5)
    expect(gems.every(({ payload }) => Number(payload.interaction_count) < 100)).toBe(true)
    const favourites = await index.query(similar(7, { using, filter: { must: atLeastAsPopularAs(800) }, limit: 5 }))
    expect(favourites.every(({ payload }) => Number(payload.interaction_count) >= 800)).toBe(true)
  })

  test('hidden gems and crowd favourites, by score formula', async () => {
    for (const [rescore, weight] of [
      [crowdFavourites(0.2), 0.2],
      [hiddenGems(0.2), -0.2],
    ] as const) {
      const near = cosine(vectorOf(7))
      const score = (vector: number[], payload: Payload): number =>
        near(vector) + weight * Math.log10(1 + Number(payload.interaction_count))
      await expectRanking(similar(7, { using, rescore: { ...rescore, candidates: rows }, limit: 6 }), rank(score, [7]))
    }
  })

  test('diversity: the picks are less alike, and 0 is likeness alone', async () => {
    const plain = await index.query(similar(7, { using, limit: 6 }))
    const same = await index.query(similar(7, { using, limit: 6, diversity: 0 }))
    expect(same.map(({ id }) => id)).toEqual(plain.map(({ id }) => id))
    const diverse = await index.query(similar(7, { using, limit: 6, diversity: { diversity: 0.8, candidates: 150 } }))
    const styles = (points: typeof plain): number => new Set(points.map(({ payload }) => String(payload.styles))).size
    expect(styles(plain)).toBe(1)
    expect(styles(diverse)).toBeGreaterThan(2)
  })

  test('at most n per artist', async () => {
    const groups = await index.queryGroups(similar(7, { using, payload: ['artists'] }), {
      by: 'artists',
      size: 2,
      limit: 4,
    })
    expect(groups).toHaveLength(4)
    for (const { value, points } of groups) {
      expect(points.length).toBeLessThanOrEqual(2)
      for (const { payload } of points) expect(payload.artists).toContain(value)
    }
  })

  test('for a user: items by dot product, without those known', async () => {
    const user = Array.from(users.data.subarray(2 * dimension, 3 * dimension))
    const dot = (vector: number[]): number => vector.reduce((sum, value, column) => sum + value * user[column], 0)
    const request = forUser(3, { users: `${alias}_users`, using: 'dot', exclude: [4, 9], limit: 5 })
    await expectRanking(request, rank(dot, [4, 9]))
    const filtered = forUser(3, {
      users: `${alias}_users`,
      using: 'dot',
      exclude: [4],
      filter: { mustNot: match('country', 'US') },
      limit: 5,
    })
    await expectRanking(
      filtered,
      rank(dot, [4], ({ country }) => country !== 'US'),
    )
  })

  test('several in one request, offset, vectors and chosen fields', async () => {
    const [first, second] = await index.queryBatch([
      similar(1, { using, limit: 4 }),
      similar(2, { using, limit: 2, offset: 1, payload: ['title'], vector: true }),
    ])
    expect(first).toEqual(await index.query(similar(1, { using, limit: 4 })))
    expect(await index.queryBatch([])).toEqual([])
    const all = await index.query(similar(2, { using, limit: 3 }))
    expect(second.map(({ id }) => id)).toEqual(all.slice(1).map(({ id }) => id))
    expect(Object.keys(second[0].payload)).toEqual(['title'])
    expect(Object.keys(second[0].vector ?? {}).sort()).toEqual(['cosine', 'dot'])
    expect(await index.get(5)).toEqual(payloads(4))
    expect(await index.get(99_999)).toBeUndefined()
  })

  test('a threshold: likeness must exceed it, a formula’s score may equal it', async () => {
    const ids = async (options: SimilarOptions): Promise<unknown[]> =>
      (await index.query(similar(2, { using, limit: rows, ...options }))).map(({ id }) => id)
    const nearest = await index.query(similar(2, { using, limit: 6 }))
    const { score: scoreThreshold } = nearest[4]
    const above = nearest.slice(0, 4).map(({ id }) => id)
    expect(await ids({ scoreThreshold })).toEqual(above)
    expect((await ids({ scoreThreshold, diversity: 0.9 })).sort()).toEqual(above.sort())
    const byYear = { formula: 'year', candidates: rows }
    const years = (await index.query(similar(2, { using, limit: rows, rescore: byYear }))).map(({ score }) => score)
    expect(await ids({ scoreThreshold: 2015, rescore: byYear })).toHaveLength(
      years.filter((year) => year >= 2015).length,
    )
    expect(years).toContain(2015)
  })

  test('an unknown id is an error that names it', async () => {
    await expect(index.query(similar(99_999, { using }))).rejects.toMatchObject({ status: 404 })
  })
})

describe('requests that cannot be', () => {
  test.each([
    ['no example', () => blend({}), /at least one example/],
    ['negatives alone by average', () => blend({ negative: [1] }), /Negatives alone work with 'best_score'/],
    ['diversity out of range', () => similar(1, { diversity: 2 }), /`diversity` is 2, expected a number from 0 to 1/],
    ['diversity with a formula', () => similar(1, { diversity: 0.5, rescore: hiddenGems() }), /both choose the order/],
    ['limit 0', () => similar(1, { limit: 0 }), /`limit` is 0, expected a positive integer/],
    ['an empty range', () => range('year', {}), /range of year has no bounds/],
  ])('%s', (_, make, message) => {
    expect(make).toThrow(message)
  })
})

test('the curl commands of the README send what the builders make, and are answered', async () => {
  const readme = readFileSync(new URL('../README.md', import.meta.url), 'utf8')
  const examples = [
    ...readme.matchAll(
      /```ts\n(index\.[\s\S]*?)```\n\n```sh\ncurl [^\n]*\/points\/query(\S*) [^\n]*-d '([\s\S]*?)'\n```/g,
    ),
  ]
  expect(examples.length).toBe(12)
  const plain = server.alias()
  await publish({
    ...quick,
    url: server.url,
    alias: plain,
    vectors: { ...vectors, distance: 'Dot' },
    payloads,
    users: { vectors: { ...users, distance: 'Dot' } },
  })
  const names = {
    similar,
    blend,
    forUser,
    match,
    range,
    rarerThan,
    atLeastAsPopularAs,
    hiddenGems,
    crowdFavourites,
  }
  for (const [, code, path, text] of examples) {
    const sent: unknown[] = []
    const recorder = {
      query: (request: QueryRequest) => sent.push(request),
      queryBatch: (searches: QueryRequest[]) => sent.push({ searches }),
      queryGroups: ({ limit: _, ...request }: QueryRequest, groups: { by: string; size: number; limit: number }) =>
        sent.push({ ...request, group_by: groups.by, group_size: groups.size, limit: groups.limit }),
    }
    new Function('index', ...Object.keys(names), code)(recorder, ...Object.values(names))
    const body = JSON.parse(text)
    expect([body], code).toEqual(sent)
    const answer = await fetch(`${server.url}/collections/${plain}/points/query${path}`, {
      method: 'POST',
      headers: { 'content-type': 'application/json' },
      body: text.replace('recommendations_users', `${plain}_users`),
    })
    expect(answer.status, `${code}${await answer.clone().text()}`).toBe(200)
  }
})

function named({ ids, data, dimension }: Vectors): NamedVectors {
  return { ids, named: { cosine: { data, dimension }, dot: { data, dimension, distance: 'Dot' } } }
}

async function expectRanking(request: QueryRequest, expected: Ranked): Promise<void> {
  const points = await index.query({ ...request, ...(!('prefetch' in request) && { params: { exact: true } }) })
  const top = expected.slice(0, request.limit ?? 10)
  expect(points.map(({ id }) => id)).toEqual(top.map(({ id }) => id))
  for (let i = 0; i < top.length; i++) expect(points[i].score).toBeCloseTo(top[i].score, 4)
}

function rank(
  score: (vector: number[], payload: Payload) => number,
  without: number[],
  passes: (payload: Payload) => boolean = () => true,
): Ranked {
  return rowNumbers(rows)
    .filter((row) => !without.includes(row + 1) && passes(payloads(row)))
    .map((row) => ({ id: row + 1, score: score(vectorOf(row + 1), payloads(row)) }))
    .sort((a, b) => b.score - a.score || a.id - b.id)
}

function vectorOf(id: number): number[] {
  return Array.from(vectors.data.subarray((id - 1) * dimension, id * dimension))
}

function unit(id: number): number[] {
  const vector = vectorOf(id)
  const length = Math.hypot(...vector)
  return vector.map((value) => value / length)
}

function cosine(target: number[]): (vector: number[]) => number {
  return (vector) =>
    target.reduce((sum, value, column) => sum + value * vector[column], 0) /
    Math.hypot(...target) /
    Math.hypot(...vector)
}

function mean(all: number[][]): number[] {
  return all[0].map((_, column) => all.reduce((sum, vector) => sum + vector[column], 0) / all.length)
}

function rowNumbers(count: number): number[] {
  return Array.from({ length: count }, (_, i) => i)
}
