/** What the defaults promise, on real data: listening counts of Last.fm, if they are there. */
import { existsSync, readFileSync } from 'node:fs'
import { fileURLToPath } from 'node:url'
import { gunzipSync } from 'node:zlib'
import { afterAll, describe, expect, it } from 'vitest'
import {
  computeLoss,
  createWorkerPool,
  type InteractionMatrix,
  matrixFromTriplets,
  type TrainOptions,
  train,
  type WorkerPool,
} from '../src/index.ts'
import { random } from './recommend-model.ts'
import { makeMatrix } from './reference.ts'

const file = fileURLToPath(new URL('../../../../shared/data/lastfm-hetrec/interactions.tsv.gz', import.meta.url))
const present = existsSync(file)
if (!present) console.log(`Without ${file} the defaults are tested on made-up data alone.`)
const pool = createWorkerPool({ threads: 2 })
afterAll(() => pool.close())

const made = () =>
  makeMatrix(
    Array.from({ length: 400 }, (_, user) => (user * 7) % 90),
    800,
  )

describe.each(present ? ['lastfm', 'made'] : ['made'])('with the default tolerance on %s', (name) => {
  const matrix = name === 'lastfm' ? readListens().matrix : made()
  it.each([
    { alpha: 1 },
    { alpha: 10 },
    { objective: 'ials', unobservedWeight: 0.1, regularization: 0.005, regularizationScaling: { nu: 1 } },
  ] satisfies TrainOptions[])(
    'the loss is within 1e-4 of the exact solver after every iteration, %o',
    async (options) => {
      // Momentum moves along a path of its own in each solver's basis.
      const shared = { ...options, factors: 24, iterations: 4, momentum: 0, pool }
      const model = await train(matrix, shared)
      const exact = await train(matrix, { ...shared, solver: 'cholesky' })
      model.history.forEach(({ loss }, at) => {
        expect(loss / exact.history[at].loss - 1).toBeLessThan(1e-4)
        expect(loss / exact.history[at].loss - 1).toBeGreaterThan(-1e-3)
      })
      const last = model.history[3].loss
      expect(Math.abs(last / computeLoss(model, matrix, model.options) - 1)).toBeLessThan(1e-5)
    },
  )
})

describe.each(present ? ['lastfm', 'made'] : ['made'])('momentum on %s', (name) => {
  const matrix = name === 'lastfm' ? readListens().matrix : made()
  it.each([
    {},
    { alpha: 10 },
    { solver: 'cholesky', factors: 8 },
    { objective: 'ials', unobservedWeight: 0.1, regularization: 0.005, regularizationScaling: { nu: 1 } },
  ] satisfies TrainOptions[])(
    'the loss never rises, is that of the factors, and is below that of plain alternating least squares, %o',
    async (options) => {
      const losses: number[] = []
      const shared = { factors: 24, iterations: 10, pool, ...options }
      const model = await train(matrix, {
        ...shared,
        onIteration: async (_, model) => {
          losses.push(computeLoss(await model(), matrix, (await model()).options))
        },
      })
      const plain = await train(matrix, { ...shared, momentum: 0 })
      model.history.forEach(({ loss }, at) => {
        expect(Math.abs(loss / losses[at] - 1)).toBeLessThan(1e-5)
        if (at > 0) expect(loss).toBeLessThan(model.history[at - 1].loss * (1 + 1e-5))
        if (at < 2) expect(loss).toBe(plain.history[at].loss)
      })
      expect(model.history[9].loss).toBeLessThan(plain.history[9].loss)
    },
  )

  it('a move that raises the loss is undone', async () => {
    let halfSweeps = 0
    const counting: WorkerPool = {
      ...pool,
      run: (task, message) => {
        if (task === 'solveShards') halfSweeps++
        return pool.run(task, message)
      },
    }
    const options = { factors: 8, iterations: 12, momentum: 5 }
    const { history } = await train(matrix, { ...options, pool: counting })
    for (let at = 1; at < 12; at++) expect(history[at].loss).toBeLessThan(history[at - 1].loss * (1 + 1e-5))
    // On both threads, the users and the items of 12 iterations, and of those that were undone.
    expect(halfSweeps).toBeGreaterThan(2 * 24)
    expect(halfSweeps).toBeLessThanOrEqual(2 * 2 * 22)
  })
})

describe.skipIf(!present)('a nightly retrain', () => {
  it('needs three iterations instead of fifteen when a tenth of the users are new', async () => {
    const { triplets, users, items } = present ? readListens() : { triplets: [], users: 0, items: 0 }
    const next = random(11)
    const replaced = Array.from({ length: users }, () => next() < 0.1)
    // The earlier night has not seen them.
    const earlierUsers = Array.from({ length: users }, (_, user) => user).filter((user) => !replaced[user])
    const place = new Map(earlierUsers.map((user, row) => [user, row]))
    const kept = triplets.filter(([user]) => !replaced[user])
    const earlier = await train(
      build(
        kept.map(([u, i, v]) => [place.get(u)!, i, v]),
        earlierUsers.length,
        items,
      ),
      {
        factors: 32,
        pool,
        userIds: earlierUsers,
        itemIds: Array.from({ length: items }, (_, item) => item),
      },
    )
    const matrix = build(triplets, users, items)
    const ids = {
      userIds: Array.from({ length: users }, (_, user) => user),
      itemIds: Array.from({ length: items }, (_, item) => item),
    }
    const cold = await train(matrix, { factors: 32, pool, ...ids })
    const warm = await train(matrix, { factors: 32, pool, ...ids, initial: earlier, iterations: 3 })
    expect(warm.history[2].loss).toBeLessThanOrEqual(cold.history[14].loss * 1.001)
  })
})

function readListens() {
  const lines = gunzipSync(readFileSync(file))
    .toString()
    .trimEnd()
    .split('\n')
    .map((line) => line.split('\t').map(Number))
  const [users, items] = [0, 1].map((column) => {
    const rows = new Map<number, number>()
    for (const line of lines) if (!rows.has(line[column])) rows.set(line[column], rows.size)
    return rows
  })
  const triplets = lines.map(([user, item, plays]) => [users.get(user)!, items.get(item)!, Math.log2(1 + plays)])
  return { triplets, users: users.size, items: items.size, matrix: build(triplets, users.size, items.size) }
}

function build(triplets: number[][], users: number, items: number): InteractionMatrix {
  const [rows, columns, values] = [0, 1, 2].map((field) => triplets.map((triplet) => triplet[field]))
  return matrixFromTriplets({ users, items, rows, columns, values, duplicates: 'max' })
}
