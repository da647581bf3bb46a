import type { AlsModel, InteractionMatrix } from '@seesaw/als-core'
import type { LoadedInteractions } from '@seesaw/loader'
import type { Configuration } from '../configuration/schema.ts'
import type { RunRecord } from '../report/run-record.ts'
import { OctaveCounts } from './octave-counts.ts'

/** What became of the rows, and how active users and items are before and after the thresholds. */
export function recordData({ thresholds }: Configuration, loaded: LoadedInteractions): RunRecord['data'] {
  const { stats, matrix } = loaded
  const { seconds, warnings, sources, merged, entries } = stats
  const { total: _, ...phases } = seconds
  return {
    sources: sources.map((source) => ({ ...source })),
    users: { ...sideOf(stats.users), after: octavesOfRows(matrix.csr.indptr), threshold: thresholds.user },
    items: { ...sideOf(stats.items), after: octavesOfRows(matrix.csc.indptr), threshold: thresholds.item },
    merged,
    entries,
    seconds: phases,
    warnings: [...warnings],
  }
}

function sideOf({ seen, active, activity }: LoadedInteractions['stats']['users']) {
  return { seen, active, before: [...activity] }
}

/** Rows of a matrix by the octave of their entries; those without any are not counted. */
function octavesOfRows(indptr: ArrayLike<number>): number[] {
  const octaves = new OctaveCounts()
  for (let row = 0; row + 1 < indptr.length; row++) octaves.add(indptr[row + 1]! - indptr[row]!, 1)
  return octaves.counts
}

/** How popular items are, and what of the entries falls to them. */
export function recordPopularity({ csc, items }: InteractionMatrix): NonNullable<RunRecord['popularity']> {
  const rows = new OctaveCounts()
  const entries = new OctaveCounts()
  for (let item = 0; item < items; item++) {
    const count = csc.indptr[item + 1]! - csc.indptr[item]!
    rows.add(count, 1)
    entries.add(count, count)
  }
  return { items: rows.counts, entries: entries.counts }
}

/** Users and items that training knows something of, those it knows only by name, and those that last night's model lacks. */
export function recordNovelty(
  matrix: InteractionMatrix,
  { userIds, itemIds }: Pick<LoadedInteractions, 'userIds' | 'itemIds'>,
  initial: AlsModel | undefined,
): NonNullable<RunRecord['novelty']> {
  return {
    users: { ...warmth(matrix.csr.indptr), ...newIds(userIds, initial?.userIds) },
    items: { ...warmth(matrix.csc.indptr), ...newIds(itemIds, initial?.itemIds) },
  }
}

function warmth(indptr: ArrayLike<number>): { warm: number; cold: number } {
  let warm = 0
  for (let row = 0; row + 1 < indptr.length; row++) if (indptr[row + 1]! > indptr[row]!) warm++
  return { warm, cold: indptr.length - 1 - warm }
}

type Ids = NonNullable<AlsModel['itemIds']>

/** Both in ascending order, as the loader leaves them: one pass, nothing held. */
function newIds(ids: Ids, before: Ids | undefined): { new?: number } {
  if (before === undefined) return {}
  if (typeof ids.at(0) !== typeof before.at(0)) return { new: ids.length }
  let fresh = 0
  let at = 0
  for (let row = 0; row < ids.length; row++) {
    const id = ids.at(row)!
    for (; at < before.length && isBelow(before.at(at)!, id); at++) {
      if (at > 0 && !isBelow(before.at(at - 1)!, before.at(at)!))
        throw new Error(
          `the ids of the initial model are not in ascending order, expected those of a model of this pipeline`,
        )
    }
    if (at >= before.length || before.at(at) !== id) fresh++
  }
  return { new: fresh }
}

/** By value, or by the bytes of UTF-8, which is the order of code points. */
function isBelow(a: number | string, b: number | string): boolean {
  if (typeof a === 'number' || typeof b === 'number') return a < b
  return Buffer.compare(Buffer.from(a), Buffer.from(b)) < 0
}
