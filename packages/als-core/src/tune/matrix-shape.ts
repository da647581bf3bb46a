import { countInteractions, valueAt } from '../matrix/entries.ts'
import type { InteractionMatrix } from '../matrix/interaction-matrix.ts'

/** What settings depend on. */
export interface MatrixShape {
  /** Users and items with an entry. */
  readonly users: number
  readonly items: number
  readonly entries: number
  /** Entries of an average user. */
  readonly perUser: number
  /** Mean of |r| over the entries. */
  readonly meanValue: number
  /** Median of |r| over a sample of the entries; far below the mean where a few values are very large. */
  readonly medianValue: number
}

/** One pass over the entries. @throws RangeError when there are none */
export function shapeOf(matrix: InteractionMatrix): MatrixShape {
  const { csr, codebook, entries } = matrix
  if (entries === 0) throw new RangeError('The matrix has no entries: there is nothing to choose settings by.')
  let users = 0
  for (let user = 0; user < matrix.users; user++) if (csr.indptr[user + 1] > csr.indptr[user]) users++
  const items = countInteractions(matrix).reduce((count, n) => count + (n > 0 ? 1 : 0), 0)
  let sum = 0
  for (let e = 0; e < entries; e++) sum += Math.abs(valueAt(csr, codebook, e))
  const every = Math.ceil(entries / SAMPLE)
  const sample = Float32Array.from({ length: Math.floor((entries - 1) / every) + 1 }, (_, at) =>
    Math.abs(valueAt(csr, codebook, at * every)),
  ).sort()
  return {
    users,
    items,
    entries,
    perUser: entries / users,
    meanValue: sum / entries,
    medianValue: sample[sample.length >> 1],
  }
}

const SAMPLE = 100_000
