import { OptionError } from '../checks/option-error.ts'
import { refuseUnknownNames } from '../checks/unknown-names.ts'
import type { RankingIndex } from '../rank/ranking-index.ts'
import type { RowOrId, RowsOrIds, SideRows } from './side-rows.ts'

/** Which rows may be recommended; all conditions must hold. */
export interface RowFilter {
  /** Only these: row numbers, or original ids as strings, of which those that the model does not have say nothing. */
  allow?: RowsOrIds | ReadonlySet<RowOrId>
  /** None of these, likewise. */
  deny?: RowsOrIds | ReadonlySet<RowOrId>
  /** Only rows for which this is true; called once per row and call. */
  where?: (row: number) => boolean
  /**
   * Only rows with at least `min` and at most `max` interactions, from the model's `interactionCounts`: hidden gems with
   * a low `max`, crowd favourites with a high `min`.
   */
  interactionCount?: { min?: number; max?: number }
}

/**
 * 1 for each row that every condition lets pass, or undefined without a condition. O(rows), a millisecond for 100,000:
 * keep queries with the same filter in one batch.
 * @throws RangeError for a row that is not there, or for a range without `counts`.
 */
export function allowedRows(
  { allow, deny, where, interactionCount }: RowFilter,
  rows: SideRows,
  counts: ArrayLike<number> | undefined,
): Uint8Array | undefined {
  if (!allow && !deny && !where && !interactionCount) return undefined
  const { count } = rows
  const allowed = new Uint8Array(count).fill(allow ? 0 : 1)
  setRows(allowed, allow, rows, 1, 'allow')
  setRows(allowed, deny, rows, 0, 'deny')
  if (interactionCount) {
    if (!counts) throw new OptionError('interactionCount needs a model with interactionCounts; this one has none.')
    refuseUnknownNames('interactionCount', interactionCount, { min: true, max: true })
    const { min = 0, max = Number.POSITIVE_INFINITY } = interactionCount
    for (const [name, bound] of Object.entries({ min, max })) {
      if (typeof bound !== 'number' || Number.isNaN(bound)) {
        throw new OptionError(`interactionCount.${name} is ${bound}, expected a number of interactions.`)
      }
    }
    for (let row = 0; row < count; row++) if (!(counts[row] >= min && counts[row] <= max)) allowed[row] = 0
  }
  if (where && typeof where !== 'function') {
    throw new OptionError(`where is ${typeof where}, expected a function of a row's number.`)
  }
  if (where) for (let row = 0; row < count; row++) if (allowed[row] && !where(row)) allowed[row] = 0
  return allowed
}

/** One bit for each position of the index. */
export function createMask(
  allowed: Uint8Array,
  { count, layout, memory }: RankingIndex,
): Uint8Array<SharedArrayBuffer> {
  const mask = new Uint8Array(new SharedArrayBuffer(Math.ceil(count / 8)))
  const byPosition = new Uint32Array(memory.buffer, layout.rows, count)
  for (let position = 0; position < count; position++) {
    mask[position >> 3] |= allowed[byPosition[position]] << (position & 7)
  }
  return mask
}

function setRows(allowed: Uint8Array, listed: RowFilter['allow'], side: SideRows, value: number, option: string): void {
  if (!listed) return
  const rows = listed instanceof Set ? [...listed] : (listed as ArrayLike<RowOrId>)
  if (typeof rows.length !== 'number') {
    throw new OptionError(`${option} is ${typeof listed}, expected an array or a Set of row numbers or ids.`)
  }
  for (let i = 0; i < rows.length; i++) {
    const given = rows[i]
    const row = typeof given === 'string' ? side.find(given) : given
    if (row === undefined && typeof given === 'string') continue
    if (!(row! >= 0 && row! < allowed.length && Number.isInteger(row))) {
      throw new OptionError(
        `${option}[${i}] is ${given}, expected a row number from 0 to ${allowed.length - 1}, or an id as a string.`,
      )
    }
    allowed[row!] = value
  }
}
