import { appendFileSync, mkdtempSync, readFileSync, rmSync } from 'node:fs'
import { tmpdir } from 'node:os'
import { join } from 'node:path'
import { afterAll, beforeAll, describe, expect, it } from 'vitest'
import {
  createWorkerPool,
  evaluate,
  matrixFromCsr,
  matrixFromTriplets,
  recommendedOptions,
  splitRandomly,
  type TrainOptions,
  type TuneOptions,
  type TuneRun,
  train,
  tune,
  tuneTable,
  type WorkerPool,
} from '../src/index.ts'
import { toTrainOptions } from '../src/tune/parameters.ts'
import { random } from './recommend-model.ts'

/** Users of two tastes: each likes mostly the items of one half. */
function tastes(users: number, items: number) {
  const next = random(11)
  const rows: number[] = []
  const columns: number[] = []
  for (let user = 0; user < users; user++) {
    for (let i = 0; i < 16; i++) {
      const half = next() < 0.9 ? user % 2 : 1 - (user % 2)
      rows.push(user)
      columns.push(2 * Math.floor((items / 2) * next() ** 2) + half)
    }
  }
  return matrixFromTriplets({ users, items, rows, columns, duplicates: 'max' })
}

const { train: matrix, test } = splitRandomly(tastes(200, 120), 0.2)
const folder = mkdtempSync(join(tmpdir(), 'tune-'))
let pool: WorkerPool
beforeAll(() => {
  pool = createWorkerPool({ threads: 2 })
})
afterAll(async () => {
  rmSync(folder, { recursive: true })
  await pool.close()
})

describe('train with validation', () => {
  it('measures each iteration, stops when nothing improves and keeps the best', async () => {
    const values: number[] = []
    const model = await train(matrix, {
      factors: 16,
      iterations: 40,
      regularization: 0.001,
      pool,
      validation: {
        matrix: test,
        metric: 'recall',
        k: 10,
        patience: 2,
        onMetrics: ({ validation }) => values.push(validation!),
      },
    })
    const best = values.indexOf(Math.max(...values)) + 1
    expect(values.length).toBe(best + 2)
    expect(values.length).toBeLessThan(40)
    expect(model.history.length).toBe(best)
    expect(model.history.map(({ validation }) => validation)).toEqual(values.slice(0, best))
    const { at } = await evaluate(model, { train: matrix, test, k: [10], pool })
    expect(at[10].recall).toBe(values[best - 1])
  })

  it('killed after its best iteration and resumed, keeps that iteration', async () => {
    const directory = mkdtempSync(join(folder, 'checkpoint-'))
    const options = { factors: 16, iterations: 40, regularization: 0.001, pool }
    const validation = { matrix: test, metric: 'recall', k: 10, patience: 3 } as const
    const whole = await train(matrix, { ...options, validation })
    const best = whole.history.length
    const controller = new AbortController()
    const onIteration = ({ iteration }: { iteration: number }) => {
      if (iteration === best + 2) controller.abort()
    }
    const interrupted = { ...options, validation, checkpoint: { directory } }
    await expect(train(matrix, { ...interrupted, signal: controller.signal, onIteration })).rejects.toThrow(/aborted/)
    const resumed: number[] = []
    const model = await train(matrix, {
      ...interrupted,
      validation: { ...validation, onMetrics: ({ iteration }) => resumed.push(iteration) },
    })
    expect(resumed).toEqual([best + 3])
    expect(model.history.map(({ validation }) => validation)).toEqual(whole.history.map(({ validation }) => validation))
    expect(model.itemFactors).toEqual(whole.itemFactors)
    expect(model.userFactors).toEqual(whole.userFactors)
  })

  it('names what is wrong', async () => {
    const other = tastes(20, 30)
    await expect(train(matrix, { validation: { matrix: other } })).rejects.toThrow(
      'validation.matrix is 20×30, expected 200×120',
    )
    await expect(train(matrix, { validation: { matrix: test, patience: 0 } })).rejects.toThrow(
      'validation.patience is 0',
    )
  })
})

describe('tune', () => {
  const options = (): TuneOptions => ({
    validation: test,
    space: { factors: [2, 8], regularization: { min: 0.001, max: 100, log: true }, nu: { min: 0, max: 1 } },
    base: { objective: 'ials', unobservedWeight: 0.1 },
    trials: 9,
    iterations: { min: 1, max: 9 },
    k: 10,
    pool,
  })
  const outcome = (runs: TuneRun[]) => runs.map(({ seconds, ...rest }) => rest)

  it('halves by thirds, and its best options reproduce the best value', async () => {
    const { best, options: chosen, runs } = await tune(matrix, options())
    expect(runs.map(({ iterations }) => iterations)).toEqual([9, 3, 3, 3, ...Array(9).fill(1)])
    const first = runs.filter(({ iterations }) => iterations === 1)
    expect(
      runs
        .slice(1, 4)
        .map(({ trial }) => trial)
        .sort(),
    ).toEqual(
      first
        .slice(0, 3)
        .map(({ trial }) => trial)
        .sort(),
    )
    expect(first.map(({ value }) => value)).toEqual(first.map(({ value }) => value).sort((a, b) => b - a))
    const { at } = await evaluate(await train(matrix, { ...chosen, pool }), { train: matrix, test, k: [10], pool })
    expect(at[10].ndcg).toBe(best.value)
    expect(tuneTable({ runs }).split('\n')).toHaveLength(2 + 13)
  })

  it('resumes from its journal with the same result', async () => {
    const journal = join(folder, 'search.jsonl')
    const whole = await tune(matrix, options())
    const stop = new AbortController()
    let count = 0
    const interrupted = tune(matrix, {
      ...options(),
      journal,
      signal: stop.signal,
      onRun: () => ++count === 5 && stop.abort(),
    })
    await expect(interrupted).rejects.toThrow('aborted')
    appendFileSync(journal, '{"trial": 7, "cut off')
    let resumed = 0
    const again = await tune(matrix, {
      ...options(),
      journal,
      onRun: (_, kept) => {
        resumed += Number(kept)
      },
    })
    expect(resumed).toBe(5)
    expect(outcome(again.runs)).toEqual(outcome(whole.runs))
    expect(readFileSync(journal, 'utf8').trimEnd().split('\n')).toHaveLength(1 + 13)
    await expect(tune(matrix, { ...options(), seed: 1, journal })).rejects.toThrow(
      'is the journal of a different search',
    )
  })

  const known = tastes(200, 120)
  const little = { trials: 6, iterations: { min: 1, max: 3 }, k: 10 }

  it('with nothing but the matrix makes its own validation part and searches around what its shape recommends', async () => {
    const { best, runs, options: chosen, users } = await tune(known, { ...little, pool })
    const parts = splitRandomly(known, 0.2)
    expect(runs.map(({ iterations }) => iterations)).toEqual([3, 3, 1, 1, 1, 1, 1, 1])
    const { options: recommended } = recommendedOptions(known)
    expect(toTrainOptions(runs.find(({ trial }) => trial === 0)!.parameters)).toEqual({
      ...recommended,
      iterations: undefined,
    })
    const drawn = runs.filter(({ iterations }) => iterations === 1).map(({ parameters }) => parameters)
    for (const name of ['objective', 'factors', 'regularization', 'alpha', 'nu', 'popularityExponent'] as const) {
      expect(new Set(drawn.map((parameters) => parameters[name])).size, name).toBeGreaterThan(1)
    }
    const { at } = await evaluate(await train(parts.train, { ...chosen, pool }), { ...parts, k: [10], pool })
    expect(at[10].ndcg).toBe(best.value)
    const finalists = new Set(runs.filter(({ iterations }) => iterations === 3).map(({ trial }) => trial))
    expect(best.value).toBe(Math.max(...runs.filter(({ trial }) => finalists.has(trial)).map(({ value }) => value)))
    expect(users.warm).toBe(at[10].users)
  })

  it('leaves alone what is decided already', async () => {
    const base: TrainOptions = { factors: 5, objective: 'hkv', regularizationScaling: 'count', popularityExponent: 0.1 }
    const { runs, options: chosen } = await tune(known, { ...little, base, pool })
    expect(chosen).toMatchObject(base)
    expect(new Set(runs.flatMap(({ parameters }) => Object.keys(parameters)))).toEqual(
      new Set(['alpha', 'regularization']),
    )
    const { runs: ials } = await tune(known, { ...little, base: { factors: 5, unobservedWeight: 0.03 }, pool })
    expect(new Set(ials.map(({ parameters }) => parameters.objective))).toEqual(new Set(['ials']))
  })

  it('the next night starts from the best of the last, and draws on where that stopped', async () => {
    const journal = join(folder, 'nightly', 'tune.jsonl')
    const first = await tune(known, { ...little, pool, journal })
    const second = await tune(tastes(200, 122), { ...little, pool, journal })
    const firstRound = second.runs.filter(({ iterations }) => iterations === 1).sort((a, b) => a.trial - b.trial)
    expect(firstRound).toHaveLength(3 + 2)
    const best = [...new Map(first.runs.map(({ trial, parameters }) => [trial, parameters])).values()].slice(0, 3)
    expect(firstRound.slice(0, 3).map(({ parameters }) => parameters)).toEqual(best)
    const seen = new Set(first.runs.map(({ parameters }) => JSON.stringify(parameters)))
    expect(firstRound.slice(3).filter(({ parameters }) => seen.has(JSON.stringify(parameters)))).toEqual([])
    // The same night again: everything is there.
    let resumed = 0
    const again = await tune(tastes(200, 122), {
      ...little,
      pool,
      journal,
      onRun: (_, kept) => {
        resumed += Number(kept)
      },
    })
    expect(resumed).toBe(second.runs.length)
    expect(again.runs).toEqual(second.runs)
  })

  it('a trial whose systems cannot be solved is last, and says why', async () => {
    const { runs, best } = await tune(matrix, {
      ...options(),
      base: { factors: 8, objective: 'ials', unobservedWeight: 0, regularizationScaling: { nu: 1 } },
      space: { regularization: [0, 0.01] },
    })
    const failed = runs.filter(({ failure }) => failure !== undefined)
    expect(failed.length).toBeGreaterThan(0)
    expect(failed.every(({ parameters, value }) => parameters.regularization === 0 && value === 0)).toBe(true)
    expect(best.parameters.regularization).toBe(0.01)
    expect(tuneTable({ runs })).toContain('failed')
    await expect(
      tune(matrix, {
        ...options(),
        base: { factors: 8, objective: 'ials', unobservedWeight: 0, regularization: 0 },
        space: {},
      }),
    ).rejects.toThrow(/All 9 trials failed: /)
  })

  it('names what is wrong', async () => {
    await expect(tune(matrix, { ...options(), trials: 0 })).rejects.toThrow('trials is 0, expected a positive integer.')
    await expect(tune(matrix, { ...options(), eta: 1 })).rejects.toThrow('eta is 1')
    await expect(tune(matrix, { ...options(), space: { alpha: [] } })).rejects.toThrow(
      'alpha has no values to choose from.',
    )
    await expect(tune(matrix, { ...options(), space: { alpha: { min: 2, max: 1 } } })).rejects.toThrow(
      'alpha: min is 2 and max 1',
    )
    await expect(tune(matrix, { ...options(), iterations: { min: 3, max: 2 } })).rejects.toThrow('iterations.max is 2')
    await expect(tune(matrix, { ...options(), space: { factor: [8] } as never })).rejects.toThrow(
      'space has no option factor: did you mean factors?',
    )
  })

  it('says that a whole load, or nothing, is no matrix', async () => {
    const load = { matrix, userIds: [], itemIds: [] } as never
    const message = 'The matrix is an object that has one: pass its `matrix`'
    await expect(tune(load)).rejects.toThrow(message)
    await expect(tune(matrix, { validation: load })).rejects.toThrow(message)
    await expect(train(load)).rejects.toThrow(message)
    expect(() => recommendedOptions(load)).toThrow(message)
    expect(() => recommendedOptions(undefined as never)).toThrow(
      'The matrix is undefined, expected one of interactionsFrom',
    )
    expect(() => recommendedOptions({} as never)).toThrow('The matrix is {}, expected')
    expect(() => recommendedOptions(matrix, { factor: 8 } as never)).toThrow('recommendedOptions has no option factor')
  })
})

describe('recommendedOptions', () => {
  it('follows the shape of the data alone, with a reason for each option', () => {
    const small = recommendedOptions(tastes(200, 120))
    expect(Object.keys(small.reasons).sort()).toEqual(Object.keys(small.options).sort())
    expect(Object.values(small.reasons).every((reason) => reason.endsWith('.'))).toBe(true)
    // Twice the values: half the alpha, and otherwise the same.
    const { csr, codebook, users, items } = tastes(200, 120)
    const doubled = Float32Array.from({ length: csr.indices.length }, (_, e) => 2 * (codebook?.[csr.values[e]] ?? 1))
    const { indptr, indices } = csr
    const { options } = recommendedOptions(matrixFromCsr({ users, items, indptr, indices, values: doubled }))
    expect(options).toEqual({ ...small.options, alpha: small.options.alpha! / 2 })
    // Ten times the items, with as many entries of each user: the same weight of all unobserved pairs together.
    const sparse = recommendedOptions(tastes(2000, 1200))
    expect(sparse.options.factors).toBeGreaterThan(small.options.factors!)
    expect(sparse.options.unobservedWeight!).toBeLessThan(small.options.unobservedWeight! / 5)
    expect(recommendedOptions(tastes(200, 120), { factors: 7 }).options.factors).toBe(7)
  })

  it('says where a few large values decide', () => {
    const values = Array.from({ length: 99 }, (_, e) => (e < 3 ? 10_000 : 1))
    const columns = Array.from({ length: 99 }, (_, e) => e)
    const skewed = matrixFromTriplets({ users: 1, items: 99, rows: columns.map(() => 0), columns, values })
    expect(recommendedOptions(skewed).reasons.alpha).toContain('Logarithms of the values are likely better.')
    expect(recommendedOptions(matrix).reasons.alpha).not.toContain('Logarithms')
  })

  it('needs entries', () => {
    const none = matrixFromTriplets({ users: 2, items: 2, rows: [], columns: [] })
    expect(() => recommendedOptions(none)).toThrow('The matrix has no entries')
  })
})
