/**
 * Computes the same figures in every round, with a full collection between, and prints how many rounds differ from the
 * first, by what was computed. Run with --expose-gc, and with --max-opt=2 to stay in V8's middle compiler.
 */
import { MetricSums } from '../src/evaluate/ranking-metrics.ts'
import { createWorkerPool, Recommender, train } from '../src/index.ts'
import { makeMatrix } from './reference.ts'

const rounds = Number(process.argv[2])
const items = 20_000
const kinds = [1, 2, 3, 4]
const members = kinds.map((kind) => Uint8Array.from({ length: items }, (_, item) => (item % kind === 0 ? 1 : 0)))
const popularity = Uint32Array.from({ length: items }, (_, item) => item % 97)

/** The figures of four item sets, one after the other, as `evaluate` computes those of the whole, head, middle and tail. */
function metrics(): object[] {
  const sums = members.map((some) => new MetricSums([20], some, popularity))
  for (const [n, each] of sums.entries()) {
    for (let user = 0; user < 3; user++) each.add([user, n, 7, 9, 12], new Set([n, 7 + n]))
  }
  return sums.map((each) => each.finish()[0])
}

const matrix = makeMatrix(
  Array.from({ length: 60 }, (_, user) => 2 + (user % 40)),
  400,
)
const pool = createWorkerPool({ threads: 1 })
const options = { factors: 8, iterations: 2, pool }
const recommender = new Recommender(await train(matrix, options), { interactions: matrix, pool })

const figures: Record<string, () => unknown> = {
  metrics,
  losses: async () => (await train(matrix, options)).history.map(({ loss, stepsPerRow }) => [loss, stepsPerRow]),
  lists: async () => {
    const lists = await recommender.recommend([1, 2, 3], { limit: 200 })
    return [...lists].map((list) => [...list])
  },
  explanations: () => Promise.all([1, 2, 3].map((item) => recommender.explain(39, item))),
}
const first = new Map<string, string>()
const different: Record<string, number> = {}
for (let round = 0; round < rounds; round++) {
  for (const [name, compute] of Object.entries(figures)) {
    const text = JSON.stringify(await compute())
    if (!first.has(name)) first.set(name, text)
    different[name] = (different[name] ?? 0) + (text === first.get(name) ? 0 : 1)
  }
  globalThis.gc!()
}
await recommender.close()
await pool.close()
console.log(JSON.stringify({ rounds, different }))
