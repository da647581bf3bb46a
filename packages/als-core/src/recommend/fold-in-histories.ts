import { OptionError } from '../checks/option-error.ts'
import { refuseUnknownNames } from '../checks/unknown-names.ts'
import { solveCholesky } from '../linear-algebra/dense.ts'
import type { AlsModel } from '../model/als-model.ts'
import { sharedFloat32 } from '../pool/shared-arrays.ts'
import type { ExcludedRows } from '../rank/task.ts'
import type { RowsOrIds, SideRows } from './side-rows.ts'
import { type UserSystem, userSystem } from './user-system.ts'

/** What somebody has who is not in the model, or has more by now than when it was trained. */
export interface History {
  /** Rows, or original ids as strings, none twice. */
  items: RowsOrIds
  /** Strength of each, as the values that the model was trained on; below 0 disliked. Default: 1 each. */
  values?: ArrayLike<number>
}

const HISTORY_NAMES: Readonly<Record<keyof History, true>> = { items: true, values: true }

/**
 * The factors of users by what they have, as training would solve them: a k×k system each, in float64. Their items
 * are left out of the lists.
 */
export function foldInHistories(
  model: AlsModel,
  histories: readonly History[],
  itemRows: SideRows,
  gram: Float64Array,
): { vectors: Float32Array<SharedArrayBuffer>; excluded: ExcludedRows } {
  const { factors: k, itemFactors } = model
  const vectors = sharedFloat32(histories.length * k)
  const indptr = new Float64Array(histories.length + 1)
  const lists: number[] = []
  for (const [query, history] of histories.entries()) {
    refuseUnknownNames(`History ${query}`, history, HISTORY_NAMES)
    const { items, values } = history
    const rows = itemRows.toList(items)
    checkHistory(query, rows, items, values)
    const { root, targets } = systemOf(query, rows, values ?? new Float32Array(rows.length).fill(1))
    const x = new Float64Array(k)
    for (const [n, row] of rows.entries()) for (let i = 0; i < k; i++) x[i] += targets[n] * itemFactors[row * k + i]
    solveCholesky(root, k, x)
    vectors.set(x, query * k)
    lists.push(...rows.sort())
    indptr[query + 1] = lists.length
  }
  return { vectors, excluded: { indptr, indices: Uint32Array.from(lists) } }

  function systemOf(query: number, rows: Uint32Array, values: ArrayLike<number>): UserSystem {
    try {
      return userSystem(model, rows, values, gram)
    } catch (error) {
      const n = Array.from(values, Math.abs).reduce((most, value, at, all) => (value > all[most] ? at : most), 0)
      throw new OptionError(
        `History ${query}: values[${n}] is ${values[n]}, which float64 cannot solve for: expected values as those of the training.`,
        { cause: error },
      )
    }
  }
}

function checkHistory(query: number, rows: Uint32Array, items: RowsOrIds, values: ArrayLike<number> | undefined): void {
  const first = new Map<number, number>()
  for (const [n, row] of rows.entries()) {
    if (first.has(row)) {
      throw new OptionError(
        `History ${query}: items[${n}], ${JSON.stringify(items[n])}, is there twice, first as items[${first.get(row)}]. Merge their values.`,
      )
    }
    first.set(row, n)
  }
  if (!values) return
  if (values.length !== rows.length) {
    throw new OptionError(
      `History ${query} has ${rows.length} items and ${values.length} values, expected one for each.`,
    )
  }
  for (let n = 0; n < values.length; n++) {
    if (Number.isFinite(Math.fround(values[n])) && Math.fround(values[n]) !== 0) continue
    throw new OptionError(
      `History ${query}: values[${n}] is ${values[n]}, expected a number other than 0 in the range of float32.`,
    )
  }
}
