import { join } from 'node:path'
import type { AlsModel } from './als-model.ts'
import { inOwnDirectory } from './lock-directory.ts'
import { FORMAT, MANIFEST, type Manifest, type ModelFile, VERSION } from './manifest.ts'
import { replaceFiles } from './replace-files.ts'
import { type SideBatch, writeSide } from './write-side.ts'

/**
 * Writes a model to a directory, which is made if it is missing: `users-*.arrow` and `items-*.arrow` (Arrow IPC files with
 * columns id, vector and, for items, interaction_count and, where values were weighted by popularity, weight) and `manifest.json`. The manifest is put in place last, by one
 * rename: a reader finds the old model or the new one, never a mixture. The old model's files are then deleted, and
 * what a run that was killed has left. While another run saves to the directory, this one waits: it then holds the model of the
 * one that ends last.
 */
export async function saveModel(model: AlsModel, directory: string): Promise<void> {
  const { factors, userFactors, itemFactors, userIds, itemIds, interactionCounts, itemWeights } = model
  const { popularityWeights, options, userRegularization, history } = model
  const replace = () =>
    replaceFiles(directory, MANIFEST, async (name): Promise<Manifest> => {
      const write = async (side: 'users' | 'items', batch: SideBatch): Promise<ModelFile> => {
        const file = name(side, 'arrow')
        const path = join(directory, file)
        return { name: file, ...(await writeSide(path, `${side.slice(0, -1)}Factors`, factors, [batch])) }
      }
      const users = await write('users', { data: userFactors, ids: userIds })
      const numbers = { interaction_count: interactionCounts, weight: itemWeights }
      const items = await write('items', { data: itemFactors, ids: itemIds, numbers })
      return {
        format: FORMAT,
        version: VERSION,
        factors,
        users,
        items,
        popularityWeights,
        options,
        userRegularization,
        history,
      }
    })
  await inOwnDirectory(directory, replace)
}
