import type { CompressedRows, IdColumn } from '@seesaw/als-core'
import { offsetsOf } from './compressed-rows.ts'
import { keepIds } from './keep-ids.ts'

interface Sides {
  readonly csr: CompressedRows
  readonly csc: CompressedRows
}

interface Labelled {
  readonly csr: CompressedRows
  readonly csc: CompressedRows
  /** When each entry of the CSR happened. */
  readonly times?: Float64Array<SharedArrayBuffer>
  /** A second matrix of the same rows, which decides nothing and loses what the first loses. */
  readonly later?: Sides
  readonly userIds: IdColumn
  readonly itemIds: IdColumn
}

/**
 * The largest part of the matrix in which every user has at least `user` entries and every item at least `item` (its
 * (user, item)-core): rows below their threshold are removed, round by round, until none is. It is unique, whatever the
 * order of removal. Entries are compacted in place.
 */
export function peelCore(matrix: Labelled, thresholds: { user: number; item: number }): Labelled & { rounds: number } {
  const { csr, csc, times, later } = matrix
  const userDegree = lengthsOf(csr.indptr)
  const itemDegree = lengthsOf(csc.indptr)
  let rounds = 0
  let users = below(userDegree, thresholds.user)
  let items = below(itemDegree, thresholds.item)
  while (users.length > 0 || items.length > 0) {
    rounds++
    for (const user of users) userDegree[user] = 0
    for (const item of items) itemDegree[item] = 0
    const nextItems = remove(csr, users, itemDegree, thresholds.item)
    const nextUsers = remove(csc, items, userDegree, thresholds.user)
    users = nextUsers
    items = nextItems
  }
  const userRows = renumber(userDegree)
  const itemRows = renumber(itemDegree)
  return {
    ...(times && { times: compactTimes(csr, times, userRows, itemRows) }),
    csr: compact(csr, userRows, itemRows),
    csc: compact(csc, itemRows, userRows),
    ...(later && {
      later: { csr: compact(later.csr, userRows, itemRows), csc: compact(later.csc, itemRows, userRows) },
    }),
    userIds: keepIds(matrix.userIds, userRows),
    itemIds: keepIds(matrix.itemIds, itemRows),
    rounds: Math.max(1, rounds),
  }
}

function lengthsOf(indptr: Float64Array): Uint32Array {
  return Uint32Array.from({ length: indptr.length - 1 }, (_, row) => indptr[row + 1] - indptr[row])
}

/** Rows with some entries, but fewer than the threshold. */
function below(degree: Uint32Array, threshold: number): number[] {
  const rows: number[] = []
  for (let row = 0; row < degree.length; row++) if (degree[row] > 0 && degree[row] < threshold) rows.push(row)
  return rows
}

/** Takes the entries of removed rows off the other side; returns what falls below its threshold by it. */
function remove(side: CompressedRows, rows: readonly number[], degree: Uint32Array, threshold: number): number[] {
  const fallen: number[] = []
  for (const row of rows) {
    for (let e = side.indptr[row]; e < side.indptr[row + 1]; e++) {
      const other = side.indices[e]
      if (degree[other] === 0) continue
      if (degree[other] === threshold) fallen.push(other)
      degree[other]--
    }
  }
  return fallen
}

/** New number of each row that is left, -1 for the others. */
function renumber(degree: Uint32Array): Int32Array {
  const rows = new Int32Array(degree.length)
  let next = 0
  for (let row = 0; row < degree.length; row++) rows[row] = degree[row] > 0 ? next++ : -1
  return rows
}

function compact(side: CompressedRows, rows: Int32Array, columns: Int32Array): CompressedRows {
  const { indptr, indices, values } = side
  const lengths: number[] = []
  let out = 0
  for (let row = 0; row < rows.length; row++) {
    if (rows[row] < 0) continue
    const begun = out
    for (let e = indptr[row]; e < indptr[row + 1]; e++) {
      const column = columns[indices[e]]
      if (column < 0) continue
      indices[out] = column
      values[out++] = values[e]
    }
    lengths.push(out - begun)
  }
  return {
    indptr: offsetsOf(Uint32Array.from(lengths)),
    indices: indices.subarray(0, out),
    values: values.subarray(0, out),
  }
}

/** Before the entries themselves move: their columns say which are kept. */
function compactTimes(
  { indptr, indices }: CompressedRows,
  times: Float64Array<SharedArrayBuffer>,
  rows: Int32Array,
  columns: Int32Array,
): Float64Array<SharedArrayBuffer> {
  let out = 0
  for (let row = 0; row < rows.length; row++) {
    if (rows[row] < 0) continue
    for (let e = indptr[row]; e < indptr[row + 1]; e++) if (columns[indices[e]] >= 0) times[out++] = times[e]
  }
  return times.subarray(0, out)
}
