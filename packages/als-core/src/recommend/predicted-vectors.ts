import { checkFeatures, type FeatureMatrix, type FeatureNames } from '../features/feature-matrix.ts'
import type { FeatureRecord } from '../features/feature-names.ts'
import { sumFeatures } from '../features/feature-products.ts'
import type { AlsModel, FeatureVectors } from '../model/als-model.ts'

/** A feature matrix, or several that come one after the other. */
export type FeatureBatches = FeatureMatrix | Iterable<FeatureMatrix> | AsyncIterable<FeatureMatrix>

type Side = 'itemFeatures' | 'userFeatures'

/**
 * Vectors of items that the model has not seen, from their features alone: Bᵀg of each row, in the space of the model's item
 * factors. About 2 µs a row of 12 features with 128 factors; memory is that of one batch.
 *
 * @param features new items × the model's features, as `model.itemFeatures.vocabulary` makes them; or a stream of such matrices
 * @returns for each matrix its vectors, rows × factors, row-major. A row without features has zeros.
 * @throws RangeError when the model has no item features, or the columns are not the model's; MatrixError for what is wrong in a row
 */
export async function* itemVectors(
  model: Pick<AlsModel, 'factors' | 'itemFeatures'>,
  features: FeatureBatches,
): AsyncGenerator<Float32Array, void, undefined> {
  yield* predictBatches('itemFeatures', model, features)
}

/** The same for users: Aᵀf of each row. */
export async function* userVectors(
  model: Pick<AlsModel, 'factors' | 'userFeatures'>,
  features: FeatureBatches,
): AsyncGenerator<Float32Array, void, undefined> {
  yield* predictBatches('userFeatures', model, features)
}

/**
 * The vector of an item that the model has not seen, from its record in the catalogue: `vectorFor(model, { artists: ['…'],
 * styles: ['…'] })`. It takes a loaded model and microseconds; values that the model does not know add nothing.
 *
 * @returns factors values, zeros when none of the record's values is known
 * @throws RangeError when the model was trained without item features, or with ones that were not made of records
 */
export function vectorFor(model: Pick<AlsModel, 'factors' | 'itemFeatures'>, record: FeatureRecord): Float32Array {
  const { vocabulary, vectors } = featuresOf('itemFeatures', model)
  if (!vocabulary) {
    throw new RangeError(
      'The features of this model were not made of records: make them with featuresFrom, or take itemVectors for rows of your own.',
    )
  }
  const { indices, values } = vocabulary.rowOf(record, 'The record')
  const sum = new Float64Array(model.factors)
  sumFeatures(sum, { indices, values }, 0, indices.length, vectors)
  return new Float32Array(sum)
}

async function* predictBatches(
  side: Side,
  model: Pick<AlsModel, 'factors' | Side>,
  batches: FeatureBatches,
): AsyncGenerator<Float32Array, void, undefined> {
  const { names } = featuresOf(side, model)
  let checked: FeatureNames | undefined
  for await (const features of 'indptr' in batches ? [batches] : batches) {
    // A stream mostly has one list of names.
    if (features.names !== checked) checkSameFeatures(side, features, names)
    checked = features.names
    checkFeatures('features', features, features.rows, 'rows')
    yield predictVectors(side, model, features, new Float32Array(features.rows * model.factors))
  }
}

/** Bᵀg of the rows of a checked matrix to `predicted`, rows × factors. */
export function predictVectors<Buffer extends ArrayBufferLike>(
  side: Side,
  model: Pick<AlsModel, 'factors' | Side>,
  features: FeatureMatrix,
  predicted: Float32Array<Buffer>,
): Float32Array<Buffer> {
  const k = model.factors
  const { vectors } = featuresOf(side, model)
  const sum = new Float64Array(k)
  for (let row = 0; row < features.rows; row++) {
    sumFeatures(sum, features, features.indptr[row], features.indptr[row + 1], vectors)
    predicted.set(sum, row * k)
  }
  return predicted
}

/** @throws RangeError */
export function featuresOf(side: Side, model: Pick<AlsModel, Side>): FeatureVectors {
  const features = model[side]
  if (features) return features
  throw new RangeError(`The model has no ${side}: train it with ${side}, or leave features out here.`)
}

/** Columns mean something by their names alone. @throws RangeError naming the first that differs */
export function checkSameFeatures(side: Side, { features, names }: FeatureMatrix, expected: FeatureNames): void {
  if (features !== expected.length) {
    throw new RangeError(
      `The features have ${features} columns, the model's ${side} ${expected.length}: make them with the vocabulary of the model, model.${side}.vocabulary.`,
    )
  }
  if (names === expected) return
  for (let f = 0; f < features; f++) {
    if (names.at(f) === expected.at(f)) continue
    throw new RangeError(
      `Feature ${f} is ${JSON.stringify(names.at(f))}, in the model's ${side} ${JSON.stringify(expected.at(f))}: make them with the vocabulary of the model, model.${side}.vocabulary.`,
    )
  }
}
