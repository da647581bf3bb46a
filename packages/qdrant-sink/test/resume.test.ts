import { setTimeout as sleep } from 'node:timers/promises'
import { expect } from 'vitest'
import { type GenerationRecord, readRecord, writeRecord } from '../src/generation/record.ts'
import { collectGarbage, generations, type Vectors } from '../src/index.ts'
import { Connection } from '../src/server/connection.ts'
import { tagged } from './catalogue.ts'
import { killedRun } from './killed-run.ts'
import { test } from './publication.ts'

test('a run killed during the load is resumed from its watermark, by the same input only', async ({
  server,
  alias,
  run,
}) => {
  const { left, watermark } = await killedRun(server, alias)
  const publication = await run({ ...tagged(300, 1) })
  expect(publication).toMatchObject({ collection: left.collection, resumed: watermark, points: 300 })
  expect(server.requests.filter(({ operation }) => operation === 'upsert')).toHaveLength((300 - watermark) / 10)
})

test('what was left by a run of other input is deleted; a live run is never touched', async ({
  server,
  alias,
  run,
}) => {
  server.faults.add({ operation: 'upsert', fault: { kind: 'status', status: 503 }, times: 40 })
  await expect(run({ retry: { retries: 1, minDelay: 1 } })).rejects.toMatchObject({ temporary: true })
  server.faults.clear()
  const [left] = await generations({ url: server.url, alias })
  expect(left.state).toBe('unfinished')
  expect((await collectGarbage({ url: server.url, alias })).garbage).toMatchObject([
    { collection: left.collection, reason: 'its run ended during the load' },
  ])
  expect((await collectGarbage({ url: server.url, alias })).deleted).toEqual([])

  let during: string[] = []
  server.faults.add({
    operation: 'upsert',
    skip: 5,
    fault: {
      kind: 'call',
      call: async () => {
        during = (await generations({ url: server.url, alias })).map(({ state }) => state)
        expect((await collectGarbage({ url: server.url, alias, dryRun: false })).deleted).toEqual([])
      },
    },
  })
  await run(tagged(100, 2))
  expect(during).toEqual(['loading'])
  expect((await generations({ url: server.url, alias })).map(({ state }) => state)).toEqual(['live'])
})

test('an iterable of payloads is read from its beginning when a run is resumed; another version is not resumed', async ({
  server,
  alias,
  run,
}) => {
  const { vectors, payloads } = tagged(100, 1)
  async function* lines(): AsyncGenerator<Record<string, unknown>> {
    for (let row = 0; row < 100; row++) yield payloads(row)
  }
  const breakOff = async (): Promise<void> => {
    server.faults.add({ operation: 'upsert', skip: 5, fault: { kind: 'status', status: 503 }, times: 2 })
    const outcome = run({
      vectors,
      payloads: lines(),
      version: 'a',
      concurrency: 1,
      retry: { retries: 1, minDelay: 1 },
    })
    await expect(outcome).rejects.toMatchObject({ step: 'upload', temporary: true, rows: { from: 50, to: 60 } })
  }
  await breakOff()
  expect(await run({ vectors, payloads: lines(), version: 'a', verifySample: 100 })).toMatchObject({
    resumed: 50,
    points: 100,
  })
  await breakOff()
  expect(await run({ vectors, payloads: lines(), version: 'b' })).toMatchObject({ resumed: 0, points: 100 })
  expect((await generations({ url: server.url, alias })).map(({ state }) => state)).toEqual(['live', 'published'])
})

test('a run whose collection was taken over ends and changes nothing', async ({ server, alias, run }) => {
  await using connection = new Connection({ url: server.url })
  server.faults.add({
    operation: 'upsert',
    fault: {
      kind: 'call',
      call: async ({ collection }) => {
        const name = collection as string
        const stored = await readRecord(connection, name)
        // A beat that had read the record before may write over this one; the other run's beats would put that right.
        do {
          await writeRecord(connection, name, { ...(stored as GenerationRecord), run: 'another' })
          await sleep(100)
        } while ((await readRecord(connection, name))?.run !== 'another')
      },
    },
  })
  server.faults.add({ operation: 'upsert', fault: { kind: 'slow', milliseconds: 80 }, times: 10 })
  const outcome = run({ concurrency: 1, heartbeatInterval: 20 })
  await expect(outcome).rejects.toMatchObject({
    name: 'SupersededError',
    message: expect.stringContaining('taken over by run another'),
  })
  expect((await generations({ url: server.url, alias }))[0].record?.run).toBe('another')
})

test('items and users broken off during the users are resumed together', async ({ server, alias, run }) => {
  const vectors: Vectors = { ...tagged(100, 1).vectors, distance: 'Dot' }
  const users = { vectors: { ...tagged(60, 5).vectors, distance: 'Dot' } as Vectors }
  const common = { vectors, users, concurrency: 1 }
  const ofUsers = ({ collection }: { collection: string | undefined }): boolean =>
    collection?.includes('_users_') ?? false
  server.faults.add({ operation: 'upsert', when: ofUsers, skip: 2, fault: { kind: 'status', status: 503 }, times: 2 })
  await expect(run({ ...common, retry: { retries: 1, minDelay: 1 } })).rejects.toMatchObject({
    temporary: true,
    rows: { from: 20, to: 30 },
  })
  const left = await generations({ url: server.url, alias })
  expect(left.map(({ state }) => state)).toEqual(['ready'])
  server.requests.length = 0
  const publication = await run(common)
  expect(publication).toMatchObject({
    collection: left[0].collection,
    resumed: 120,
    points: 160,
    generation: left[0].generation,
  })
  expect(server.requests.filter(({ operation }) => operation === 'upsert')).toHaveLength(4)
  expect((await server.client.count(`${alias}_users`, { exact: true })).count).toBe(60)
})
