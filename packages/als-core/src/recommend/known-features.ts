import { OptionError } from '../checks/option-error.ts'
import type { FeatureRecord } from '../features/feature-names.ts'
import { sumFeatures } from '../features/feature-products.ts'
import type { FeatureRow } from '../features/feature-vocabulary.ts'
import type { AlsModel, FeatureVectors } from '../model/als-model.ts'
import { featuresOf } from './predicted-vectors.ts'

/** What is known of an item and of a user: records, where the model's features were made of records, or rows of features. */
export interface KnownFeatures {
  item?: FeatureRecord | FeatureRow
  user?: FeatureRecord | FeatureRow
}

export const KNOWN_NAMES: Readonly<Record<keyof KnownFeatures, true>> = { item: true, user: true }

/** A row of features with the vectors that the model learned of them. */
export interface KnownRow extends FeatureRow {
  readonly learned: FeatureVectors
}

/** @throws RangeError when the model has no such features; OptionError for a feature that it does not have */
export function knownRow(
  side: 'itemFeatures' | 'userFeatures',
  model: AlsModel,
  known: FeatureRecord | FeatureRow | undefined,
): KnownRow | undefined {
  if (known === undefined) return undefined
  const learned = featuresOf(side, model)
  if (!isRow(known)) {
    const { vocabulary } = learned
    if (vocabulary) return { ...vocabulary.rowOf(known), learned }
    throw new OptionError(
      `The ${side} of this model were not made of records: pass { indices, values }, a row of the features.`,
    )
  }
  const { indices, values } = known
  const { length } = learned.names
  const wrong = indices.findIndex((feature, n) => !(feature < length && Number.isFinite(values[n])))
  if (wrong < 0 && indices.length === values.length) return { indices, values, learned }
  throw new OptionError(
    wrong < 0
      ? `The row has ${indices.length} features and ${values.length} values, expected one for each.`
      : `The row has feature ${indices[wrong]} with ${values[wrong]}, expected one of 0 to ${length - 1} with a finite number.`,
  )
}

function isRow(known: FeatureRecord | FeatureRow): known is FeatureRow {
  return known.indices instanceof Uint32Array
}

/** Bᵀg, in float64. */
export function predictRow({ indices, values, learned }: KnownRow, k: number): Float64Array {
  const sum = new Float64Array(k)
  sumFeatures(sum, { indices, values }, 0, indices.length, learned.vectors)
  return sum
}

/** What a feature adds to a score. A class for the reason that `RankingMetrics` gives. */
export class FeatureContribution {
  /** As 'artists=Björk'. */
  readonly name: string
  readonly contribution: number

  constructor(name: string, contribution: number) {
    this.name = name
    this.contribution = contribution
  }
}

/** factor · g (b·direction) of each feature, largest first. */
export function featureContributions(
  { indices, values, learned: { names, vectors } }: KnownRow,
  direction: Float64Array,
  factor: number,
): FeatureContribution[] {
  const k = direction.length
  return Array.from(indices, (feature, n) => {
    let product = 0
    for (let i = 0; i < k; i++) product += vectors[feature * k + i] * direction[i]
    return new FeatureContribution(String(names.at(feature)), factor * values[n] * product)
  }).sort((a, b) => b.contribution - a.contribution)
}
