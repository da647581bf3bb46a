import type { InteractionMatrix } from '@seesaw/als-core'
import type { LoadedInteractions } from '../src/index.ts'

export interface WeightedSignal {
  user: number | string
  item: number | string
  value: number
  time?: number
}

/** The load in the plainest possible code: maps and sorts. Returns "user item value" lines in the order of the matrix. */
export function referenceLoad(
  rows: WeightedSignal[],
  thresholds: { user: number; item: number },
  merge: 'max' | 'sum' | 'last' = 'max',
): string[] {
  const users = countBy(rows, (row) => row.user)
  const items = countBy(rows, (row) => row.item)
  const merged = new Map<string, WeightedSignal>()
  for (const row of rows) {
    if (users.get(row.user)! < thresholds.user || items.get(row.item)! < thresholds.item) continue
    const key = JSON.stringify([row.user, row.item])
    const before = merged.get(key)
    if (before === undefined) merged.set(key, { ...row })
    else if (merge === 'sum') before.value += row.value
    else if (merge === 'max' && row.value > before.value) merged.set(key, { ...row })
    else if (merge === 'last') {
      const later = row.time! - before.time!
      if (later > 0 || (later === 0 && row.value > before.value)) merged.set(key, { ...row })
    }
  }
  const order = (a: number | string, b: number | string) =>
    typeof a === 'string' ? Buffer.compare(Buffer.from(a), Buffer.from(b as string)) : a - (b as number)
  return [...merged.values()]
    .sort((a, b) => order(a.user, b.user) || order(a.item, b.item))
    .map(({ user, item, value }) => `${user} ${item} ${Math.fround(value)}`)
}

/** The loaded matrix as the same lines. */
export function linesOf({ matrix, userIds, itemIds }: LoadedInteractions): string[] {
  const lines: string[] = []
  for (let user = 0; user < matrix.users; user++) {
    for (let e = matrix.csr.indptr[user]; e < matrix.csr.indptr[user + 1]; e++) {
      lines.push(`${userIds.at(user)} ${itemIds.at(matrix.csr.indices[e])} ${valueAt(matrix, 'csr', e)}`)
    }
  }
  return lines
}

export function valueAt(matrix: InteractionMatrix, side: 'csr' | 'csc', e: number): number {
  const value = matrix[side].values[e]
  return matrix.codebook === undefined ? value : matrix.codebook[value]
}

/** True when csc is exactly the transpose of csr and both keep their promises (ascending, no duplicates). */
export function isTransposed(matrix: InteractionMatrix): boolean {
  const seen = new Float64Array(matrix.items).map((_, item) => matrix.csc.indptr[item])
  for (let user = 0; user < matrix.users; user++) {
    let last = -1
    for (let e = matrix.csr.indptr[user]; e < matrix.csr.indptr[user + 1]; e++) {
      const item = matrix.csr.indices[e]
      if (item <= last) return false
      last = item
      const at = seen[item]++
      if (matrix.csc.indices[at] !== user || matrix.csc.values[at] !== matrix.csr.values[e]) return false
    }
  }
  return seen.every((end, item) => end === matrix.csc.indptr[item + 1])
}

function countBy<T, K>(rows: T[], key: (row: T) => K): Map<K, number> {
  const counts = new Map<K, number>()
  for (const row of rows) counts.set(key(row), (counts.get(key(row)) ?? 0) + 1)
  return counts
}
