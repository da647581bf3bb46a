import { type IdColumn, type TasteSpace, tasteSpace } from '@seesaw/als-core'
import type { VectorFiles } from '@seesaw/loader'
import type { SparkModel } from '@seesaw/spark'

/** What is known of the items when their vectors have passed once. */
export interface ItemSurvey {
  /** 8 bytes an item where ids are integers; the text of the others. */
  readonly itemIds: IdColumn
  readonly interactionCounts: Uint32Array<SharedArrayBuffer>
  /** k² numbers. */
  readonly space: TasteSpace
}

/**
 * Reads the items' vectors once: their ids and counts, and the taste space, which is made of the sum of their outer
 * products.
 *
 * @param vectors of `model.itemsAt`, read with their `interaction_count`
 */
export async function surveyItems(
  { factors, regularization, userRegularization }: SparkModel,
  vectors: VectorFiles,
  { threads, signal, onProgress }: { threads: number; signal: AbortSignal; onProgress(done: number): void },
): Promise<ItemSurvey> {
  const ids = new IdList(vectors.points)
  const interactionCounts = new Uint32Array(new SharedArrayBuffer(4 * vectors.points))
  async function* itemFactors(): AsyncGenerator<Float32Array> {
    for await (const batch of vectors.batches(0)) {
      interactionCounts.set(batch.numbers.interaction_count!, ids.length)
      ids.add(batch.ids)
      yield batch.data
      onProgress(ids.length)
    }
  }
  // Of hkv: every pair weighs 1 as unobserved.
  const options = { regularization, regularizationScaling: 'count', unobservedWeight: 1 } as const
  const items = { factors, userRegularization, options, itemFactors: itemFactors() }
  const space = await tasteSpace(items, { threads, signal })
  return { itemIds: ids.column, interactionCounts, space }
}

/** Ids as they come, in the densest form that holds them. */
class IdList {
  readonly #points: number
  #numbers: Float64Array | undefined
  readonly #strings: string[] = []
  length = 0

  constructor(points: number) {
    this.#points = points
  }

  add(ids: { readonly length: number; at(row: number): number | bigint | string | undefined }): void {
    const numeric = typeof ids.at(0) !== 'string'
    if (numeric) this.#numbers ??= new Float64Array(this.#points)
    for (let row = 0; row < ids.length; row++) {
      // Below 2^53: the job refuses others.
      if (numeric) this.#numbers![this.length++] = Number(ids.at(row))
      else this.length = this.#strings.push(ids.at(row) as string)
    }
  }

  get column(): IdColumn {
    return this.#numbers ?? this.#strings
  }
}
