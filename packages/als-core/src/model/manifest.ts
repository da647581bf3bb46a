import type { SavedVocabulary } from '../features/feature-vocabulary.ts'
import type { PopularityWeights } from '../matrix/weight-items.ts'
import type { IterationReport } from './als-model.ts'
import type { ModelOptions } from './options.ts'

/** The name of the manifest in a model's directory; it is written last, so that a directory with one is complete. */
export const MANIFEST = 'manifest.json'
export const FORMAT = 'seesaw-als-model'
/** Raised when a reader of the version before could misread the files. */
export const VERSION = 1

/** One Arrow file of a model: id, vector and, for items, interaction_count, a row for each user or item. */
export interface ModelFile {
  readonly name: string
  readonly rows: number
  readonly bytes: number
  /** Whether the id column has original ids; else it numbers the rows. */
  readonly ids: boolean
  /** The slots of the ids' `IdTable`, as an array of NumPy. Absent in models of earlier releases and from streams. */
  readonly index?: { readonly name: string; readonly bytes: number }
}

/** One Arrow file of features: id (the name), vector and, where they were made of records, item_count. */
export interface FeaturesFile extends ModelFile {
  readonly regularization: number
  /** How rows are made of records. */
  readonly made?: Pick<SavedVocabulary, 'spec' | 'items'>
}

/** What users have, where it was saved with the model. */
export interface InteractionsFile {
  readonly name: string
  readonly bytes: number
  readonly entries: number
  /** Values of the one-byte codes in the file. */
  readonly codebook?: readonly number[]
}

/** `manifest.json` of a saved model. */
export interface Manifest {
  readonly format: typeof FORMAT
  readonly version: number
  readonly factors: number
  readonly users: ModelFile
  readonly items: ModelFile
  readonly options: ModelOptions
  /** Of models trained with a popularityExponent. */
  readonly popularityWeights?: PopularityWeights
  /** Absent in models of earlier releases. */
  readonly userRegularization?: number
  readonly history: readonly IterationReport[]
  /** Of models trained with features. */
  readonly userFeatures?: FeaturesFile
  readonly itemFeatures?: FeaturesFile
  readonly interactions?: InteractionsFile
}

/** A model's files, without the random part of their names: a new model takes the place of all of them. */
export const FILES: readonly string[] = [
  ...['users.arrow', 'items.arrow', 'users-index.npy', 'items-index.npy', 'interactions.arrow'],
  ...['user-features.arrow', 'item-features.arrow'],
]

/** A directory that does not hold a model this version can read; the message says what is wrong and what to do. */
export class ModelFormatError extends Error {
  override readonly name = 'ModelFormatError'
}

/** Checks a parsed manifest. @throws ModelFormatError */
export function checkManifest(value: unknown, path: string): Manifest {
  const manifest = value as Manifest
  if (typeof value !== 'object' || value === null || manifest.format !== FORMAT) {
    throw new ModelFormatError(
      `${path} is not the manifest of a model: "format" is ${JSON.stringify(manifest?.format)}, expected "${FORMAT}".`,
    )
  }
  if (manifest.version !== VERSION) {
    throw new ModelFormatError(
      `${path} has format version ${manifest.version}, and this release reads version ${VERSION}: ${
        manifest.version > VERSION ? 'update the library' : 'train and save the model again'
      }.`,
    )
  }
  for (const side of ['users', 'items'] as const) {
    const file = manifest[side]
    if (!file || typeof file.name !== 'string' || !Number.isInteger(file.rows) || !Number.isInteger(file.bytes)) {
      throw new ModelFormatError(`${path} does not say where the factors of the ${side} are. Save the model again.`)
    }
  }
  if (!Number.isInteger(manifest.factors) || manifest.factors < 1) {
    throw new ModelFormatError(`${path} has "factors" ${manifest.factors}, expected a positive integer.`)
  }
  return manifest
}
