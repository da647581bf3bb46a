import { expect } from 'vitest'
import { collectGarbage, generations, rollback } from '../src/index.ts'
import { tagged } from './catalogue.ts'
import { test } from './publication.ts'

test('garbage is what no alias points to, beyond those kept; other people’s collections stay', async ({
  server,
  alias,
  run,
}) => {
  for (let seed = 1; seed <= 4; seed++) await run({ ...tagged(20, seed), keepGenerations: 9 })
  const found = await generations({ url: server.url, alias })
  expect(found.map(({ state }) => state)).toEqual(['live', 'published', 'published', 'published'])
  await server.client.updateCollectionAliases({
    actions: [{ create_alias: { alias_name: `${alias}-pinned`, collection_name: found[3].collection } }],
  })
  await server.client.createCollection(`${alias}_1700000000`, { vectors: { size: 4, distance: 'Dot' } })
  const { deleted } = await collectGarbage({ url: server.url, alias, dryRun: false, keepGenerations: 1 })
  expect(deleted).toEqual([found[2].collection])
  expect((await generations({ url: server.url, alias })).map(({ state }) => state)).toEqual([
    'live',
    'published',
    'published',
    'unknown',
  ])
})

test('a garbage collection in the middle of a rollback leaves its target', async ({ server, alias, run }) => {
  await run(tagged(20, 1))
  await run(tagged(20, 2))
  const [, earlier] = await generations({ url: server.url, alias })
  let deleted: string[] | undefined
  server.faults.add({
    operation: 'updateAliases',
    when: ({ body }) => JSON.stringify(body).includes('rename_alias'),
    fault: {
      kind: 'call',
      call: async () => {
        deleted = (await collectGarbage({ url: server.url, alias, keepGenerations: 0, dryRun: false })).deleted
      },
    },
  })
  expect(await rollback({ url: server.url, alias })).toMatchObject({ to: earlier.collection })
  expect(deleted).toEqual([])
  expect((await server.client.count(alias)).count).toBe(20)
  // And once it is over, what was left is garbage again.
  expect((await collectGarbage({ url: server.url, alias, keepGenerations: 0, dryRun: false })).deleted).toHaveLength(1)
})

test('nothing to roll back to', async ({ server, alias, run }) => {
  await expect(rollback({ url: server.url, alias })).rejects.toThrow(/points to no generation made by publish/)
  await run({ keepGenerations: 0 })
  await expect(rollback({ url: server.url, alias })).rejects.toThrow(
    /has no earlier generation that has served. Generations: \d+ \(live\)/,
  )
  await expect(rollback({ url: server.url, alias, to: 5 })).rejects.toThrow(
    /Generation 5 of .* is none that has served/,
  )
})
