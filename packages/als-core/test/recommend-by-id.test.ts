import { mkdtempSync, rmSync } from 'node:fs'
import { tmpdir } from 'node:os'
import { join } from 'node:path'
import { afterAll, beforeAll, describe, expect, it } from 'vitest'
import {
  type AlsModel,
  foldInUsers,
  matrixFromCsr,
  type OptionError,
  Recommender,
  RequestError,
  saveModel,
  train,
} from '../src/index.ts'
import { makeInteractions, makeModel } from './recommend-model.ts'

const folder = mkdtempSync(join(tmpdir(), 'by-id-'))
const interactions = makeInteractions(120, 400, 12)
let model: AlsModel
let recommender: Recommender
beforeAll(async () => {
  model = await train(interactions, {
    ...{ factors: 16, iterations: 3, threads: 2, objective: 'ials', unobservedWeight: 0.1 },
    userIds: Array.from({ length: 120 }, (_, user) => `user-${user}`),
    itemIds: Array.from({ length: 400 }, (_, item) => 3 * item - 7),
  })
  await saveModel(model, join(folder, 'a'), { interactions })
  recommender = await Recommender.open(join(folder, 'a'), { threads: 2 })
})
afterAll(async () => {
  await recommender.close()
  rmSync(folder, { recursive: true })
})

const code = (call: Promise<unknown>) =>
  call.then(String, (error) => (error instanceof RequestError ? error.code : error))

describe('a recommender of a folder', () => {
  it('answers by ids as by rows, and leaves out what a user has', async () => {
    await using whole = new Recommender(model, { interactions, threads: 1 })
    for (const user of [0, 7, 119]) {
      const found = await recommender.recommend(`user-${user}`, { limit: 30 })
      expect([...found]).toEqual([...(await whole.recommend(user, { limit: 30 }))])
      const { indptr, indices } = interactions.csr
      for (const row of indices.subarray(indptr[user], indptr[user + 1])) expect(found.rows).not.toContain(row)
    }
    const batch = await recommender.recommend(['user-3', 5])
    expect([[...batch.at(0)], [...batch.at(1)]]).toEqual([
      [...(await whole.recommend(3))],
      [...(await whole.recommend(5))],
    ])
    expect([...(await recommender.similarUsers('user-9'))]).toEqual([...(await whole.similarUsers(9))])
    expect((await recommender.explain('user-7', '-4')).contributions).toEqual((await whole.explain(7, 1)).contributions)
  })

  it('takes integer ids by their digits', async () => {
    expect((await recommender.similarItems('-7')).ids).toEqual((await recommender.similarItems(0)).ids)
    expect((await recommender.blend({ positive: ['2', 9], negative: ['5'] })).ids).toEqual(
      (await recommender.blend({ positive: [3, 9], negative: [4] })).ids,
    )
    const known = ['-7', '2', '1190', 0, 399, '02', '2.0', '1e0', ' 2', '', '-8', 400, -1, 1.5].map((item) =>
      recommender.hasItem(item),
    )
    expect(known).toEqual([true, true, true, true, true, ...new Array(9).fill(false)])
    expect(['user-0', 'user-120', '0', 119, 120].map((user) => recommender.hasUser(user))).toEqual([
      true,
      false,
      false,
      true,
      false,
    ])
  })

  it('filters by ids; those that are not in the model say nothing', async () => {
    const all = await recommender.recommend('user-1', { limit: 6 })
    const [first, second] = all.ids.map(String)
    expect((await recommender.recommend('user-1', { limit: 5, deny: [first, 'gone', '4'] })).ids).toEqual(
      all.ids.slice(1),
    )
    const allowed = await recommender.recommend('user-1', { allow: new Set([second, 'gone']) })
    expect(allowed.ids.map(String)).toEqual([second])
  })

  it('says by a code why there is no answer', async () => {
    expect(await code(recommender.recommend('nobody'))).toBe('UNKNOWN_USER')
    expect(await code(recommender.recommend(120))).toBe('UNKNOWN_USER')
    expect(await code(recommender.recommend(['user-1', 'nobody']))).toBe('UNKNOWN_USER')
    expect(await code(recommender.similarItems('nothing'))).toBe('UNKNOWN_ITEM')
    expect(await code(recommender.blend({ positive: ['1'] }))).toBe('UNKNOWN_ITEM')
    expect(await code(recommender.recommend('user-1', { limit: 0 }))).toBe('BAD_LIMIT')
    expect(await code(recommender.recommend('user-1', { limit: 2.5 }))).toBe('BAD_LIMIT')
    await expect(recommender.recommend('user-1', { allow: [400] })).rejects.toMatchObject({ code: 'BAD_OPTION' })
    await expect(recommender.recommend({} as never)).rejects.toThrow('The users are {}, expected a row number or an id')
  })

  it('opens a model without ids or interactions: row numbers are the ids', async () => {
    const { userIds: _, itemIds: __, ...bare } = model
    await saveModel(bare, join(folder, 'bare'))
    await using opened = await Recommender.open(join(folder, 'bare'), { threads: 1 })
    expect((await opened.recommend('7')).ids).toEqual((await opened.recommend(7)).ids)
    expect([opened.hasUser('119'), opened.hasUser('120'), opened.hasUser('x')]).toEqual([true, false, false])
  })
})

it('what is no question is said, with a code', async () => {
  for (const [call, code, message] of [
    [() => recommender.recommend(3n as never), 'UNKNOWN_USER', 'The users are 3, expected a row number or an id'],
    [() => recommender.recommend({} as never), 'UNKNOWN_USER', 'The users are {}, expected'],
    [() => recommender.recommend(7, 10 as never), 'BAD_OPTION', 'The options of recommend are 10, expected an object.'],
    [() => recommender.recommend(7, { limit: '5' as never }), 'BAD_LIMIT', 'limit is "5", expected a positive integer'],
    [() => recommender.replace(undefined as never), 'BAD_OPTION', 'The model is undefined, expected a directory or a'],
    [() => Recommender.open('' as never), 'BAD_OPTION', 'The model is "", expected a directory'],
    [() => Recommender.open(undefined as never), 'BAD_OPTION', 'The model is undefined, expected a directory'],
  ] as [() => Promise<unknown>, string, string][]) {
    const error: OptionError = await (async () => call())().then(
      () => ({}) as never,
      (reason) => reason,
    )
    expect({ code: error.code, message: error.message }).toEqual({ code, message: expect.stringContaining(message) })
  }
})

describe('recommendForHistory', () => {
  it('answers as folding in does, without what somebody has', async () => {
    const history = makeInteractions(5, 400, 9, 77)
    const values = Float32Array.from(history.csr.indices, (_, e) => (e % 4 === 3 ? -1 : 1 + (e % 3)))
    const matrix = matrixFromCsr({ ...history, ...history.csr, values })
    const vectors = await foldInUsers(model, matrix, { threads: 1, tolerance: 1e-7, maxSteps: 200 })
    const expected = await recommender.recommendForVectors(vectors, { exclude: matrix })
    const histories = Array.from({ length: 5 }, (_, user) => {
      const [from, to] = [matrix.csr.indptr[user], matrix.csr.indptr[user + 1]]
      return {
        items: Array.from(matrix.csr.indices.subarray(from, to), (row) => String(3 * row - 7)),
        values: values.subarray(from, to),
      }
    })
    const found = await recommender.recommendForHistory(histories)
    expect(found.rows).toEqual(expected.rows)
    for (const [n, score] of found.scores.entries()) expect(score).toBeCloseTo(expected.scores[n], 4)
    const reversed = { items: histories[2].items.toReversed(), values: [...histories[2].values].reverse() }
    expect([...(await recommender.recommendForHistory(reversed)).rows]).toEqual([...found.at(2).rows])
  })

  it('refuses what is no history', async () => {
    const refused = (history: object, message: string) =>
      expect(recommender.recommendForHistory(history as never)).rejects.toThrow(message)
    await refused({ items: ['2', '2'] }, 'items[1], "2", is there twice, first as items[0]')
    await refused({ items: ['2'], values: [1, 2] }, 'has 1 items and 2 values')
    await refused({ items: ['2'], values: [0] }, 'values[0] is 0, expected a number other than 0')
    await refused(
      { items: ['2'], values: [1e39] },
      'values[0] is 1e+39, expected a number other than 0 in the range of',
    )
    const codes = async (call: Promise<unknown>) => (await call.catch((error) => error)) as { code?: string }
    for (const values of [[1e39], [3e38, 1]]) {
      const items = ['2', '5'].slice(0, values.length)
      expect(await codes(recommender.recommendForHistory({ items, values }))).toMatchObject({ code: 'BAD_OPTION' })
    }
    for (const confidence of [[1e300], [1e37]]) {
      expect(await codes(recommender.blend({ positive: ['2'], confidence }))).toMatchObject({ code: 'BAD_OPTION' })
    }
    await refused({ items: ['1'] }, 'There is no item with id "1"')
  })
})

describe('replace', () => {
  const versions = ['one', 'two'].map((version) => {
    const base = makeModel(50, 300, 8, version.length)
    return { ...base, itemIds: Array.from({ length: 300 }, (_, item) => `${version} ${item}`) }
  })

  it('switches between two calls: every answer is of one model, and none is lost', async () => {
    for (const [n, version] of versions.entries()) await saveModel(version, join(folder, `version-${n}`))
    await using serving = await Recommender.open(join(folder, 'version-0'), { threads: 2 })
    await serving.prepare({ users: true })
    let stop = false
    const seen: string[] = []
    const ask = async (n: number): Promise<void> => {
      for (; !stop; n += 7) {
        const batch = await serving.recommend([`u${n % 50}`, `u${(n + 1) % 50}`], { limit: 20 })
        const of = new Set([...batch].flatMap(({ ids }) => ids.map((id) => String(id).slice(0, 3))))
        seen.push([...of].join())
      }
    }
    const asking = [ask(0), ask(1), ask(2)]
    for (let round = 1; round <= 6; round++) {
      const count = seen.length
      await serving.replace(join(folder, `version-${round % 2}`))
      const { ids } = await serving.similarItems(0)
      expect(String(ids[0]).slice(0, 3)).toBe(round % 2 === 1 ? 'two' : 'one')
      while (seen.length === count) await new Promise((resolve) => setImmediate(resolve))
    }
    stop = true
    await Promise.all(asking)
    expect([...new Set(seen)].sort()).toEqual(['one', 'two'])
  })

  it('changes nothing when it fails, comes in order, and is refused once closed', async () => {
    const serving = new Recommender(versions[0], { threads: 1 })
    await expect(serving.replace(join(folder, 'nowhere'))).rejects.toThrow('has no manifest.json')
    expect(serving.model).toBe(versions[0])
    await Promise.all([serving.replace(versions[1]), serving.replace(versions[0]), serving.replace(versions[1])])
    expect(serving.model).toBe(versions[1])
    await expect(serving.replace(versions[0], { interactions: makeInteractions(3, 4, 1) })).rejects.toThrow(
      'The interactions are 3 users × 4 items, the model 50 × 300',
    )
    const answer = serving.recommend('u3')
    const late = serving.replace(versions[0])
    const refused = expect(late).rejects.toThrow('This recommender is closed')
    await serving.close()
    await refused
    expect((await answer).ids).toHaveLength(10)
  })
})
