/**
 * The search that the best known settings come from: settings drawn at random over ranges far wider than anybody's
 * advice, then drawn again near the best of them. It shares no code with `tune`. Everything measured is kept.
 */
import { appendFileSync, existsSync, mkdirSync, readFileSync } from 'node:fs'
import { evaluate, splitRandomly, type TrainOptions, train, type WorkerPool } from '@seesaw/als-core'
import type { TrainAndTest } from '../quality/data-sets.ts'
import { randomStream } from '../random-stream.ts'
import type { DataSet } from './data-sets.ts'

/** A point of the search, in units that mean the same on every matrix. */
export interface Point {
  objective: 'ials' | 'hkv'
  /** Weight of all pairs as unobserved over that of the entries of an average user, before weighting: α0·N / (n·ᾱ). */
  unobserved: number
  /** λ as it would be with ν = 1, where it is relative to the weight of a row. */
  lambda: number
  nu: number
  exponent: number
}

/** Recall@20 after so many iterations. */
export type Curve = Record<number, number>

export interface Trial {
  data: DataSet
  factors: number
  trial: number
  point: Point
  /** On a fifth of what is known, the rest trained on. */
  validation: Curve
  /** On the test part, all that is known trained on. */
  test?: Curve
}

const folder = new URL('../.cache/', import.meta.url)
const file = new URL('tune-search.jsonl', folder)
export const iterations = [6, 12] as const

export function keptTrials(data: DataSet, factors: number): Trial[] {
  if (!existsSync(file)) return []
  const trials = new Map<number, Trial>()
  for (const line of readFileSync(file, 'utf8').trimEnd().split('\n')) {
    const trial = JSON.parse(line) as Trial
    if (trial.data === data && trial.factors === factors)
      trials.set(trial.trial, { ...trials.get(trial.trial), ...trial })
  }
  return [...trials.values()]
}

export function keep(trial: Trial): void {
  mkdirSync(folder, { recursive: true })
  appendFileSync(file, `${JSON.stringify(trial)}\n`)
}

/** Draws `wide` points anywhere and `near` points near the best five of them, and tests the `tested` best by validation. */
export async function searchWidely(
  data: DataSet,
  { train: known, test }: TrainAndTest,
  { factors, wide, near, tested }: { factors: number; wide: number; near: number; tested: number },
  pool: WorkerPool,
  deadline: number = Number.POSITIVE_INFINITY,
): Promise<Trial[]> {
  const parts = splitRandomly(known, 0.2, { seed: 1 })
  // Every fifth of many users: the best of the search are then tested with all.
  const sampled = Uint32Array.from({ length: known.users }, (_, user) => user).filter(
    (user) => known.users < 10_000 || user % 5 === 0,
  )
  const trials = keptTrials(data, factors)
  const done = new Set(trials.map(({ trial }) => trial))
  for (let trial = 0; trial < wide + near && performance.now() < deadline; trial++) {
    if (done.has(trial)) continue
    const random = randomStream(5, trial)
    const point = trial < wide ? drawAnywhere(random) : drawNear(bestOf(trials)[Math.floor(5 * random())].point, random)
    const validation = await measure(parts, toOptions(point, parts.train, factors), pool, sampled)
    const measured = { data, factors, trial, point, validation }
    keep(measured)
    trials.push(measured)
  }
  for (const each of bestOf(trials).slice(0, tested)) {
    if (each.test || performance.now() > deadline) continue
    each.test = await measure({ train: known, test }, toOptions(each.point, known, factors), pool)
    keep(each)
  }
  return trials
}

export const top = (curve: Curve): number => Math.max(...Object.values(curve))
export const bestOf = (trials: Trial[]): Trial[] => [...trials].sort((a, b) => top(b.validation) - top(a.validation))

function drawAnywhere(random: () => number): Point {
  const log = (min: number, max: number) => Number((min * (max / min) ** random()).toPrecision(3))
  const point = {
    objective: random() < 0.75 ? ('ials' as const) : ('hkv' as const),
    unobserved: log(1, 300),
    lambda: log(1e-4, 0.3),
    nu: [0, 0.5, 1][Math.floor(3 * random())],
    exponent: random() < 0.25 ? 0 : Number((0.7 * random()).toFixed(2)),
  }
  // Beyond that λ outweighs what the entries of a user say, and all factors vanish.
  return point.lambda * (1 + point.unobserved) < 2 ? point : drawAnywhere(random)
}

function drawNear(point: Point, random: () => number): Point {
  const around = (value: number) => Number((value * 2.2 ** (2 * random() - 1)).toPrecision(3))
  return {
    ...point,
    unobserved: around(point.unobserved),
    lambda: around(point.lambda),
    nu: random() < 0.6 ? point.nu : [0, 0.5, 1][Math.floor(3 * random())],
    exponent: Math.max(0, Number((point.exponent + 0.2 * (random() - 0.5)).toFixed(2))),
  }
}

/** With 'hkv' all pairs weigh 1, so that the entries weigh more instead. */
export function toOptions(
  point: Point,
  matrix: {
    users: number
    items: number
    entries: number
    csr: { values: ArrayLike<number> }
    codebook?: ArrayLike<number>
  },
  factors: number,
): TrainOptions {
  const { objective, unobserved, lambda, nu, exponent } = point
  let sum = 0
  for (let e = 0; e < matrix.entries; e++) {
    const value = matrix.csr.values[e]
    sum += matrix.codebook ? matrix.codebook[value] : value
  }
  const perUser = matrix.entries / matrix.users
  const unobservedWeight = (unobserved * perUser) / matrix.items
  const scale = objective === 'ials' ? 1 : 1 / unobservedWeight
  const alpha = (scale * matrix.entries) / sum
  const alpha0 = objective === 'ials' ? unobservedWeight : 1
  // λ·w = λν·(n + α0N)^ν for the average user's weight w, times the scale of the objective.
  const regularization =
    (scale * lambda * (perUser + unobservedWeight * matrix.items)) / (perUser + alpha0 * matrix.items) ** nu
  return {
    factors,
    objective,
    alpha,
    ...(objective === 'ials' && { unobservedWeight }),
    regularization,
    regularizationScaling: { nu },
    popularityExponent: exponent,
    iterations: 12,
    tolerance: 0.1,
    maxSteps: 6,
  }
}

export async function measure(
  parts: TrainAndTest,
  options: TrainOptions,
  pool: WorkerPool,
  users?: ArrayLike<number>,
): Promise<Curve> {
  const curve: Curve = {}
  for (const iteration of iterations) curve[iteration] = 0
  try {
    await trainAndMeasure()
  } catch (error) {
    // Far out the factors vanish, and some systems cannot be solved.
    console.error(`${JSON.stringify(options)}: ${(error as Error).message}`)
  }
  return curve

  async function trainAndMeasure() {
    await train(parts.train, {
      ...options,
      pool,
      onIteration: async ({ iteration }, model) => {
        if (!(iterations as readonly number[]).includes(iteration)) return
        const { at } = await evaluate(await model(), { ...parts, k: 20, users, pool })
        curve[iteration] = Number(at[20].recall.toFixed(5))
      },
    })
  }
}
