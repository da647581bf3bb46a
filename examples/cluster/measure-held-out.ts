import { evaluate, type InteractionMatrix, matrixFromTriplets, mostPopular } from '@seesaw/als-core'
import { loadInteractions, readVectors, type S3Options } from '@seesaw/loader'
import type { SparkModel } from '@seesaw/spark'
import type { Quality } from '../pipeline/measure.ts'
import { rankInSlices } from './rank-in-slices.ts'

interface MeasureOptions {
  readonly s3?: S3Options
  readonly threads: number
  readonly signal: AbortSignal
  /** Items ranked so far. */
  onProgress(done: number): void
}

/** Recall and the rest on what was held out of a sample of users: all items are ranked, their vectors read once. */
export async function measureHeldOut(
  model: SparkModel,
  heldOutAt: NonNullable<SparkModel['heldOutAt']>,
  options: MeasureOptions,
): Promise<Quality[]> {
  const { s3, threads, signal, onProgress } = options
  const { vectors, train, test } = await readHeldOut(model, heldOutAt, options)
  const items = await readVectors({ source: model.itemsAt, s3, threads, signal })
  const limits = { factors: model.factors, limit: 20, threads, signal, onProgress }
  const ranked = await rankInSlices({ vectors, exclude: train }, items.batches(0), limits)
  const measure = async (name: string, source: Parameters<typeof evaluate>[0]): Promise<Quality> => {
    const { at } = await evaluate(source, { train, test, k: [20], threads, signal })
    return { name, metrics: at[20]! }
  }
  return [await measure('this model', ranked), await measure('most popular', mostPopular(train))]
}

/** Users with something held out: their vectors, and both sides of their entries, users × all items. */
async function readHeldOut(
  { items }: SparkModel,
  { entries, users }: NonNullable<SparkModel['heldOutAt']>,
  { s3, threads, signal }: MeasureOptions,
): Promise<{ vectors: Float32Array<SharedArrayBuffer>; train: InteractionMatrix; test: InteractionMatrix }> {
  const stream = await readVectors({ source: users, id: 'row', s3, threads, signal })
  const vectors = new Float32Array(new SharedArrayBuffer(4 * stream.points * stream.dimension))
  const places = new Map<number, number>()
  for await (const { ids, data } of stream.batches(0)) {
    vectors.set(data, places.size * stream.dimension)
    for (let row = 0; row < ids.length; row++) places.set(Number(ids.at(row)), places.size)
  }
  const side = async (heldOut: boolean): Promise<InteractionMatrix> => {
    const confidence = { column: 'held_out', values: { [heldOut ? 1 : 0]: 1 } }
    const { matrix, userIds, itemIds } = await loadInteractions({
      sources: [{ name: 'held out', uri: entries, user: 'user_row', item: 'item_row', confidence }],
      thresholds: { user: 1, item: 1 },
      ...{ s3, threads, signal },
    })
    const rows = new Uint32Array(matrix.entries)
    const columns = new Uint32Array(matrix.entries)
    for (let user = 0; user < matrix.users; user++) {
      for (let e = matrix.csr.indptr[user]!; e < matrix.csr.indptr[user + 1]!; e++) {
        rows[e] = places.get(Number(userIds.at(user)))!
        columns[e] = Number(itemIds.at(matrix.csr.indices[e]!))
      }
    }
    return matrixFromTriplets({ users: stream.points, items: items.active, rows, columns })
  }
  return { vectors, train: await side(false), test: await side(true) }
}
