import { afterAll, beforeAll, describe, expect, it } from 'vitest'
import { type AlsModel, type Examples, type MetricOptions, Recommender, train } from '../src/index.ts'
import { makeInteractions } from './recommend-model.ts'

const items = 400
let model: AlsModel
let recommender: Recommender
beforeAll(async () => {
  model = await train(makeInteractions(300, items, 12), {
    factors: 13,
    iterations: 3,
    popularityExponent: 0.25,
    threads: 2,
  })
  recommender = new Recommender(model, { threads: 2 })
})
afterAll(() => recommender.close())

const metrics: MetricOptions[] = [
  { metric: 'cosine' },
  { metric: 'dot' },
  { metric: 'taste' },
  { metric: 'taste', lengthExponent: 0.5 },
]
const blends: Examples[] = [
  { positive: [7] },
  { positive: [3, 14, 15], confidence: [1, 5, 2] },
  { positive: [3, 14], negative: [92, 65, 35] },
]

describe.each(metrics)('$metric, length exponent $lengthExponent', (options) => {
  it.each(blends)('the contributions add up to the score in the list of %o', async (examples) => {
    const list = await recommender.blend(examples, { ...options, limit: items })
    const examplesOf = [...Array.from(examples.positive), ...Array.from(examples.negative ?? [])]
    for (const place of [0, 20, list.length - 1]) {
      const item = list.rows[place]
      const { score, contributions } = await recommender.explainBlend(examples, item, options)
      expect(score).toBeCloseTo(list.scores[place], 4)
      expect(contributions.reduce((sum, { contribution }) => sum + contribution, 0)).toBeCloseTo(score, 9)
      expect(contributions.map(({ row }) => row).sort()).toEqual(examplesOf.sort())
      const amounts = contributions.map(({ contribution }) => contribution)
      expect(amounts).toEqual(amounts.toSorted((a, b) => b - a))
    }
  })
})

it('one example adds what it would have scored alone, by its share', async () => {
  const [a, b, item] = [3, 14, 100]
  const { contributions } = await recommender.explainBlend({ positive: [a, b] }, item)
  for (const { row, contribution } of contributions) {
    const alone = await recommender.blend({ positive: [row] }, { allow: [item] })
    expect(contribution).toBeCloseTo(alone.scores[0] / 2, 4)
  }
})

it('refuses what is not there', async () => {
  await expect(recommender.explainBlend({ positive: [] }, 0)).rejects.toThrow('no positive example')
  await expect(recommender.explainBlend({ positive: [1] }, items)).rejects.toThrow(`no item row ${items}`)
  await expect(recommender.explainBlend({ positive: [1] }, 0, { limit: 3 } as MetricOptions)).rejects.toThrow('limit')
})
