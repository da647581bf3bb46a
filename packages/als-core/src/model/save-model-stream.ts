import { join } from 'node:path'
import type { AlsModel } from './als-model.ts'
import { inOwnDirectory } from './lock-directory.ts'
import { FILES, FORMAT, MANIFEST, type Manifest, type ModelFile, VERSION } from './manifest.ts'
import { replaceFiles } from './replace-files.ts'
import { writeFeatures } from './write-features.ts'
import { type SideBatch, writeSide } from './write-side.ts'

/** A model whose factors come in batches, such as one that was trained elsewhere; what it has learned of features comes whole. */
export interface ModelStream
  extends Pick<AlsModel, 'factors' | 'options' | 'userRegularization' | 'userFeatures' | 'itemFeatures'> {
  readonly users: Iterable<SideBatch> | AsyncIterable<SideBatch>
  readonly items: Iterable<SideBatch> | AsyncIterable<SideBatch>
  /** Default: none. */
  readonly history?: AlsModel['history']
}

/**
 * Saves a model as `saveModel` does, without holding it: users first, then items, each read once. What is in memory is one batch and as
 * much again on its way to the disk, about 100 MB. When a batch is wrong or a stream throws, the directory keeps what it had.
 *
 * @throws RangeError, TypeError for values, ids and batches that do not fit, by row
 */
export async function saveModelStream(model: ModelStream, directory: string): Promise<void> {
  const { factors, options, userRegularization, history = [] } = model
  if (!Number.isInteger(factors) || factors < 1)
    throw new RangeError(`factors is ${factors}, expected a positive integer.`)
  const replace = () =>
    replaceFiles(directory, MANIFEST, FILES, async (name): Promise<Manifest> => {
      const write = async (side: 'users' | 'items'): Promise<ModelFile> => {
        const file = name(`${side}.arrow`)
        return { name: file, ...(await writeSide(join(directory, file), side, factors, model[side])) }
      }
      const sides = { users: await write('users'), items: await write('items') }
      const features = await writeFeatures(model, factors, directory, name)
      return { format: FORMAT, version: VERSION, factors, ...sides, ...features, options, userRegularization, history }
    })
  await inOwnDirectory(directory, replace)
}
