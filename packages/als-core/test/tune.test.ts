import { appendFileSync, mkdtempSync, readFileSync, rmSync } from 'node:fs'
import { tmpdir } from 'node:os'
import { join } from 'node:path'
import { afterAll, beforeAll, describe, expect, it } from 'vitest'
import {
  createWorkerPool,
  evaluate,
  matrixFromTriplets,
  splitRandomly,
  type TuneOptions,
  type TuneRun,
  train,
  tune,
  tuneTable,
  type WorkerPool,
} from '../src/index.ts'
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
  })
})
