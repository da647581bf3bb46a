import { afterAll, expect, it } from 'vitest'
import { generateInteractions } from '../generate-interactions.ts'
import { ExactLoss, type Factors } from '../solver/exact-loss.ts'

const factors = 5
const matrix = await generateInteractions({ users: 70, items: 50, entries: 600 })
const loss = new ExactLoss(matrix)
afterAll(() => loss.close())

const model: Factors = { factors, users: waves(matrix.users * factors), items: waves(matrix.items * factors) }

it('is the hkv objective, summed over all pairs and divided by all weights', async () => {
  const regularization = 0.3
  let total = 0
  let weights = 0
  for (const { score, c } of pairs()) {
    total += c > 0 ? c * (1 - score) ** 2 : score ** 2
    weights += c > 0 ? c : 1
  }
  for (const x of [...model.users, ...model.items]) total += regularization * x * x
  expect(await loss.of(model, { objective: 'hkv', regularization })).toBeCloseTo(total / weights, 12)
})

it('is the ials objective with a regularisation for each row', async () => {
  const [regularization, unobservedWeight, nu] = [0.2, 0.1, 0.5]
  let total = 0
  let weights = 0
  for (const { score, c } of pairs()) {
    total += c * (1 - score) ** 2 + unobservedWeight * score ** 2
    weights += c + unobservedWeight
  }
  for (const [rows, { indptr }, others] of [
    [model.users, matrix.csr, matrix.items],
    [model.items, matrix.csc, matrix.users],
  ] as const) {
    rows.forEach((x, i) => {
      const row = Math.floor(i / factors)
      total += regularization * (indptr[row + 1] - indptr[row] + unobservedWeight * others) ** nu * x * x
    })
  }
  const actual = await loss.of(model, { objective: 'ials', regularization, unobservedWeight, nu })
  expect(actual).toBeCloseTo(total / weights, 12)
})

/** Every user with every item: the score and the confidence, 0 where nothing was observed. */
function* pairs(): Generator<{ score: number; c: number }> {
  const { csr, codebook, users, items } = matrix
  for (let user = 0; user < users; user++) {
    const confidence = new Map<number, number>()
    for (let e = csr.indptr[user]; e < csr.indptr[user + 1]; e++)
      confidence.set(csr.indices[e], codebook![csr.values[e]])
    for (let item = 0; item < items; item++) {
      let score = 0
      for (let f = 0; f < factors; f++) score += model.users[user * factors + f] * model.items[item * factors + f]
      yield { score, c: confidence.get(item) ?? 0 }
    }
  }
}

function waves(length: number): Float32Array<SharedArrayBuffer> {
  const values = new Float32Array(new SharedArrayBuffer(4 * length))
  for (let i = 0; i < length; i++) values[i] = Math.sin(i + length)
  return values
}
