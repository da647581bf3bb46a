import { join } from 'node:path'
import { refuseUnknownNames } from '../checks/unknown-names.ts'
import type { IdColumn, InteractionMatrix } from '../matrix/interaction-matrix.ts'
import type { AlsModel } from './als-model.ts'
import { checkFits } from './check-fits.ts'
import { IdTable } from './id-table.ts'
import { writeInteractions } from './interactions-file.ts'
import { inOwnDirectory } from './lock-directory.ts'
import { FILES, FORMAT, MANIFEST, type Manifest, type ModelFile, VERSION } from './manifest.ts'
import { writeNpy } from './npy.ts'
import { replaceFiles, writeFlushed } from './replace-files.ts'
import { writeFeatures } from './write-features.ts'
import { type SideBatch, writeSide } from './write-side.ts'

export interface SaveModelOptions {
  /**
   * What users have, kept with the model so that a server needs nothing else: `Recommender.open` leaves it out of their
   * recommendations. 5 bytes per entry, 8 where there are more than 256 distinct values. Default: the model's own, if any.
   */
  interactions?: InteractionMatrix
}

/**
 * Writes a model to a directory, which is made if it is missing: `users-*.arrow` and `items-*.arrow` (Arrow IPC files with
 * columns id, vector and, for items, interaction_count and, where values were weighted by popularity, weight), an index of
 * the ids of each side (`users-index-*.npy`, 6 bytes per id), `interactions-*.arrow` where they are kept,
 * `item-features-*.arrow` and `user-features-*.arrow` (id, which is the name, vector, item_count) of a training with features, and
 * `manifest.json`. The manifest is put in place last, by one rename: a reader finds the old model or the new one, never a
 * mixture. The old model's files are then deleted, and what a run that was killed has left. While another run saves to the
 * directory, this one waits: it then holds the model of the one that ends last.
 *
 * @throws OptionError for interactions of another shape than the model's
 */
export async function saveModel(model: AlsModel, directory: string, options: SaveModelOptions = {}): Promise<void> {
  refuseUnknownNames('saveModel', options, { interactions: true })
  const { factors, userFactors, itemFactors, userIds, itemIds, interactionCounts, itemWeights } = model
  const { popularityWeights, options: trained, userRegularization, history } = model
  const { interactions = model.interactions } = options
  checkFits(model, interactions)
  const replace = () =>
    replaceFiles(directory, MANIFEST, FILES, async (name): Promise<Manifest> => {
      const write = async (side: 'users' | 'items', batch: SideBatch, ids?: IdColumn): Promise<ModelFile> => {
        const file = name(`${side}.arrow`)
        const written = await writeSide(join(directory, file), `${side.slice(0, -1)}Factors`, factors, [batch])
        const index = ids && (await writeIndex(name(`${side}-index.npy`), ids))
        return { name: file, ...written, ...(index && { index }) }
      }
      const writeIndex = async (file: string, ids: IdColumn): Promise<ModelFile['index']> => {
        const { slots } = await IdTable.prepare(ids)
        const array = writeNpy({ descr: '<u4', shape: [slots.length], values: slots })
        return { name: file, bytes: await writeFlushed(join(directory, file), array) }
      }
      const keep = async (matrix: InteractionMatrix): Promise<Manifest['interactions']> => {
        const file = name('interactions.arrow')
        return { name: file, entries: matrix.entries, ...(await writeInteractions(join(directory, file), matrix)) }
      }
      const users = await write('users', { data: userFactors, ids: userIds }, userIds)
      const numbers = { interaction_count: interactionCounts, weight: itemWeights }
      const items = await write('items', { data: itemFactors, ids: itemIds, numbers }, itemIds)
      return {
        format: FORMAT,
        version: VERSION,
        factors,
        users,
        items,
        popularityWeights,
        options: trained,
        userRegularization,
        history,
        ...(await writeFeatures(model, factors, directory, name)),
        ...(interactions && { interactions: await keep(interactions) }),
      }
    })
  await inOwnDirectory(directory, replace)
}
