import { afterAll, beforeAll, describe, expect, test } from 'vitest'
import { generations, Index, type PublishProgress, publish, rollback, similar } from '../src/index.ts'
import { catalogue, quick } from './catalogue.ts'
import { startServer, type TestServer } from './servers.ts'

let server: TestServer
beforeAll(async () => {
  server = await startServer()
}, 60_000)
afterAll(() => server.close())

describe('publish', () => {
  test('uploads, verifies and swaps; the alias answers with what was sent', async () => {
    const alias = server.alias()
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

  test('keeps one earlier generation, deletes the ones before, and rolls back', async () => {
    const alias = server.alias()
    const names: string[] = []
    for (let seed = 1; seed <= 3; seed++) {
      const { vectors, payloads } = catalogue(20, 8, seed)
      names.push((await publish({ ...quick, url: server.url, alias, vectors, payloads })).collection)
    }
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
