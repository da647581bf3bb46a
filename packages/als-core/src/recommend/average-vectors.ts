import { OptionError } from '../checks/option-error.ts'
import { refuseUnknownNames } from '../checks/unknown-names.ts'
import { sharedFloat32 } from '../pool/shared-arrays.ts'
import { normOf } from '../rank/index-shards.ts'
import type { ExcludedRows } from '../rank/task.ts'
import type { RowsOrIds, SideRows } from './side-rows.ts'

/** Items that a result should be near to and away from: rows, or original ids as strings. */
export interface Examples {
  /** At least one. */
  positive: RowsOrIds
  /** Confidence of each positive example, which its vector is multiplied by. Default: 1 each. */
  confidence?: ArrayLike<number>
  negative?: RowsOrIds
}

const EXAMPLES_NAMES: Readonly<Record<keyof Examples, true>> = { positive: true, confidence: true, negative: true }

export interface ExampleVectors {
  /** rows × factors, row-major. */
  readonly vectors: Float32Array
  readonly factors: number
  /** Whether each vector counts with length one, as in a cosine collection. */
  readonly normalize: boolean
  /** A weight per row beside the confidence, such as a model's `itemWeights`. */
  readonly weights?: ArrayLike<number>
}

/**
 * One query vector for each pair of examples, by Qdrant's `average_vector` strategy: avg(positive) when there are no
 * negatives, else avg(positive) + (avg(positive) - avg(negative)). The examples are left out of the lists.
 */
export function averageVectors(
  batch: readonly Examples[],
  { vectors, factors, normalize, weights }: ExampleVectors,
  itemRows: SideRows,
): { queries: Float32Array<SharedArrayBuffer>; excluded: ExcludedRows } {
  const queries = sharedFloat32(batch.length * factors)
  const indptr = new Float64Array(batch.length + 1)
  const lists: number[] = []
  for (const [query, one] of batch.entries()) {
    refuseUnknownNames(`Query ${query}`, one, EXAMPLES_NAMES)
    const { confidence, ...examples } = one
    const positive = itemRows.toList(examples.positive)
    const negative = itemRows.toList(examples.negative ?? [])
    if (positive.length === 0)
      throw new OptionError(`Query ${query} has no positive example: it needs at least one item row.`)
    checkConfidence(query, positive, confidence)
    const toward = average(positive, confidence)
    const away = negative.length > 0 ? average(negative) : toward
    for (let i = 0; i < factors; i++) queries[query * factors + i] = toward[i] + (toward[i] - away[i])
    lists.push(...[...new Set([...positive, ...negative])].sort((a, b) => a - b))
    indptr[query + 1] = lists.length
  }
  return { queries, excluded: { indptr, indices: Uint32Array.from(lists) } }

  function average(rows: Uint32Array, confidence?: ArrayLike<number>): Float64Array {
    const sum = new Float64Array(factors)
    for (const [n, row] of rows.entries()) {
      const weight = (confidence ? confidence[n] : 1) * (weights ? weights[row] : 1)
      const norm = normalize ? normOf(vectors, row * factors, factors) || 1 : 1
      for (let i = 0; i < factors; i++) sum[i] += (weight * vectors[row * factors + i]) / norm
    }
    return sum.map((value) => value / rows.length)
  }
}

export function checkConfidence(
  query: number,
  positive: ArrayLike<number>,
  confidence: ArrayLike<number> | undefined,
): void {
  if (!confidence) return
  if (confidence.length !== positive.length) {
    throw new OptionError(
      `Query ${query} has ${positive.length} positive examples and ${confidence.length} values of confidence, expected one for each.`,
    )
  }
  for (let n = 0; n < confidence.length; n++) {
    const rounded = Math.fround(confidence[n])
    if (rounded > 0 && rounded < Number.POSITIVE_INFINITY) continue
    throw new OptionError(
      `Query ${query}: confidence[${n}] is ${confidence[n]}, expected a number above 0 in the range of float32.`,
    )
  }
}
