import { execFile } from 'node:child_process'
import { mkdtempSync, rmSync } from 'node:fs'
import { tmpdir } from 'node:os'
import { join } from 'node:path'
import { promisify } from 'node:util'
import { afterAll, beforeAll, describe, expect, it } from 'vitest'
import { type AlsModel, createWorkerPool, Recommender, saveModel, train } from '../src/index.ts'
import { makeInteractions } from './recommend-model.ts'

const folder = mkdtempSync(join(tmpdir(), 'recommender-'))
const interactions = makeInteractions(120, 400, 12)
let model: AlsModel
beforeAll(async () => {
  const itemIds = Array.from({ length: 400 }, (_, item) => `item ${item}`)
  model = await train(interactions, { factors: 16, iterations: 3, threads: 2, itemIds })
  await saveModel(model, folder)
})
afterAll(() => rmSync(folder, { recursive: true }))

describe('Recommender', () => {
  it('answers from a saved model as from the one in memory', async () => {
    await using opened = await Recommender.open(folder, { interactions, threads: 2 })
    await using kept = new Recommender(model, { interactions, threads: 1 })
    await opened.prepare({ users: true })
    for (const user of [0, 60, 119]) {
      expect([...(await opened.recommend(user))]).toEqual([...(await kept.recommend(user))])
      expect([...(await opened.similarUsers(user))]).toEqual([...(await kept.similarUsers(user))])
    }
    expect((await opened.similarItems(opened.itemRow('item 7'), { interactionCount: { max: 3 } })).ids).toEqual(
      (await kept.similarItems(7, { interactionCount: { max: 3 } })).ids,
    )
  })

  it('gives every list although a thread dies', async () => {
    const pool = createWorkerPool({ threads: 2 })
    await using recommender = new Recommender(model, { interactions, pool })
    await recommender.prepare()
    const users = Uint32Array.from({ length: 120 }, (_, user) => user)
    const expected = await recommender.recommend(users)
    const lists = recommender.recommend(users)
    await pool.piscina.threads[0].terminate()
    const actual = await lists
    for (const user of users) expect([...actual.at(user)]).toEqual([...expected.at(user)])
    await recommender.close()
    await pool.close()
  })

  it('lets its process end by itself once it is closed', async () => {
    const program = `
      const { Recommender } = await import(${JSON.stringify(new URL('../src/index.ts', import.meta.url).href)})
      const recommender = await Recommender.open(${JSON.stringify(folder)}, { threads: 2 })
      console.log((await recommender.recommend(3, { limit: 4 })).ids.length)
      await recommender.close()`
    const { stdout } = await promisify(execFile)(process.execPath, ['--input-type=module', '--eval', program])
    expect(stdout).toBe('4\n')
  })
})
