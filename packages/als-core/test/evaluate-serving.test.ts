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
