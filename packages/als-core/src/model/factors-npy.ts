import { randomUUID } from 'node:crypto'
import { rename, rm } from 'node:fs/promises'
import { positiveInteger } from '../checks/values.ts'
import { writeNpy } from './npy.ts'
import { namePlace, writeFlushed } from './replace-files.ts'

/**
 * Writes factors, or other vectors, as a NumPy array of rows × `factors` float32, row-major: `np.load('items.npy')`, of any
 * size with `mmap_mode='r'`. It appears under its name when it is complete.
 *
 * @throws RangeError when the length is no multiple of `factors`
 */
export async function writeNpyFactors(vectors: Float32Array, factors: number, path: string): Promise<void> {
  positiveInteger('factors', factors)
  if (vectors.length % factors !== 0) {
    throw new RangeError(`The vectors have ${vectors.length} values, expected a multiple of ${factors}, the factors.`)
  }
  const draft = `${path}.${randomUUID().slice(0, 8)}`
  try {
    await writeFlushed(draft, writeNpy({ descr: '<f4', shape: [vectors.length / factors, factors], values: vectors }))
    await rename(draft, path)
  } catch (error) {
    await rm(draft, { force: true })
    throw namePlace(error, path)
  }
}
