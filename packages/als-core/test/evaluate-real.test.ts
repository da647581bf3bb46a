import { existsSync, readdirSync, readFileSync } from 'node:fs'
import { fileURLToPath } from 'node:url'
import { gunzipSync } from 'node:zlib'
import { afterAll, beforeAll, describe, expect, it } from 'vitest'
import {
  createWorkerPool,
  evaluate,
  foldInUsers,
  holdOutUsers,
  itemNeighbours,
  matrixFromTriplets,
  mostPopular,
  Recommender,
  type SourceOptions,
  splitByTime,
  splitRandomly,
  type TrainOptions,
  type Triplets,
  train,
  type WorkerPool,
} from '../src/index.ts'

const folder = fileURLToPath(new URL('../../../../shared/data/', import.meta.url))
const present = existsSync(`${folder}lastfm-hetrec`)
if (!present) console.log(`Skipped: ${folder} does not exist.`)

/** Numeric columns of a data set's interactions. */
function read(name: string): { columns: Float64Array[]; triplets: Triplets } {
  const file = readdirSync(`${folder}${name}`).find((each) => each.endsWith('.tsv.gz') && !each.startsWith('items'))
  const lines = gunzipSync(readFileSync(`${folder}${name}/${file}`))
    .toString()
    .trimEnd()
    .split('\n')
  const columns = lines[0].split('\t').map((_, c) => Float64Array.from(lines, (line) => Number(line.split('\t')[c])))
  const [rows, items] = columns.map((column) => new Map([...new Set(column)].map((id, row) => [id, row])))
  const triplets: Triplets = {
    users: rows.size,
    items: items.size,
    rows: columns[0].map((id) => rows.get(id)!),
    columns: columns[1].map((id) => items.get(id)!),
    duplicates: 'max',
  }
  return { columns, triplets }
}

const options: TrainOptions = {
  factors: 64,
  iterations: 8,
  objective: 'ials',
  unobservedWeight: 0.05,
  regularization: 0.01,
  regularizationScaling: { nu: 1 },
}

describe.skipIf(!present)('on real data', () => {
  let pool: WorkerPool
  beforeAll(() => {
    pool = createWorkerPool({ threads: 2 })
  })
  afterAll(() => pool.close())

  it('finds more of what Last.fm users listen to than popularity and item kNN do, and reaches the tail', async () => {
    const { train: known, test } = splitRandomly(matrixFromTriplets(read('lastfm-hetrec').triplets), 0.2)
    const measure = (source: Parameters<typeof evaluate>[0]) => evaluate(source, { train: known, test, k: [20], pool })
    const [model, popular, neighbours] = [
      await measure(await train(known, { ...options, pool })),
      await measure(mostPopular(known)),
      await measure(itemNeighbours(known)),
    ]
    expect(model.at[20].recall).toBeGreaterThan(2 * popular.at[20].recall)
    expect(model.at[20].recall).toBeGreaterThan(neighbours.at[20].recall)
    expect(model.at[20].coverage).toBeGreaterThan(10 * popular.at[20].coverage)
    expect(model.at[20].gini).toBeLessThan(popular.at[20].gini)
    expect(popular.buckets[2].at[20].recall).toBe(0)
    expect(model.buckets[2].at[20].recall).toBeGreaterThan(0.005)
  })

  it('recommends to held-out users by fold-in nearly as well as to users it was trained on', async () => {
    const held = holdOutUsers(matrixFromTriplets(read('lastfm-hetrec').triplets), 300)
    const model = await train(held.train, { ...options, pool })
    const vectors = await foldInUsers(model, held.observed, { pool })
    await using recommender = new Recommender(model, { pool })
    const folded = {
      recommend: (users: Uint32Array, options: SourceOptions) => {
        expect(users).toEqual(Uint32Array.from({ length: 300 }, (_, user) => user))
        return recommender.recommendForVectors(vectors, options)
      },
    }
    const { at } = await evaluate(folded, { train: held.observed, test: held.test, k: [20] })
    const popular = await evaluate(mostPopular(held.observed), { train: held.observed, test: held.test, k: [20], pool })
    expect(at[20].recall).toBeGreaterThan(2 * popular.at[20].recall)
  })

  it('predicts later film ratings from earlier ones', async () => {
    const { columns, triplets } = read('ml-latest-small')
    const times = columns[3]
    const moment = Float64Array.from(times).sort()[Math.floor(0.8 * times.length)]
    const { train: known, test } = splitByTime(triplets, times, moment)
    expect(known.entries + test.entries).toBe(100_004)
    expect(known.entries / 100_004).toBeCloseTo(0.8, 2)
    const { at } = await evaluate(await train(known, { ...options, pool }), { train: known, test, k: [20], pool })
    expect(at[20].hitRate).toBeGreaterThan(0)
  })
})
