/** What holds for every training holds with features: threads, their death, abort, checkpoints, warm starts. */
import { mkdtempSync, readdirSync, rmSync } from 'node:fs'
import { tmpdir } from 'node:os'
import { join } from 'node:path'
import { afterAll, describe, expect, it } from 'vitest'
import {
  type AlsModel,
  computeLoss,
  createWorkerPool,
  type FeatureMatrix,
  featuresFromCsr,
  splitRandomly,
  TrainingAborted,
  type TrainOptions,
  train,
  tune,
  type WorkerPool,
} from '../src/index.ts'
import type { ShardBoard } from '../src/pool/run-shards.ts'
import { trainWithin } from '../src/train/run-training.ts'
import { random } from './recommend-model.ts'
import { makeFeatures, makeMatrix } from './reference.ts'
import { same } from './training.ts'

const pool = createWorkerPool({ threads: 2 })
afterAll(() => pool.close())

const matrix = makeMatrix(
  Array.from({ length: 900 }, (_, user) => (user * 7) % 60),
  6000,
)
/** Enough entries and features for several shards of each. */
const itemFeatures = manyFeatures(6000, 9000)
const userFeatures = makeFeatures(900, 50, 4)
const features = { itemFeatures, userFeatures }
const options = {
  ...features,
  factors: 20,
  objective: 'ials',
  regularizationScaling: { nu: 1 },
  iterations: 4,
  pool,
} satisfies TrainOptions

const sameModel = (a: AlsModel, b: AlsModel): boolean =>
  same(a.userFactors, b.userFactors) &&
  same(a.itemFactors, b.itemFactors) &&
  same(a.userFeatures!.vectors, b.userFeatures!.vectors) &&
  same(a.itemFeatures!.vectors, b.itemFeatures!.vectors)
const losses = ({ history }: AlsModel): number[] => history.map(({ loss }) => loss)

const whole = await train(matrix, options)

describe('threads', () => {
  it.each([1, 3])('change no bit (%i)', async (threads) => {
    const model = await train(matrix, { ...options, pool: undefined, threads })
    expect(sameModel(model, whole)).toBe(true)
    expect(losses(model)).toEqual(losses(whole))
  })

  it.each(['rowResidualShards', 'gradientShards', 'rowProductShards', 'moveShards'])(
    'one that dies in %s changes no bit',
    async (task) => {
      let deaths = 0
      const own = createWorkerPool({ threads: 2 })
      const dying: WorkerPool = {
        ...own,
        run: (name, message) => {
          const result = own.run<never>(name, message)
          if (name !== task || deaths > 0) return result
          const { state } = (message as { board: ShardBoard }).board
          while (Atomics.load(state, 0) === 0);
          deaths++
          void own.piscina.threads[0].terminate()
          return result
        },
      }
      try {
        const model = await train(matrix, { ...options, pool: dying })
        expect(deaths).toBe(1)
        expect(sameModel(model, whole)).toBe(true)
        expect(losses(model)).toEqual(losses(whole))
      } finally {
        await own.close()
      }
    },
  )
})

describe('memories', () => {
  it('of less room, in which the columns are divided, change no bit', async () => {
    const model = await trainWithin(2 ** 20, matrix, options)
    expect(sameModel(model, whole)).toBe(true)
    expect(losses(model)).toEqual(losses(whole))
  })
})

describe('the loss', () => {
  it.each([
    { gatherPrecision: 'int8' },
    { gatherPrecision: 'int8', objective: 'hkv', regularizationScaling: 'none', regularization: 1 },
    { momentum: 5 },
  ] satisfies TrainOptions[])('never rises and is that of the model (%o)', async (more) => {
    const computed: number[] = []
    const model = await train(matrix, {
      ...options,
      ...more,
      iterations: 8,
      onIteration: async (_, model) => {
        const now = await model()
        computed.push(computeLoss(now, matrix, now.options, features))
      },
    })
    model.history.forEach(({ loss }, at) => {
      expect(Math.abs(loss / computed[at] - 1)).toBeLessThan(more.gatherPrecision === 'int8' ? 1e-4 : 1e-5)
      if (at > 0) expect(loss).toBeLessThan(model.history[at - 1].loss * (1 + 1e-5))
    })
    // Fits cost time, and say so.
    for (const { phases, seconds } of model.history) {
      expect(phases.features).toBeGreaterThan(0)
      expect(phases.features).toBeLessThan(seconds)
    }
  })
})

describe('abort', () => {
  it('in a fit gives the model so far, as at any other moment', async () => {
    const control = new AbortController()
    const error = await train(matrix, {
      ...options,
      signal: control.signal,
      onProgress: ({ iteration, phase }) => {
        if (iteration === 3 && phase === 'features') control.abort()
      },
    }).catch((error) => error)
    expect(error).toBeInstanceOf(TrainingAborted)
    const { model } = error as TrainingAborted
    expect(model!.history).toHaveLength(2)
    expect(model!.itemFeatures!.vectors.length).toBe(9000 * 20)
    const loss = computeLoss(model!, matrix, model!.options, features)
    expect(loss).toBeLessThan(whole.history[1].loss)
    expect(loss).toBeGreaterThan(whole.history[3].loss)
  })
})

describe('checkpoints', () => {
  const directory = mkdtempSync(join(tmpdir(), 'features-'))
  afterAll(() => rmSync(directory, { recursive: true }))

  it('resume to the same bits, and belong to one set of features', async () => {
    const checkpoint = { directory }
    await train(matrix, {
      ...options,
      checkpoint,
      onIteration: ({ iteration }) => (iteration === 2 ? 'stop' : undefined),
    })
    expect(readdirSync(directory).map((name) => name.replace(/-\w+/, ''))).toEqual([
      'before.bin',
      'checkpoint.json',
      'itemMap.bin',
      'items.bin',
      'userMap.bin',
      'users.bin',
    ])
    const resumed = await train(matrix, { ...options, checkpoint })
    expect(sameModel(resumed, whole)).toBe(true)
    expect(losses(resumed)).toEqual(losses(whole))
    expect(readdirSync(directory)).toHaveLength(6)

    const other = manyFeatures(6000, 9000, 12)
    await expect(train(matrix, { ...options, itemFeatures: other, checkpoint })).rejects.toThrow(
      'its features are different',
    )
    const { itemFeatures: _, userFeatures: __, ...plain } = options
    await expect(train(matrix, { ...plain, checkpoint })).rejects.toThrow('features were some, are now none')
    await expect(train(matrix, { ...options, featureRegularization: 3, checkpoint })).rejects.toThrow(
      'featureRegularization was undefined, is now 3',
    )
  })
})

describe('a warm start', () => {
  it('takes the maps by the names of the features', async () => {
    // The same features in reverse order of columns, one of them new.
    const names = Array.from({ length: 9000 }, (_, f) => (f === 8999 - 40 ? 'new' : itemFeatures.names.at(8999 - f)!))
    const reversed = featuresFromCsr({ ...itemFeatures, names, indices: itemFeatures.indices.map((f) => 8999 - f) })
    const start = await train(matrix, { ...options, itemFeatures: reversed, initial: whole, iterations: 0 })
    const vector = (model: AlsModel, f: number) => model.itemFeatures!.vectors.subarray(f * 20, (f + 1) * 20)
    expect(vector(start, 8999 - 3)).toEqual(vector(whole, 3))
    expect(vector(start, 8999 - 40)).toEqual(new Float32Array(20))
    const later = await train(matrix, { ...options, initial: whole, iterations: 1 })
    expect(later.history[0].loss).toBeLessThan(whole.history[3].loss * (1 + 1e-4))
  })
})

describe('validation and tune', () => {
  it('measure trainings with features, and search their regularization', async () => {
    const { train: known, test } = splitRandomly(matrix, 0.2)
    const model = await train(known, { ...options, validation: { matrix: test } })
    expect(model.history[0].validation).toBeGreaterThan(0)
    expect(model.itemFeatures!.names.length).toBe(9000)
    const { pool: _, iterations: __, ...base } = options
    const { options: best, runs } = await tune(known, {
      validation: test,
      base,
      space: { featureRegularization: { min: 0.1, max: 100, log: true } },
      trials: 3,
      iterations: { min: 1, max: 2 },
      pool,
    })
    expect(new Set(runs.map(({ parameters }) => parameters.featureRegularization)).size).toBe(3)
    expect(best.featureRegularization).toBe(runs[0].parameters.featureRegularization)
    expect(best.itemFeatures).toBe(itemFeatures)
  })
})

/** A dozen features a row, few of all and many of few rows. */
function manyFeatures(rows: number, features: number, seed = 9): FeatureMatrix {
  const next = random(seed)
  const csr = { indptr: [0], indices: [] as number[], values: [] as number[] }
  for (let row = 0; row < rows; row++) {
    const taken = new Set(Array.from({ length: 12 }, () => Math.floor(features * next() ** 2)))
    for (const feature of taken) {
      csr.indices.push(feature)
      csr.values.push(1 / Math.sqrt(taken.size))
    }
    csr.indptr.push(csr.indices.length)
  }
  return featuresFromCsr({ rows, names: Array.from({ length: features }, (_, f) => `feature ${f}`), ...csr })
}
