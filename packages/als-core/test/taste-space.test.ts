import { mkdtempSync, rmSync } from 'node:fs'
import { tmpdir } from 'node:os'
import { join } from 'node:path'
import { afterAll, beforeAll, describe, expect, it, test } from 'vitest'
import {
  type AlsModel,
  computeLoss,
  createWorkerPool,
  foldInItems,
  foldInUsers,
  loadModel,
  Recommender,
  saveModel,
  type TrainOptions,
  tasteSpace,
  train,
  type WorkerPool,
  weightByPopularity,
} from '../src/index.ts'
import { weightItems } from '../src/matrix/weight-items.ts'
import { makeInteractions, plainTop } from './recommend-model.ts'
import { same } from './training.ts'

const users = 300
// Two more than two shards of rows.
const items = 2050
const k = 13
const interactions = makeInteractions(users, items, 12)
const variants: [string, TrainOptions][] = [
  ['hkv', { alpha: 4, regularization: 0.3 }],
  ['hkv, λ·n', { regularization: 0.05, regularizationScaling: 'count' }],
  ['ials, ν', { objective: 'ials', unobservedWeight: 0.05, regularization: 0.02, regularizationScaling: { nu: 0.8 } }],
]

let pool: WorkerPool
beforeAll(() => {
  pool = createWorkerPool({ threads: 2 })
})
afterAll(() => pool.close())

const trainWith = (options: TrainOptions) => train(interactions, { factors: k, iterations: 3, pool, ...options })

/** A = α0·YᵀY + λ̄·I by its definition. */
function systemOf({ itemFactors, options }: AlsModel): number[][] {
  const { regularization, regularizationScaling: scaling, unobservedWeight } = options
  let lambda = 0
  for (let user = 0; user < users; user++) {
    const n = interactions.csr.indptr[user + 1] - interactions.csr.indptr[user]
    const factor = scaling === 'none' ? 1 : scaling === 'count' ? n : (n + unobservedWeight * items) ** scaling.nu
    lambda += (regularization * factor) / users
  }
  return Array.from({ length: k }, (_, i) =>
    Array.from({ length: k }, (_, j) => {
      let sum = i === j ? lambda : 0
      for (let row = 0; row < items; row++) {
        sum += unobservedWeight * itemFactors[row * k + i] * itemFactors[row * k + j]
      }
      return sum
    }),
  )
}

const dot = (a: ArrayLike<number>, i: number, b: ArrayLike<number>, j: number): number => {
  let sum = 0
  for (let t = 0; t < k; t++) sum += a[i * k + t] * b[j * k + t]
  return sum
}

describe.each(variants)('%s', (_, options) => {
  it('has A of the users, whose root is one: L·(A·L⁻¹y) and scores are kept', async () => {
    const model = await trainWith(options)
    const space = await tasteSpace(model, { pool })
    const vectors = await space.itemVectors(model.itemFactors, { pool })
    const people = await space.userVectors(model.userFactors, { pool })
    const a = systemOf(model)
    // z_i·z_j = y_iᵀ A⁻¹ y_j, so with y_j = A·w, z_i·z_j = y_i·w.
    for (const [i, j] of [
      [0, 0],
      [5, 1023],
      [1024, 2048],
    ]) {
      const w = Array.from({ length: k }, (_, r) => model.itemFactors[j * k + r])
      const aw = a.map((row) => row.reduce((sum, value, t) => sum + value * w[t], 0))
      const [z] = [await space.itemVectors(Float32Array.from(aw), { pool })]
      expect(dot(vectors, i, z, 0)).toBeCloseTo(dot(model.itemFactors, i, w, 0), 4)
      expect(dot(people, i % users, vectors, j)).toBeCloseTo(dot(model.userFactors, i % users, model.itemFactors, j), 5)
    }
    const back = await space.itemFactors(vectors, { pool })
    const backToUsers = await space.userFactors(people, { pool })
    for (let t = 0; t < back.length; t++) expect(back[t]).toBeCloseTo(model.itemFactors[t], 4)
    for (let t = 0; t < backToUsers.length; t++) expect(backToUsers[t]).toBeCloseTo(model.userFactors[t], 4)
  })
})

test('item factors in batches, in memory that is used again, give the space of all of them', async () => {
  const model = await trainWith(variants[1][1])
  const { factors, options, userRegularization, itemFactors } = model
  async function* batches(rows: number): AsyncGenerator<Float32Array> {
    const buffer = new Float32Array(rows * k)
    for (let from = 0; from < items; from += rows) {
      const part = itemFactors.subarray(from * k, (from + rows) * k)
      buffer.set(part)
      yield buffer.subarray(0, part.length)
    }
  }
  const whole = await tasteSpace(model, { pool })
  const one = await tasteSpace({ factors, options, userRegularization, itemFactors: batches(items) }, { pool })
  expect(one.fold).toEqual(whole.fold)
  const many = await tasteSpace({ factors, options, userRegularization, itemFactors: batches(300) }, { pool })
  for (let i = 0; i < k * k; i++) expect(many.fold[i]).toBeCloseTo(whole.fold[i], 9)
  const ragged = { factors, options, userRegularization, itemFactors: toStream([new Float32Array(k + 1)]) }
  await expect(tasteSpace(ragged, { pool })).rejects.toThrow(
    `itemFactors has ${k + 1} values, expected a multiple of ${k}`,
  )
})

async function* toStream(list: Float32Array[]): AsyncGenerator<Float32Array> {
  yield* list
}

test('the same bits on 1 and 3 threads, and alone as in a batch', async () => {
  const model = await trainWith(variants[2][1])
  const one = createWorkerPool({ threads: 1 })
  const three = createWorkerPool({ threads: 3 })
  try {
    const vectors = await (await tasteSpace(model, { pool: one })).itemVectors(model.itemFactors, { pool: one })
    const others = await (await tasteSpace(model, { pool: three })).itemVectors(model.itemFactors, { pool: three })
    expect(same(vectors, others)).toBe(true)
  } finally {
    await one.close()
    await three.close()
  }
  await using recommender = new Recommender(model, { pool })
  const batch = Array.from({ length: 40 }, (_, n) => ({ positive: [n, n + 40], negative: [n + 90] }))
  const together = await recommender.blend(batch, { limit: 7 })
  for (const [n, examples] of batch.entries()) {
    const alone = await recommender.blend([examples], { limit: 7 })
    expect([...alone.rows]).toEqual([...together.rows.subarray(7 * n, 7 * n + 7)])
    expect([...alone.scores]).toEqual([...together.scores.subarray(7 * n, 7 * n + 7)])
  }
})

describe('answers', () => {
  it.each([0, 0.4, 1])(
    'rank all items by z·z̄, vectors divided by their length to the power %s',
    async (lengthExponent) => {
      const model = await trainWith({ ...variants[2][1], popularityExponent: 0.3 })
      const vectors = await (await tasteSpace(model)).itemVectors(model.itemFactors, { pool, lengthExponent })
      await using recommender = new Recommender(model, { pool })
      const positive = [3, 700, 41]
      const confidence = [1, 3, 2]
      const query = new Float64Array(k)
      for (const [n, row] of positive.entries()) {
        for (let i = 0; i < k; i++) query[i] += confidence[n] * model.itemWeights![row] * vectors[row * k + i]
      }
      const expected = plainTop(
        query.map((value) => value / positive.length),
        vectors,
        9,
        { allowed: (row) => !positive.includes(row) },
      )
      const found = await recommender.blend([{ positive, confidence }], { limit: 9, lengthExponent })
      expect([...found.rows]).toEqual(expected.map(({ row }) => row))
      for (let i = 0; i < 9; i++) expect(found.scores[i]).toBeCloseTo(expected[i].score, 5)
      const similar = await recommender.similarItems([700], { limit: 9, metric: 'taste', lengthExponent })
      const blend = await recommender.blend([{ positive: [700] }], { limit: 9, lengthExponent })
      // Scores of the same direction at another length: items that tie to the last bit of one may not of the other.
      const weight = model.itemWeights![700]
      for (let i = 0; i < 9; i++) expect(weight * similar.scores[i]).toBeCloseTo(blend.scores[i], 5)
    },
  )

  it('give nearly what folding the same items in gives', async () => {
    const model = await trainWith({ ...variants[2][1], iterations: 8 })
    await using recommender = new Recommender(model, { pool })
    const vectors = await foldInUsers(model, interactions, { pool })
    const folded = await recommender.recommendForVectors(vectors, { limit: 10, exclude: interactions })
    let common = 0
    const some = 100
    for (let user = 0; user < some; user++) {
      const positive = interactions.csr.indices.subarray(
        interactions.csr.indptr[user],
        interactions.csr.indptr[user + 1],
      )
      const list = await recommender.blend([{ positive }], { limit: 10 })
      const theirs = new Set(folded.rows.subarray(10 * user, 10 * user + 10))
      common += list.rows.filter((row) => theirs.has(row)).length
    }
    expect(common / (10 * some)).toBeGreaterThan(0.75)
  })
})

describe('popularityExponent', () => {
  const options: TrainOptions = { ...variants[2][1], popularityExponent: 0.25 }

  it('trains as on a weighted matrix, and the model keeps the weights', async () => {
    const model = await trainWith(options)
    const weighted = weightByPopularity(interactions, 0.25)
    const plain = await train(weighted, { factors: k, iterations: 3, pool, ...variants[2][1] })
    expect(same(model.userFactors, plain.userFactors)).toBe(true)
    expect(same(model.itemFactors, plain.itemFactors)).toBe(true)
    const loss = computeLoss(model, interactions, model.options)
    expect(loss / computeLoss(plain, weighted, plain.options)).toBeCloseTo(1, 12)
    const sum = (values: ArrayLike<number>) => Array.from(values).reduce((a, b) => a + b, 0)
    expect(sum(weighted.csr.values) / interactions.entries).toBeCloseTo(1, 5)

    const folder = mkdtempSync(join(tmpdir(), 'seesaw-weights-'))
    try {
      await saveModel(model, folder)
      const loaded = await loadModel(folder)
      expect(loaded.itemWeights).toEqual(model.itemWeights)
      expect(loaded.popularityWeights).toEqual(model.popularityWeights)
      expect(loaded.userRegularization).toBe(model.userRegularization)
      expect(loaded.options).toEqual(model.options)
    } finally {
      rmSync(folder, { recursive: true })
    }
  })

  it('weighs those who are folded in: users by the items, items by their own popularity', async () => {
    const model = await trainWith(options)
    const bare = { ...model, itemWeights: undefined, popularityWeights: undefined }
    const weighted = weightItems(interactions, model.itemWeights!)
    expect(same(await foldInUsers(model, interactions, { pool }), await foldInUsers(bare, weighted, { pool }))).toBe(
      true,
    )
    expect(same(await foldInItems(model, interactions, { pool }), await foldInItems(bare, weighted, { pool }))).toBe(
      true,
    )
    expect(
      same(await foldInUsers(model, interactions, { pool }), await foldInUsers(bare, interactions, { pool })),
    ).toBe(false)
  })

  it('is in what explain adds up', async () => {
    const model = await trainWith({ ...options, solver: 'cholesky' })
    await using recommender = new Recommender(model, { interactions, pool })
    const folded = await foldInUsers(model, interactions, { pool, solver: 'cholesky' })
    const { score } = await recommender.explain(4, 100)
    expect(score).toBeCloseTo(dot(folded, 4, model.itemFactors, 100), 5)
  })
})

test('what cannot be is refused', async () => {
  const model = await trainWith(variants[1][1])
  await using recommender = new Recommender(model, { pool })
  const { userRegularization: _, ...old } = model
  await expect(tasteSpace(old)).rejects.toThrow('The model has no userRegularization')
  await expect(trainWith({ popularityExponent: 1.5 })).rejects.toThrow(
    'popularityExponent is 1.5, expected a number from 0 to 1.',
  )
  await expect(recommender.blend({ positive: [1], confidence: [1, 2] })).rejects.toThrow(
    'Query 0 has 1 positive examples and 2 values of confidence, expected one for each.',
  )
  await expect(recommender.blend({ positive: [1], confidence: [0] })).rejects.toThrow('confidence[0] is 0')
  await expect(recommender.blend({ positive: [1], weights: [2] } as never)).rejects.toThrow(
    'Query 0 has no option weights',
  )
  await expect(recommender.recommendForHistory({ items: [1], value: [2] } as never)).rejects.toThrow(
    'History 0 has no option value: did you mean values?',
  )
  await expect(tasteSpace(model, { thread: 2 } as never)).rejects.toThrow('tasteSpace has no option thread')
  const enough = AbortSignal.abort(new Error('enough'))
  await expect(tasteSpace(model, { signal: enough })).rejects.toThrow('enough')
  const misspelt = { exponent: 0.5 } as never
  await expect((async () => (await tasteSpace(model)).itemVectors(model.itemFactors, misspelt))()).rejects.toThrow(
    'no option exponent',
  )
  await expect(recommender.blend({ positive: [1] }, { lengthExponent: '1' } as never)).rejects.toThrow(
    'lengthExponent is "1", expected a number from 0 to 1',
  )
  await expect(recommender.blend({ positive: [1] }, { lengthExponent: 2 })).rejects.toThrow('lengthExponent is 2')
  await expect(recommender.blend({ positive: [1] }, { lengthExponent: 1, metric: 'cosine' })).rejects.toThrow(
    "lengthExponent is 1 with metric 'cosine', expected metric 'taste'.",
  )
  await expect(recommender.similarItems(1, { metric: 'euclid' as never })).rejects.toThrow('metric is "euclid"')
  const space = await tasteSpace(model, { pool })
  const scaled = { lengthExponent: 0.5 } as never
  expect(() => space.userVectors(model.userFactors, scaled)).toThrow('no option lengthExponent')
  expect(() => space.itemVectors(new Float32Array(k + 1))).toThrow(
    `factors has ${k + 1} values, expected a multiple of ${k}`,
  )
  expect(() => space.itemVectors(model.itemFactors, { into: model.itemFactors })).toThrow(
    'into shares the memory of factors',
  )
})
