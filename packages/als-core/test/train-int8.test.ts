/** The fixed side as int8 beside the same in float32. */
import { afterAll, describe, expect, it } from 'vitest'
import {
  type AlsModel,
  computeLoss,
  createWorkerPool,
  type InteractionMatrix,
  RowError,
  type TrainOptions,
  train,
} from '../src/index.ts'
import { makeMatrix } from './reference.ts'
import { matrix } from './training.ts'

const pool = createWorkerPool({ threads: 2 })
afterAll(() => pool.close())

const ials = {
  objective: 'ials',
  unobservedWeight: 0.1,
  regularization: 0.005,
  regularizationScaling: { nu: 1 },
} as const

describe.each(['relaxed', 'simd'] as const)('int8, kernel %s', (kernel) => {
  // Among them factors that fill no whole vector, and so many that int32 limits the codes of a vector.
  it.each([
    [{ factors: 1 }, 1e-4],
    [{ factors: 13 }, 1e-4],
    [{ factors: 64 }, 3e-4],
    [{ factors: 48, alpha: 40 }, 3e-4],
    [{ factors: 64, ...ials }, 3e-4],
    [{ factors: 536, regularization: 1 }, 3e-4],
    [{ factors: 48, ...ials, regularizationScaling: 'count' }, 3e-4],
  ] satisfies [TrainOptions, number][])('has nearly the loss of float32, and reports it, %o', async (options, most) => {
    const { coarse, fine } = await both(matrix, { ...options, kernel })
    coarse.history.forEach(({ loss }, at) => {
      expect(Math.abs(loss / fine.history[at].loss - 1)).toBeLessThan(most)
    })
    const { loss } = coarse.history[coarse.history.length - 1]
    expect(Math.abs(loss / computeLoss(coarse, matrix, coarse.options) - 1)).toBeLessThan(most)
  })

  it('solves rows longer than the copied ones and than a scratch area', async () => {
    // At 32 factors a row of more than 4,096 entries is copied, one of more than 32,768 is streamed.
    const long = makeMatrix([40_000, 6_000, 3, 0, ...Array.from({ length: 60 }, (_, user) => 20 + user)], 60_000)
    const { coarse, fine } = await both(long, { factors: 32, kernel })
    for (const user of [0, 1]) {
      const [a, b] = [coarse, fine].map(({ userFactors }) => userFactors.subarray(user * 32, user * 32 + 32))
      expect(distance(a, b) / Math.hypot(...b)).toBeLessThan(0.02)
    }
    expect([...coarse.userFactors.subarray(3 * 32, 4 * 32)].every((value) => value === 0)).toBe(true)
  })

  it.each(['hkv', 'ials'] as const)('reports a row whose values are beyond float32, %s', async (objective) => {
    const options = {
      objective,
      factors: 8,
      alpha: 1e38,
      iterations: 1,
      gatherPrecision: 'int8',
      kernel,
      pool,
    } as const
    await expect(train(matrix, options)).rejects.toThrow(RowError)
  })
})

async function both(matrix: InteractionMatrix, options: TrainOptions): Promise<{ coarse: AlsModel; fine: AlsModel }> {
  const shared = { ...options, iterations: 3, pool, tolerance: 1e-3, maxSteps: 50 }
  return {
    coarse: await train(matrix, { ...shared, gatherPrecision: 'int8' }),
    fine: await train(matrix, { ...shared, gatherPrecision: 'float32' }),
  }
}

function distance(a: Float32Array, b: Float32Array): number {
  return Math.hypot(...a.map((value, at) => value - b[at]))
}
