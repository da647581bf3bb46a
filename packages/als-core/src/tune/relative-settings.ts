import type { MatrixShape } from './matrix-shape.ts'
import type { Parameters } from './parameters.ts'

/** Settings in units that mean about the same on every matrix. */
export interface RelativeSettings {
  readonly objective: 'ials' | 'hkv'
  readonly factors: number
  /** Weight of all items as unobserved, in multiples of that of an average user's entries. */
  readonly unobserved: number
  /** λ in multiples of the weight of an average user's row, as with ν = 1. */
  readonly lambda: number
  readonly nu: number
  readonly exponent: number
}

/**
 * As options of `train`. An average entry has confidence 1 with 'ials', whose unobserved pairs weigh α0; with 'hkv' they
 * weigh 1, so everything is 1/α0 times as much.
 */
export function toParameters(settings: RelativeSettings, { items, perUser, meanValue }: MatrixShape): Parameters {
  const { objective, factors, unobserved, lambda, nu, exponent } = settings
  const ials = objective === 'ials'
  const unobservedWeight = (unobserved * perUser) / items
  const scale = ials ? 1 : 1 / unobservedWeight
  const alpha0 = ials ? unobservedWeight : 1
  // λ·w = λν·(n + α0·N)^ν for an average user, whose row has the weight w = n + α0·N of 'ials'.
  const regularization = (scale * lambda * (perUser + unobservedWeight * items)) / (perUser + alpha0 * items) ** nu
  return {
    objective,
    factors,
    alpha: rounded(scale / meanValue),
    ...(ials && { unobservedWeight: rounded(unobservedWeight) }),
    regularization: rounded(regularization),
    nu,
    popularityExponent: exponent,
  }
}

/** To three digits: more would pretend to matter. */
function rounded(value: number): number {
  return Number(value.toPrecision(3))
}
