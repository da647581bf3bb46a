import { OptionError } from '../checks/option-error.ts'
import { integer, number, oneOf, positive } from '../checks/values.ts'
import type { KernelName } from '../kernel/instantiate.ts'

/**
 * How strongly a row is regularised, n its number of entries: 'none' λ; 'count' λ·n (Spark's ALS, ALS-WR);
 * `{ nu }` λ·(n + α0·N)^ν with N the number of rows of the other side (Rendle et al. 2022).
 */
export type RegularizationScaling = 'none' | 'count' | { nu: number }

/** The options that determine the factors; saved with the model. */
export interface ModelOptions {
  /** Length k of a factor vector. Default 128, or that of `initial`. */
  factors: number
  /** Iterations, each a half-sweep over the users and one over the items. Default 15. */
  iterations: number
  /** L2 penalty λ. Default 0.01, as in the Python library implicit. */
  regularization: number
  /** How λ grows with a row's entries. Default 'none'. */
  regularizationScaling: RegularizationScaling
  /** Confidence of an entry of value r is α·|r|. Default 1. */
  alpha: number
  /**
   * 'hkv' (default): Σ c (p - x·y)² over all pairs, c = 1 and p = 0 where nothing was observed (Hu, Koren, Volinsky 2008).
   * 'ials': Σ c (1 - x·y)² over the observed plus α0 Σ (x·y)² over all pairs (Rendle et al. 2022).
   */
  objective: 'hkv' | 'ials'
  /** α0 of 'ials': the weight of every pair as if unobserved. Default 0.1; for 'hkv' it is 1 and cannot be set. */
  unobservedWeight: number
  /** 'cg': conjugate gradients in WebAssembly. 'cholesky': exact float64 solves in TypeScript, slow; the reference. */
  solver: 'cg' | 'cholesky'
  /**
   * A row whose squared residual is below tolerance² of its explained objective takes one last step, at half the cost.
   * Default 0.005: with it the loss stays within 1e-4 of the exact solver's after every iteration, see the README.
   */
  tolerance: number
  /**
   * β: from the third iteration on the items move on by β times their last change before the users are solved, unless that
   * raises the loss. Default 0.8, see the README; 0 is plain alternating least squares.
   */
  momentum: number
  /** Maximum number of conjugate-gradient steps per row and half-sweep. Default 20, which few rows reach. */
  maxSteps: number
  /**
   * Precision of the copy of the fixed side that a half-sweep reads at random. 'int8', quantized with a scale per row, is a
   * quarter of the memory traffic, which is what the solver waits for; use 'float32' for tolerances below 1e-3. 'auto' (default)
   * is int8 from 2.5 million factors on the larger side: a smaller copy fits the caches, and over many rows rounding averages out.
   */
  gatherPrecision: 'auto' | 'int8' | 'float32'
  /**
   * e: the values of an item of n entries are multiplied by a weight in proportion to n^-e, which keeps their mean. Default
   * 0, no weights; 0.25 is worth 0.004 of Recall@20 on Gowalla and Amazon CDs (docs/quality.md). From 0 to 1.
   */
  popularityExponent: number
  /**
   * λ_B: penalty on the map from features to factors. Default, with features: the mean λ of the rows that have entries, on each
   * side, which weighs a feature's vector of zero like one row that has it. Larger: features of few rows say less.
   */
  featureRegularization?: number
  /** Decides the start. Default 42. */
  seed: number
  /** Which build of the kernel. Default: 'relaxed' where the engine supports it. */
  kernel?: KernelName
}

export const MODEL_OPTION_NAMES: Readonly<Record<keyof ModelOptions, true>> = {
  factors: true,
  iterations: true,
  regularization: true,
  regularizationScaling: true,
  alpha: true,
  objective: true,
  unobservedWeight: true,
  solver: true,
  tolerance: true,
  momentum: true,
  maxSteps: true,
  gatherPrecision: true,
  popularityExponent: true,
  featureRegularization: true,
  seed: true,
  kernel: true,
}

/** Fills in the defaults and checks what a model depends on. @throws OptionError naming the option. */
export function resolveModelOptions(options: Partial<ModelOptions>): ModelOptions {
  const objective = options.objective ?? 'hkv'
  if (objective !== 'hkv' && objective !== 'ials') {
    throw new OptionError(`objective is ${JSON.stringify(objective)}, expected 'hkv' or 'ials'.`)
  }
  if (objective === 'hkv' && options.unobservedWeight !== undefined && options.unobservedWeight !== 1) {
    throw new OptionError(
      `unobservedWeight is ${options.unobservedWeight}, but objective 'hkv' fixes it at 1: choose objective 'ials', or leave it out.`,
    )
  }
  const resolved: ModelOptions = {
    factors: integer('factors', options.factors ?? 128, 1, 4096),
    iterations: integer('iterations', options.iterations ?? 15, 0, 1_000_000),
    regularization: number('regularization', options.regularization ?? 0.01, 0),
    regularizationScaling: scaling(options.regularizationScaling ?? 'none'),
    alpha: positive('alpha', options.alpha ?? 1),
    objective,
    unobservedWeight: objective === 'hkv' ? 1 : number('unobservedWeight', options.unobservedWeight ?? 0.1, 0),
    solver: oneOf('solver', options.solver ?? 'cg', ['cg', 'cholesky']),
    tolerance: number('tolerance', options.tolerance ?? 0.005, 0),
    momentum: number('momentum', options.momentum ?? 0.8, 0),
    maxSteps: integer('maxSteps', options.maxSteps ?? 20, 1, 10_000),
    gatherPrecision: oneOf('gatherPrecision', options.gatherPrecision ?? 'auto', ['auto', 'int8', 'float32']),
    popularityExponent: number('popularityExponent', options.popularityExponent ?? 0, 0, 1),
    seed: integer('seed', options.seed ?? 42, 0, 2 ** 32 - 1),
  }
  if (options.featureRegularization !== undefined) {
    resolved.featureRegularization = positive('featureRegularization', options.featureRegularization)
  }
  if (options.kernel !== undefined) resolved.kernel = oneOf<KernelName>('kernel', options.kernel, ['relaxed', 'simd'])
  return resolved
}

function scaling(value: RegularizationScaling): RegularizationScaling {
  if (value === 'none' || value === 'count') return value
  if (typeof value === 'object' && value !== null && Number.isFinite(value.nu)) return { nu: value.nu }
  throw new OptionError(
    `regularizationScaling is ${JSON.stringify(value)}, expected 'none', 'count' or { nu: a finite number }.`,
  )
}
