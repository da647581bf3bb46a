import { afterAll, beforeAll, expect, test } from 'vitest'
import {
  type AlsModel,
  answerInProcess,
  createWorkerPool,
  evaluate,
  evaluateServing,
  type InteractionMatrix,
  matrixFromTriplets,
  Recommender,
  type ServingQuestion,
  splitRandomly,
  train,
  type WorkerPool,
} from '../src/index.ts'
import { makeInteractions } from './recommend-model.ts'

const users = 270
const items = 401
let known: InteractionMatrix
let held: InteractionMatrix
let model: AlsModel
let pool: WorkerPool
beforeAll(async () => {
  pool = createWorkerPool({ threads: 2 })
  const split = splitRandomly(makeInteractions(users, items, 14), 0.3, { seed: 5 })
  known = split.train
  held = split.test
  model = await train(known, { factors: 9, iterations: 4, pool })
})
afterAll(() => pool.close())

test('in process: exact answers to every kind of question, and the quality that evaluate measures', async () => {
  const figures = await evaluateServing(model, { train: known, test: held, pool })
  expect(figures.map(({ kind, metric }) => `${kind} ${metric}`)).toEqual([
    'user taste',
    'blend taste',
    'blend cosine',
    'recent taste',
    'recent cosine',
    'seed taste',
    'seed cosine',
  ])
  for (const { agreement, p50, p99 } of figures) {
    expect(agreement).toBe(1)
    expect(p50).toBeGreaterThan(0)
    expect(p99).toBeGreaterThanOrEqual(p50)
  }
  const { at } = await evaluate(model, { train: known, test: held, k: [20], pool })
  expect(figures[0].users).toBe(at[20].users)
  expect(figures[0].recall).toBeCloseTo(at[20].recall, 12)
  expect(figures[0].ndcg).toBeCloseTo(at[20].ndcg, 12)
  expect(figures[0].meanPopularity).toBeCloseTo(at[20].meanPopularity, 10)
})

test('what users ask by: all their items, the newest five, the newest', async () => {
  const asked: ServingQuestion[] = []
  await using recommender = new Recommender(model, { interactions: known, pool })
  const exact = answerInProcess(recommender)
  const index = {
    answer(question: ServingQuestion) {
      asked.push(question)
      return exact.answer(question)
    },
  }
  const own = (user: number) => [...known.csr.indices.subarray(known.csr.indptr[user], known.csr.indptr[user + 1])]
  const newestFirst = (user: number) => own(user).reverse()
  const options = { train: known, test: held, index, users: 31, newestFirst, pool, metrics: ['taste'] as const }
  await evaluateServing(model, options)
  // One question of each kind is asked twice, to build what is built at first use.
  expect(asked).toHaveLength(4 * 32)
  expect(new Set(asked.map(({ user }) => user)).size).toBe(31)
  for (const { kind, user, positive, exclude } of asked) {
    expect([...exclude]).toEqual(own(user))
    const expected = {
      user: [],
      blend: own(user),
      recent: newestFirst(user).slice(0, 5),
      seed: newestFirst(user).slice(0, 1),
    }
    expect([...positive]).toEqual(expected[kind])
  }
})

test('an index that loses a quarter of the exact answers is found out', async () => {
  await using recommender = new Recommender(model, { interactions: known, pool })
  const exact = answerInProcess(recommender)
  const index = { answer: async (question: ServingQuestion) => Array.from(await exact.answer(question)).slice(0, 15) }
  const figures = await evaluateServing(model, { train: known, test: held, index, users: 50, pool })
  for (const { agreement } of figures) expect(agreement).toBe(0.75)
})

test('wrong answers and impossible questions are refused', async () => {
  const options = { train: known, test: held, users: 5, pool }
  const answering = (list: (question: ServingQuestion) => number[]) =>
    evaluateServing(model, { ...options, index: { answer: async (question) => list(question) } })
  await expect(answering(({ exclude }) => [exclude[0]])).rejects.toThrow('which was to be left out')
  await expect(answering(() => [items])).rejects.toThrow(`item ${items}, which was to be left out or is none`)
  const free = ({ exclude }: ServingQuestion) => [...Array(items).keys()].find((row) => !exclude.includes(row))!
  await expect(answering((question) => [free(question), free(question)])).rejects.toThrow('has an item twice')
  const { train: fewer } = splitRandomly(makeInteractions(users, items - 1, 14), 0.3, { seed: 5 })
  await expect(evaluateServing(model, { ...options, test: fewer })).rejects.toThrow(
    `test is ${users} users × ${items - 1} items, the model ${users} × ${items}`,
  )
  const disliked = matrixFromTriplets({ users, items, rows: [0], columns: [0], values: [-1] })
  await expect(evaluateServing(model, { ...options, test: disliked })).rejects.toThrow('No user has items in train')
  const controller = new AbortController()
  controller.abort(new Error('enough'))
  await expect(evaluateServing(model, { ...options, signal: controller.signal })).rejects.toThrow('enough')
})

test('what users dislike is left out of the answers, and nobody asks by it', async () => {
  const values = [1, 2, -5, -1, 3]
  const train = matrixFromTriplets({ users, items, rows: [0, 0, 0, 1, 2], columns: [3, 4, 5, 6, 7], values })
  const test = matrixFromTriplets({ users, items, rows: [0, 1, 2], columns: [8, 8, 8] })
  const asked: ServingQuestion[] = []
  const index = {
    answer: async (question: ServingQuestion) => {
      asked.push(question)
      return []
    },
  }
  await evaluateServing(model, { train, test, index, kinds: ['blend', 'recent'], metrics: ['taste'], pool })
  // Each kind asks its first question twice.
  expect(asked.map(({ user, positive }) => [user, [...positive].sort()])).toEqual(
    [0, 0, 2, 0, 0, 2].map((user) => [user, user === 0 ? [3, 4] : [7]]),
  )
  expect([...asked[0].exclude]).toEqual([3, 4, 5])
})

test('of an answer that is too long only the first count', async () => {
  await using recommender = new Recommender(model, { interactions: known, pool })
  const exact = answerInProcess(recommender)
  const index = {
    async answer(question: ServingQuestion) {
      const best = Array.from(await exact.answer(question))
      const others = [...Array(items).keys()].filter((row) => !best.includes(row) && !question.exclude.includes(row))
      return [...others, ...best]
    },
  }
  for (const { agreement } of await evaluateServing(model, { train: known, test: held, index, users: 20, pool }))
    expect(agreement).toBe(0)
})

test('a list of more than all items is one of all', async () => {
  const options = { train: known, test: held, users: 20, kinds: ['blend'] as const, pool }
  const figures = async (limit: number) =>
    (await evaluateServing(model, { ...options, limit })).map(({ recall, ndcg, coverage }) => [recall, ndcg, coverage])
  expect(await figures(1e9)).toEqual(await figures(items))
  const { at } = await evaluate(model, { train: known, test: held, k: [items, 1e9], pool })
  expect(at[1e9].recall).toBe(at[items].recall)
  expect(at[1e9].ndcg).toBe(at[items].ndcg)
})

test.each<[string, object, RegExp]>([
  ['a misspelt option', { kind: ['user'] }, /evaluateServing has no option kind: did you mean kinds/],
  ['no list', { limit: 0 }, /limit is 0, expected a positive integer/],
  ['nobody at work', { concurrency: 0 }, /concurrency is 0, expected a positive integer/],
  ['no users', { users: -1 }, /users is -1, expected a positive integer/],
  ['no recent items', { recent: Number.NaN }, /recent is NaN, expected a positive integer/],
  ['a seed', { seed: 'x' }, /seed is "x", expected an integer/],
  ['a kind', { kinds: ['user', 'all'] }, /kinds\[1\] is "all", expected one of 'user', 'blend', 'recent', 'seed'/],
  ['kinds', { kinds: 'user' }, /kinds is "user", expected an array/],
  ['a metric', { metrics: ['dot'] }, /metrics\[0\] is "dot", expected one of 'taste', 'cosine'/],
  ['an index', { index: {} }, /index has no answer/],
  [
    'no answer',
    { index: { answer: async () => undefined } },
    /of user \d+ \(user, taste\) is undefined, expected rows/,
  ],
  ['a fraction', { index: { answer: async () => [1.5] } }, /has item 1.5, which was to be left out or is none/],
  ['no newest items', { newestFirst: () => [] }, /newestFirst\(\d+\) has no items/],
  ['no test', { test: undefined }, /test is undefined, expected a matrix/],
])('misuse: %s', async (_, option, message) => {
  await expect(evaluateServing(model, { train: known, test: held, pool, ...(option as object) })).rejects.toThrow(
    message,
  )
})
