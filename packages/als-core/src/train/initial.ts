import { OptionError } from '../checks/option-error.ts'
import type { IdColumn, InteractionMatrix } from '../matrix/interaction-matrix.ts'
import { withoutBigints } from '../model/id-column.ts'
import type { Columns, TrainOptions } from './options.ts'

/** Where the rows of a side start. */
export interface SideStart {
  readonly factors: Float32Array
  /** For each row the row of `factors` it starts from, -1 for none; absent: the same row. */
  readonly rows?: Float64Array
}

export interface Starts {
  readonly users?: SideStart
  readonly items?: SideStart
}

/** Checks the initial factors and maps their rows. @throws OptionError naming the array. */
export function planStart(
  { initial, userIds, itemIds }: Pick<TrainOptions, 'initial'> & Columns,
  { users, items }: Pick<InteractionMatrix, 'users' | 'items'>,
  k: number,
): Starts {
  if (!initial) return {}
  if (initial.factors !== undefined && initial.factors !== k) {
    throw new OptionError(
      `initial has ${initial.factors} factors, but factors is ${k}: leave factors out to keep ${initial.factors}, or leave initial out.`,
    )
  }
  if (!(initial.itemFactors instanceof Float32Array)) {
    throw new OptionError(
      'initial has no itemFactors (a Float32Array of items × factors): the first half-sweep solves the users from them.',
    )
  }
  const before = {
    users: initial.userIds && withoutBigints('initial.userIds', initial.userIds),
    items: initial.itemIds && withoutBigints('initial.itemIds', initial.itemIds),
  }
  return {
    ...(initial.userFactors && { users: planSide('user', initial.userFactors, before.users, userIds, users, k) }),
    items: planSide('item', initial.itemFactors, before.items, itemIds, items, k),
  }
}

/** Overwrites the rows of `values` (rows × padded) that have a start. */
export function applyStart(start: SideStart, values: Float32Array, k: number, padded: number): void {
  const rows = values.length / padded
  for (let row = 0; row < rows; row++) {
    const from = start.rows ? start.rows[row] : row
    if (from >= 0) values.set(start.factors.subarray(from * k, (from + 1) * k), row * padded)
  }
}

function planSide(
  side: 'user' | 'item',
  factors: Float32Array,
  before: IdColumn | undefined,
  after: IdColumn | undefined,
  rows: number,
  k: number,
): SideStart {
  const initialRows = before?.length ?? rows
  if (factors.length !== initialRows * k) {
    throw new OptionError(
      `initial.${side}Factors has ${factors.length} values, expected ${initialRows} rows of ${k} factors${
        before ? '' : `: without initial.${side}Ids it needs one row per row of the matrix`
      }.`,
    )
  }
  const bad = factors.findIndex((value) => !Number.isFinite(value))
  if (bad >= 0) {
    throw new OptionError(
      `initial.${side}Factors has ${factors[bad]} in row ${Math.floor(bad / k)}, expected finite numbers.`,
    )
  }
  if (!before) return { factors }
  if (!after) {
    throw new OptionError(
      `initial has ${side}Ids, the training none: pass ${side}Ids so that rows can be matched, or take them out of initial.`,
    )
  }
  const matched = matchIds(before, after)
  if (!matched.some((row) => row >= 0)) {
    throw new OptionError(
      `None of the ${after.length} ${side}Ids is among the ${before.length} of initial (${show(after.at(0))} against ${show(before.at(0))}, for one): ids are compared as they are, numbers never equal strings.`,
    )
  }
  return { factors, rows: matched }
}

/** For each id of `after` its row in `before`, or -1. */
function matchIds(before: IdColumn, after: IdColumn): Float64Array {
  // A Map ends at 2^24 keys.
  const maps: Map<number | string, number>[] = []
  for (let row = 0; row < before.length; row++) {
    if (row % 2 ** 23 === 0) maps.push(new Map())
    maps[maps.length - 1].set(before.at(row)!, row)
  }
  return Float64Array.from({ length: after.length }, (_, row) => {
    const id = after.at(row)!
    for (const map of maps) {
      const found = map.get(id)
      if (found !== undefined) return found
    }
    return -1
  })
}

function show(id: number | string | undefined): string {
  return typeof id === 'string' ? JSON.stringify(id) : String(id)
}
