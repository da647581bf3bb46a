import { describe, expect } from 'vitest'
import { generations, publish, rollback, type Vectors } from '../src/index.ts'
import { catalogue, quick, tagged } from './catalogue.ts'
import { test } from './publication.ts'
import type { TestServer } from './servers.ts'

describe('the fence', () => {
  test('two first publications: the one that swaps first wins', async ({ server, alias, run }) => {
    server.faults.add({
      operation: 'upsert',
      skip: 3,
      fault: { kind: 'call', call: async () => void (await run(tagged(100, 2))) },
    })
    await expect(run()).rejects.toMatchObject({
      name: 'SupersededError',
      message: expect.stringContaining('did not exist at the beginning'),
    })
    const [live, ...others] = await generations({ url: server.url, alias })
    expect(others).toEqual([])
    expect(await fences(server, alias)).toEqual([`${alias}@${live.collection}`])
  })

  test('one that is gone is put up again while nobody has moved the alias', async ({ server, alias, run }) => {
    for (const state of ['first', 'second']) {
      const call = async (): Promise<void> => {
        const actions = (await fences(server, alias)).map((alias_name) => ({ delete_alias: { alias_name } }))
        await server.client.updateCollectionAliases({ actions })
      }
      server.faults.add({ operation: 'count', fault: { kind: 'call', call } })
      const { collection } = await run(tagged(100, state === 'first' ? 1 : 2))
      expect(await fences(server, alias)).toEqual([`${alias}@${collection}`])
    }
  })

  test('an alias that was moved by hand is published from there', async ({ server, alias, run }) => {
    await run(tagged(20, 1))
    await run(tagged(20, 2))
    const [, earlier] = await generations({ url: server.url, alias })
    await server.client.updateCollectionAliases({
      actions: [{ create_alias: { alias_name: alias, collection_name: earlier.collection } }],
    })
    const { collection, previous } = await run(tagged(20, 3))
    expect(previous).toBe(earlier.collection)
    expect(await fences(server, alias)).toEqual([`${alias}@${collection}`])
  })
})

test('users are swapped and rolled back in the same request', async ({ server, alias }) => {
  const { vectors, payloads } = catalogue(40, 8, 1)
  const byDot = (vectors: Vectors): Vectors => ({ ...vectors, distance: 'Dot' })
  const publications = []
  for (const seed of [2, 3]) {
    server.requests.length = 0
    const users = { vectors: byDot(catalogue(15, 8, seed).vectors) }
    publications.push(await publish({ ...quick, url: server.url, alias, vectors: byDot(vectors), payloads, users }))
    const swaps = server.requests.filter(
      ({ operation, body }) => operation === 'updateAliases' && JSON.stringify(body).includes('rename_alias'),
    )
    expect(swaps).toHaveLength(1)
  }
  const usersAlias = `${alias}_users`
  const targets = async (): Promise<(string | undefined)[]> => {
    const aliases = new Map(
      (await server.client.getAliases()).aliases.map((one) => [one.alias_name, one.collection_name]),
    )
    return [aliases.get(alias), aliases.get(usersAlias)]
  }
  expect(publications[1].users).toBe(`${usersAlias}_${publications[1].generation}`)
  expect(await targets()).toEqual([publications[1].collection, publications[1].users])
  const back = await rollback({ url: server.url, alias })
  expect(back.aliases).toEqual({ [alias]: publications[0].collection, [usersAlias]: publications[0].users })
  expect(await targets()).toEqual([publications[0].collection, publications[0].users])
  await rollback({ url: server.url, alias, to: publications[1].generation })
  expect(await targets()).toEqual([publications[1].collection, publications[1].users])
})

async function fences({ client }: TestServer, alias: string): Promise<string[]> {
  return (await client.getAliases()).aliases
    .map(({ alias_name }) => alias_name)
    .filter((name) => name.startsWith(`${alias}@`))
}
