import { type AlsModel, matrixFromTriplets, type Recommendations, Recommender, train } from '@seesaw/als-core'
import { blend, forUser, Index, publish, similar } from '@seesaw/qdrant-sink'
import { afterAll, beforeAll, expect, test } from 'vitest'
import { startStandIn } from '../../packages/qdrant-sink/test/stand-in/server.ts'
import { randomStream } from '../catalogue/random.ts'
import { checkPoints } from '../pipeline/check-points.ts'
import { makeServedVectors, servedShapes } from '../pipeline/served-vectors.ts'

const [users, items] = [400, 150]
const training = { factors: 12, popularityExponent: 0.25 }
const qdrant = { vectors: 'both', users: true } as const
const configuration = { qdrant, training, threads: 2 } as unknown as Parameters<typeof makeServedVectors>[0]

let server: Awaited<ReturnType<typeof startStandIn>>
let index: Index
let model: AlsModel
let recommender: Recommender
beforeAll(async () => {
  const random = randomStream(3, 0)
  const pairs = Array.from({ length: 6000 }, () => [random.below(users), Math.floor(items * random.uniform() ** 2)])
  const matrix = matrixFromTriplets({
    users,
    items,
    rows: pairs.map(([user]) => user!),
    columns: pairs.map(([, item]) => item!),
    duplicates: 'max',
  })
  model = await train(matrix, {
    ...training,
    iterations: 4,
    userIds: Array.from({ length: users }, (_, row) => `collector ${row}`),
    itemIds: Uint32Array.from({ length: items }, (_, row) => 1000 + 7 * row),
  })
  recommender = new Recommender(model, { threads: 2 })
  server = await startStandIn()
  const vectors = await makeServedVectors(configuration, model, new AbortController().signal)
  const url = server.url
  await publish({ url, alias: 'shop', vectors: vectors.items, users: { vectors: vectors.users! }, pollInterval: 10 })
  index = new Index({ url, alias: 'shop' })
})
afterAll(async () => {
  await index?.close()
  await recommender?.close()
  await server?.close()
})

const ids = (points: { id: unknown }[]) => points.map(({ id }) => Number(id))
const list = async (found: Promise<Recommendations>) => [...(await found).ids]
const mine = [3, 20, 41, 77, 140]

test('five items of mine, one request without a library: what the model itself would have said', async () => {
  const response = await fetch(`${server.url}/collections/shop/points/query`, {
    method: 'POST',
    headers: { 'content-type': 'application/json' },
    body: JSON.stringify({
      query: { recommend: { positive: mine.map((row) => 1000 + 7 * row) } },
      using: 'taste',
      lookup_from: { collection: 'shop', vector: 'taste_example' },
      limit: 10,
    }),
  })
  const { result } = (await response.json()) as { result: { points: { id: number }[] } }
  expect(ids(result.points)).toEqual(await list(recommender.blend({ positive: mine })))
})

test('the same by the queries, with negatives, by likeness, and for a user', async () => {
  const points = mine.map((row) => 1000 + 7 * row)
  const [negative] = points.splice(4, 1)
  const examplesFrom = { alias: 'shop', vector: 'taste_example' }
  const away = await index.query(blend({ positive: points, negative: [negative!], using: 'taste', examplesFrom }))
  expect(ids(away)).toEqual(await list(recommender.blend({ positive: mine.slice(0, 4), negative: [140] })))
  const alike = await index.query(similar(points[0]!, { using: 'similar' }))
  expect(ids(alike)).toEqual(await list(recommender.similarItems(3)))
  const forSomebody = await index.query(forUser('collector 17', { users: 'shop_users', using: 'taste' }))
  expect(ids(forSomebody)).toEqual(await list(recommender.recommend(17)))
})

test('VECTORS, PUBLISH_USERS and POPULARITY_EXPONENT say what a point holds', () => {
  const named = (vectors: string, popularityExponent: number, more = {}) =>
    Object.keys(
      servedShapes({
        ...{ ...configuration, ...more },
        qdrant: { ...qdrant, vectors },
        training: { ...training, popularityExponent },
      } as typeof configuration).items.named,
    )
  expect(named('similar', 0.25)).toEqual(['similar'])
  expect(named('taste', 0)).toEqual(['taste'])
  expect(named('taste', 0.25)).toEqual(['taste', 'taste_example'])
  expect(named('both', 0)).toEqual(['similar', 'taste'])
  // Which exponent will be found is not known yet, and the shape must not change with it.
  expect(named('taste', 0, { tune: true })).toEqual(['taste', 'taste_example'])
  expect(named('taste', 0, { recommend: true })).toEqual(['taste', 'taste_example'])
  const { items, users } = servedShapes(configuration)
  // Read as an example, never searched: no graph, no memory.
  expect(items.named.taste_example!.parameters).toEqual({ hnsw_config: { m: 0 }, on_disk: true })
  expect(Object.keys(users!.named)).toEqual(['taste'])
})

test('a model without weights has examples that are its items, where the index is to have them', async () => {
  const plain = { ...model, itemWeights: undefined }
  const tuned = { ...configuration, training: { ...training, popularityExponent: 0 }, tune: true }
  const { items } = await makeServedVectors(tuned as typeof configuration, plain, new AbortController().signal)
  expect(items.named.taste_example!.data).toEqual(items.named.taste!.data)
})

test('ids that would be one point are refused before the training, by row', () => {
  const uuid = '550e8400-e29b-41d4-a716-446655440000'
  const twice = [uuid, uuid.toUpperCase()]
  const qdrant = { ...configuration.qdrant, url: 'http://localhost:6333', users: false }
  const check = (itemIds: unknown[], userIds: unknown[], more = {}) =>
    checkPoints({ qdrant: { ...qdrant, ...more } }, { itemIds, userIds } as never)
  expect(() => check(twice, [1, 2])).toThrow(/^items: .* are the same point, in row 0 and in row 1/)
  expect(() => check(['a', uuid], twice, { users: true })).toThrow(/^users: .* in row 0 and in row 1/)
  expect(() => check(['a', uuid], twice)).not.toThrow()
  expect(() => check(twice, twice, { url: undefined })).not.toThrow()
})
