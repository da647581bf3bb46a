import { describe, expect, it } from 'vitest'
import { matrixFromTriplets, train } from '../src/index.ts'

describe('factors that vanish under too strong a regularization', () => {
  const users = 200
  const rows = Array.from({ length: users * 20 }, (_, at) => Math.floor(at / 20))
  const columns = rows.map((user, at) => (user * 7 + (at % 20) * 13) % 300)
  const matrix = matrixFromTriplets({ users, items: 300, rows, columns, values: rows.map(() => 1) })

  it.each([
    { regularization: 100, regularizationScaling: 'count' },
    { regularization: 20, regularizationScaling: { nu: 1 } },
    { regularization: 1e15, regularizationScaling: { nu: 0.5 }, objective: 'ials' },
  ] as const)('say so, and to lower it: $regularization, $regularizationScaling', async (options) => {
    const error = await train(matrix, { ...options, factors: 8, threads: 1, iterations: 15 }).catch((error) => error)
    expect(error.name).toBe('SingularError')
    expect(error.message).toContain(`regularization ${options.regularization} outweighs every interaction`)
    expect(error.message).toMatch(/The factors have vanished.*Lower regularization/)
    expect(error.message).not.toMatch(/raise regularization/i)
  })
})
