import type { AlsModel } from '../model/als-model.ts'
import { sharedFloat32 } from '../pool/shared-arrays.ts'
import { normOf } from '../rank/index-shards.ts'
import type { ExcludedRows } from '../rank/task.ts'
import type { SideRows } from './side-rows.ts'

/** Rows of items that a result should be near to and away from. */
export interface Examples {
  /** At least one row. */
  positive: ArrayLike<number>
  negative?: ArrayLike<number>
}

/**
 * One query vector for each pair of examples, by Qdrant's `average_vector` strategy: avg(positive) when there are no
 * negatives, else avg(positive) + (avg(positive) - avg(negative)). For cosine each vector counts with length one.
 */
export function averageVectors(
  batch: readonly Examples[],
  { itemFactors, factors }: AlsModel,
  itemRows: SideRows,
  metric: 'cosine' | 'dot',
): { vectors: Float32Array<SharedArrayBuffer>; excluded: ExcludedRows } {
  const vectors = sharedFloat32(batch.length * factors)
  const indptr = new Float64Array(batch.length + 1)
  const lists: number[] = []
  for (const [query, { positive, negative = [] }] of batch.entries()) {
    if (positive.length === 0)
      throw new RangeError(`Query ${query} has no positive example: it needs at least one item row.`)
    const toward = average(positive)
    const away = negative.length > 0 ? average(negative) : toward
    for (let i = 0; i < factors; i++) vectors[query * factors + i] = toward[i] + (toward[i] - away[i])
    lists.push(...[...new Set([...Array.from(positive), ...Array.from(negative)])].sort((a, b) => a - b))
    indptr[query + 1] = lists.length
  }
  return { vectors, excluded: { indptr, indices: Uint32Array.from(lists) } }

  function average(rows: ArrayLike<number>): Float64Array {
    const sum = new Float64Array(factors)
    for (const row of itemRows.toList(rows)) {
      const norm = metric === 'cosine' ? normOf(itemFactors, row * factors, factors) || 1 : 1
      for (let i = 0; i < factors; i++) sum[i] += itemFactors[row * factors + i] / norm
    }
    return sum.map((value) => value / rows.length)
  }
}
