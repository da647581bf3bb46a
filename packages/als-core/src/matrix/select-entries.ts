import { valueAt } from './entries.ts'
import { matrixFromCsr } from './from-csr.ts'
import type { InteractionMatrix } from './interaction-matrix.ts'

/** The entries that `keep` says, by their number in the CSR; the shape stays. */
export function selectEntries(matrix: InteractionMatrix, keep: (entry: number) => boolean): InteractionMatrix {
  const { csr, codebook, users, items } = matrix
  const indptr = new Float64Array(users + 1)
  const indices = new Uint32Array(matrix.entries)
  const values = new Float32Array(matrix.entries)
  let kept = 0
  for (let user = 0; user < users; user++) {
    for (let e = csr.indptr[user]; e < csr.indptr[user + 1]; e++) {
      if (!keep(e)) continue
      indices[kept] = csr.indices[e]
      values[kept++] = valueAt(csr, codebook, e)
    }
    indptr[user + 1] = kept
  }
  return matrixFromCsr({ users, items, indptr, indices: indices.subarray(0, kept), values: values.subarray(0, kept) })
}

/** The entries of `later` whose pair is not in `earlier`, or nothing when there are none. */
export function withoutPairsOf(earlier: InteractionMatrix, later: InteractionMatrix): InteractionMatrix {
  const { csr } = earlier
  const keep = new Uint8Array(later.entries)
  for (let user = 0; user < later.users; user++) {
    const known = new Set(csr.indices.subarray(csr.indptr[user], csr.indptr[user + 1]))
    for (let e = later.csr.indptr[user]; e < later.csr.indptr[user + 1]; e++) {
      keep[e] = known.has(later.csr.indices[e]) ? 0 : 1
    }
  }
  return selectEntries(later, (e) => keep[e] === 1)
}
