import type { LoadedInteractions } from '@seesaw/loader'
import { checkIds } from '@seesaw/qdrant-sink'
import type { Configuration } from '../configuration/schema.ts'

/**
 * Two ids of one point, such as a UUID in two spellings, and ids that cannot be points are better known before the training.
 *
 * @throws Error naming the ids and their rows
 */
export function checkPoints(
  { qdrant }: Pick<Configuration, 'qdrant'>,
  { itemIds, userIds }: Pick<LoadedInteractions, 'itemIds' | 'userIds'>,
): void {
  if (!qdrant.url) return
  try {
    checkIds('items', itemIds)
    if (qdrant.users) checkIds('users', userIds)
  } catch (error) {
    throw new Error(`${(error as Error).message} Write each id in one spelling in the sources.`, { cause: error })
  }
}
