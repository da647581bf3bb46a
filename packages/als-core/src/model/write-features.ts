import { join } from 'node:path'
import type { FeatureVectors } from './als-model.ts'
import type { FeaturesFile, Manifest } from './manifest.ts'
import { writeSide } from './write-side.ts'

/** What a model has learned of features, of the sides that have some. */
export interface LearnedFeatures {
  readonly userFeatures?: FeatureVectors
  readonly itemFeatures?: FeatureVectors
}

/** Writes the features of a model's sides, and returns their entries in the manifest. */
export async function writeFeatures(
  { userFeatures, itemFeatures }: LearnedFeatures,
  factors: number,
  directory: string,
  name: (file: string) => string,
): Promise<Pick<Manifest, 'userFeatures' | 'itemFeatures'>> {
  const write = async (file: string, features: FeatureVectors): Promise<FeaturesFile> => {
    const { names, vectors, vocabulary, regularization } = features
    const batch = { data: vectors, ids: names, numbers: { item_count: vocabulary?.counts } }
    const written = await writeSide(join(directory, file), file, factors, [batch])
    const made = vocabulary && { spec: vocabulary.spec, items: vocabulary.items }
    return { name: file, ...written, regularization, ...(made && { made }) }
  }
  return {
    ...(userFeatures && { userFeatures: await write(name('user-features.arrow'), userFeatures) }),
    ...(itemFeatures && { itemFeatures: await write(name('item-features.arrow'), itemFeatures) }),
  }
}
