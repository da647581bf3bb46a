import { mkdtempSync, rmSync } from 'node:fs'
import { tmpdir } from 'node:os'
import { join } from 'node:path'
import { afterAll, describe, expect, test } from 'vitest'
import {
  createWorkerPool,
  type InteractionMatrix,
  loadModel,
  matrixFromTriplets,
  Recommender,
  saveModel,
  type TrainOptions,
  train,
} from '../src/index.ts'
import { tight } from './contract.ts'
import { makeInteractions, makeModel, plainTop, random } from './recommend-model.ts'

/**
 * Every size at which the engine does something else, and what: below, at and above it the result must be the same as by
 * another way. Tests of their own: the batches of `interactionsFrom` (1,024), rows longer than the tile (train-contract),
 * int8 from 2.5 million numbers on (train-int8), gathers of features (feature-gather), arrays of 4 GiB (scale).
 */
interface TrainingThreshold {
  name: string
  sizes: readonly number[]
  users?: (n: number) => number
  items?: (n: number) => number
  /** Entries of the first user, and of the others: 12. */
  longest?: (n: number) => number
  others?: number
  factors?: (n: number) => number
  /** Distinct values. */
  values?: (n: number) => number
}

const same = (n: number) => n
const ofTraining: TrainingThreshold[] = [
  { name: 'rows solved at a time (96)', sizes: [95, 96, 97], users: same },
  { name: 'rows of a shard of a Gram matrix (512)', sizes: [511, 512, 1023, 1024, 1025], users: same },
  { name: 'rows of a shard to solve (4,096)', sizes: [4095, 4096, 4097], users: same },
  { name: 'entries of a shard to solve (16,384)', sizes: [1365, 1366], users: same },
  { name: 'entries gathered together (64)', sizes: [63, 64, 65], longest: same },
  {
    name: 'entries of a block of rows (32,768)',
    sizes: [32_767, 32_768, 32_769],
    longest: same,
    items: () => 33_000,
    // Enough to tell items apart that the first user has all of: else float32 cannot.
    others: 400,
  },
  { name: 'factors that are padded (8)', sizes: [1, 7, 8, 9, 16, 17], factors: same },
  { name: 'values of a codebook (256)', sizes: [255, 256, 257], values: same },
]

const pool = createWorkerPool({ threads: 2 })
const folder = mkdtempSync(join(tmpdir(), 'thresholds-'))
afterAll(async () => {
  rmSync(folder, { recursive: true })
  await pool.close()
})

describe.each(ofTraining)('training: $name', ({ sizes, users, items, longest, others, factors, values }) => {
  test.each(sizes)('%i', async (size) => {
    const matrix = matrixOf(
      users?.(size) ?? 150,
      items?.(size) ?? 300,
      longest?.(size) ?? 12,
      others ?? 12,
      values?.(size) ?? 5,
    )
    const options: TrainOptions = {
      factors: factors?.(size) ?? 8,
      iterations: 2,
      regularization: 0.1,
      momentum: 0,
      pool,
    }
    // Two iterations in float32; an entry that is lost or counted twice is a hundred times as much.
    const [cg, cholesky] = [
      await train(matrix, { ...options, ...tight }),
      await train(matrix, { ...options, solver: 'cholesky' }),
    ]
    for (const side of ['userFactors', 'itemFactors'] as const) {
      expect(distance(cg[side], cholesky[side]), side).toBeLessThan(3e-4)
    }
    expect(Math.abs(cg.history.at(-1)!.loss / cholesky.history.at(-1)!.loss - 1)).toBeLessThan(1e-5)
  })
})

describe.each([
  { name: 'queries ranked together (128)', sizes: [127, 128, 129], queries: same, items: () => 400 },
  { name: 'queries answered on this thread (16)', sizes: [15, 16, 17], queries: same, items: () => 400 },
  { name: 'rows of a panel (8)', sizes: [1, 7, 8, 9, 255, 256, 257], queries: () => 9, items: same },
])('ranking: $name', ({ sizes, queries, items }) => {
  test.each(sizes)('%i', async (size) => {
    const model = makeModel(queries(size), items(size), 24)
    await using recommender = new Recommender(model, { pool })
    const users = Array.from({ length: model.users }, (_, user) => user)
    const similar = users.map((user) => user % model.items)
    const lists = await recommender.recommend(users, { limit: 6 })
    const alike = await recommender.similarItems(similar, { limit: 6 })
    const vectorOf = (factors: Float32Array, row: number) => factors.subarray(24 * row, 24 * row + 24)
    for (const user of users) {
      const expected = plainTop(vectorOf(model.userFactors, user), model.itemFactors, 6)
      expect([...lists.at(user)!].map(({ row, score }) => ({ row, score }))).toEqual(expected)
      const item = similar[user]
      const others = { cosine: true, allowed: (row: number) => row !== item }
      const near = plainTop(vectorOf(model.itemFactors, item), model.itemFactors, 6, others)
      expect([...alike.at(user)!].map(({ row }) => row)).toEqual(near.map(({ row }) => row))
    }
  })
})

describe.each([
  { name: 'rows of a batch (65,536)', sizes: [65_535, 65_536, 65_537], users: same, perUser: 1 },
  { name: 'users of a batch of interactions (262,144)', sizes: [262_143, 262_144, 262_145], users: same, perUser: 2 },
  { name: 'entries of a batch of interactions (4,194,304)', sizes: [4_194_305], users: () => 2000, perUser: 2200 },
])('model files: $name', ({ sizes, users, perUser }) => {
  test.each(sizes)('%i', async (size) => {
    const model = makeModel(users(size), 9000, 1)
    const interactions = makeInteractions(model.users, model.items, perUser)
    const directory = join(folder, `${size}`)
    await saveModel(model, directory, { interactions })
    const loaded = await loadModel(directory)
    expect(Buffer.compare(bytesOf(loaded.userFactors), bytesOf(model.userFactors))).toBe(0)
    expect(Buffer.compare(bytesOf(loaded.interactions!.csr.indices), bytesOf(interactions.csr.indices))).toBe(0)
    for (const row of [0, 65_534, 65_535, 65_536, model.users - 1])
      expect(loaded.userIds!.at(row)).toBe(model.userIds!.at(row))
    expect(loaded.userIds!.length).toBe(model.users)
    rmSync(directory, { recursive: true })
  })
})

function matrixOf(users: number, items: number, longest: number, others: number, values: number): InteractionMatrix {
  const next = random(users + items + longest + values)
  const triplets = { rows: [] as number[], columns: [] as number[], values: [] as number[] }
  for (let user = 0; user < users; user++) {
    const count = user === 0 ? longest : others
    const start = Math.floor(items * next())
    // Distinct items, those of the first user all in a row.
    const step = user === 0 ? 1 : 7
    for (let n = 0; n < count; n++) {
      triplets.rows.push(user)
      triplets.columns.push((start + n * step) % items)
      triplets.values.push(1 + ((n + 13 * user) % values) / 64)
    }
  }
  return matrixFromTriplets({ users, items, ...triplets, duplicates: 'max' })
}

/** |a - b| / |b| */
function distance(a: Float32Array, b: Float32Array): number {
  let [difference, square] = [0, 0]
  for (let i = 0; i < b.length; i++) {
    difference += (a[i] - b[i]) ** 2
    square += b[i] ** 2
  }
  return Math.sqrt(difference / square)
}

function bytesOf({ buffer, byteOffset, byteLength }: Float32Array | Uint32Array): Buffer {
  return Buffer.from(buffer, byteOffset, byteLength)
}
