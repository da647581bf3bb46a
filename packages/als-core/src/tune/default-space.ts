import { rowRandom } from '../evaluate/row-random.ts'
import type { TrainOptions } from '../train/options.ts'
import type { MatrixShape } from './matrix-shape.ts'
import type { Parameters } from './parameters.ts'
import { recommendedSettings } from './recommended-options.ts'
import { type RelativeSettings, toParameters } from './relative-settings.ts'

/**
 * The parameters of a trial in the space that data of this shape need: trial 0 is what `recommendedOptions` gives, the
 * others lie around it, evenly (an additive recurrence with the generalised golden ratio; Roberts 2018). What `base`
 * decides is not varied.
 */
export function drawAround(shape: MatrixShape, base: TrainOptions, seed: number, trial: number): Parameters {
  const objective = base.objective ?? (base.unobservedWeight === undefined ? undefined : 'ials')
  const center = recommendedSettings(shape, { ...base, objective })
  const start = rowRandom(seed, 0)
  const [a, b, c, d, e, f] = RATIOS.map((ratio) => (start() + trial * ratio) % 1)
  const around = (value: number, at: number) => value * SPREAD ** (2 * at - 1)
  const settings: RelativeSettings =
    trial === 0
      ? center
      : {
          objective: objective ?? (c < 0.8 ? 'ials' : 'hkv'),
          factors: base.factors ?? (d < 0.5 ? center.factors : Math.max(8, center.factors / 2)),
          unobserved: around(center.unobserved, a),
          lambda: around(center.lambda, b),
          nu: e < 0.7 ? 1 : 0.5,
          exponent: Number((0.5 * f).toFixed(2)),
        }
  const parameters = toParameters(settings, shape)
  return Object.fromEntries(
    Object.entries(parameters).filter(([name]) => {
      const option = name === 'nu' ? 'regularizationScaling' : name
      return base[option as keyof TrainOptions] === undefined
    }),
  )
}

/** φ^-1 ... φ^-6 with φ the root of φ^7 = φ + 1. */
const RATIOS = [1, 2, 3, 4, 5, 6].map((power) => 1.1127756842787055 ** -power)

/** Weights and λ are drawn between their recommended value divided by this, and times this. */
const SPREAD = 3
