import { describe, expect } from 'vitest'
import { generations, Index, type PublishProgress, publish, rollback, similar } from '../src/index.ts'
import { catalogue, quick, tagged } from './catalogue.ts'
import { test } from './publication.ts'

describe('publish', () => {
  test('uploads, verifies and swaps; the alias answers with what was sent', async ({ server, alias }) => {
    const { vectors, payloads } = catalogue(105)
    const events: PublishProgress[] = []
    const publication = await publish({
      ...quick,
      url: server.url,
      alias,
      vectors,
      payloads,
      onProgress: (event) => events.push({ ...event }),
    })
    expect(publication).toMatchObject({
      points: 105,
      resumed: 0,
      previous: undefined,
      deleted: [],
      cleaningFailed: undefined,
    })
    expect(publication.collection).toBe(`${alias}_${publication.generation}`)
    expect((await server.client.count(alias, { exact: true })).count).toBe(105)
    const [point] = await server.client.retrieve(alias, { ids: [7], with_payload: true })
    expect(point.payload).toEqual(payloads(6))

    await using index = new Index<{ styles: string[] }>({ url: server.url, alias })
    const found = await index.query(similar(7, { limit: 5 }))
    expect(found).toHaveLength(5)
    expect(found.every(({ id, payload }) => id !== 7 && payload.styles[0] === 'Techno')).toBe(true)

    const phases = [...new Set(events.map(({ phase }) => phase))]
    expect(phases).toEqual([
      'preflight',
      'create',
      'index',
      'upload',
      'restore',
      'ready',
      'verify',
      'swap',
      'clean',
      'done',
    ])
    expect(events.at(-1)).toMatchObject({ points: 105, totalPoints: 105, inFlight: 0 })
  })

  test('keeps one earlier generation, deletes the ones before, and rolls back', async ({ server, alias, run }) => {
    const names: string[] = []
    for (let seed = 1; seed <= 3; seed++) names.push((await run(catalogue(20, 8, seed))).collection)
    const found = await generations({ url: server.url, alias })
    expect(found.map(({ collection, state }) => [collection, state])).toEqual([
      [names[2], 'live'],
      [names[1], 'published'],
    ])
    const back = await rollback({ url: server.url, alias })
    expect(back).toEqual({ from: names[2], to: names[1], aliases: { [alias]: names[1] } })
    expect((await generations({ url: server.url, alias })).map(({ state }) => state)).toEqual(['published', 'live'])
  })
})

test('vector forms are handed on: on disk, quantized, float16, replicas and shards', async ({ server, alias, run }) => {
  const { ids, data, dimension } = tagged(100, 1).vectors
  const quantization_config = { scalar: { type: 'int8', always_ram: true } } as const
  await run({
    vectorParameters: { on_disk: true, datatype: 'float16', quantization_config },
    collection: { shard_number: 2, on_disk_payload: true, hnsw_config: { m: 8 } },
    vectors: { ids, named: { similar: { data, dimension }, taste: { data, dimension, distance: 'Dot' } } },
  })
  const { config } = await server.client.getCollection(alias)
  expect(config.params.vectors).toMatchObject({
    similar: { size: 4, distance: 'Cosine', on_disk: true, datatype: 'float16', quantization_config },
    taste: { size: 4, distance: 'Dot', on_disk: true },
  })
  expect(config.params.shard_number).toBe(2)
})

test('the url may have a path, which becomes the prefix of every request, and the caller may bring a client', async ({
  server,
  alias,
  run,
}) => {
  await run()
  await using index = new Index({ client: server.client, alias })
  expect(await index.query(similar(1, { limit: 3 }))).toHaveLength(3)
  await using prefixed = new Index({ url: `${server.url}/behind/a/path/`, alias, retry: { retries: 0 } })
  await expect(prefixed.query(similar(1))).rejects.toMatchObject({
    url: expect.stringContaining('/behind/a/path/collections/'),
  })
})
