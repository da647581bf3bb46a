import { OptionError } from '../checks/option-error.ts'
import { positiveInteger } from '../checks/values.ts'
import { sharedFloat32, sharedUint32 } from '../pool/shared-arrays.ts'
import type { RankedRows, RankRequest } from '../rank/ranker.ts'

export interface GroupLimit {
  /** Group of each row, such as its artist: anything that compares by value. */
  groups: ArrayLike<number | string>
  /** Most rows of one group in a list. */
  max: number
}

/**
 * The best rows in order, passing over those whose group is full. Exact: lists are ranked four times as deep until each
 * is full or has nothing left, and only the queries still short are ranked again.
 */
export async function limitGroups(
  rank: (room: number, some?: Partial<RankRequest>) => Promise<RankedRows>,
  request: Omit<RankRequest, 'limit'>,
  limit: number,
  count: number,
  { groups, max }: GroupLimit,
): Promise<RankedRows> {
  if (typeof groups?.length !== 'number') {
    throw new OptionError(`perGroup.groups is ${groups}, expected an array with the group of each row.`)
  }
  if (groups.length !== count) {
    throw new OptionError(`perGroup.groups has ${groups.length} entries, expected ${count}, one for each row.`)
  }
  positiveInteger('perGroup.max', max)
  const width = Math.min(limit, count)
  const rows = sharedUint32(request.queries * width)
  const scores = sharedFloat32(request.queries * width)
  const counts = sharedUint32(request.queries)
  let short = Uint32Array.from({ length: request.queries }, (_, query) => query)
  for (let room = 4 * limit; short.length > 0; room *= 4) {
    const depth = Math.min(room, count)
    const found = await rank(depth, selectQueries(request, short))
    short = short.filter((query, i) => {
      const taken = new Map<number | string, number>()
      let kept = 0
      for (let place = 0; place < found.counts[i] && kept < width; place++) {
        const row = found.rows[i * depth + place]
        const full = taken.get(groups[row]) ?? 0
        if (full === max) continue
        taken.set(groups[row], full + 1)
        rows[query * width + kept] = row
        scores[query * width + kept++] = found.scores[i * depth + place]
      }
      counts[query] = kept
      return kept < width && found.counts[i] === depth && depth < count
    })
  }
  return { rows, scores, counts }
}

function selectQueries(
  { vectorRows, excluded }: Omit<RankRequest, 'limit'>,
  queries: Uint32Array,
): Partial<RankRequest> {
  return {
    queries: queries.length,
    vectorRows: queries.map((query) => vectorRows?.[query] ?? query),
    excluded: excluded && { ...excluded, lists: queries.map((query) => excluded.lists?.[query] ?? query) },
  }
}
