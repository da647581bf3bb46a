/** What every solver is held to: the solvers, settings that leave only rounding, and objectives. */
import type { ModelOptions, RegularizationScaling } from '../src/index.ts'
import type { Objective } from './reference.ts'

export const solvers = [
  { solver: 'cg', kernel: 'simd' },
  { solver: 'cg', kernel: 'relaxed' },
  { solver: 'cholesky' },
] satisfies Partial<ModelOptions>[]

export const tight = { tolerance: 1e-7, maxSteps: 400, gatherPrecision: 'float32' } as const

export function objectivesOf(
  ...some: [objective: Objective['objective'], scaling: RegularizationScaling, regularization: number][]
): Objective[] {
  return some.map(([objective, regularizationScaling, regularization]) => ({
    objective,
    unobservedWeight: objective === 'hkv' ? 1 : 0.1,
    alpha: objective === 'hkv' ? 3 : 1,
    regularization,
    regularizationScaling,
  }))
}
