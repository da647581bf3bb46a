import { styleText } from 'node:util'
import { type AlsModel, type InteractionMatrix, Recommender } from '@seesaw/als-core'
import type { ItemStore } from '../pipeline/item-store.ts'
import { renderItems } from '../pipeline/tables.ts'
import type { ReleasePayload } from './questions.ts'

/** Enough held-out entries to see whether any is found again. */
const enough = 10

/**
 * What one user has, in words, and what the model recommends to them, with a mark on what was held out: what they have
 * in truth, unknown to the model. The user is the first with ten held-out entries, not one chosen for a good list; where
 * nobody has ten, the one with most.
 */
export async function renderPortrait(
  model: AlsModel,
  known: InteractionMatrix,
  heldOut: InteractionMatrix,
  releases: ItemStore,
  payload: readonly string[],
  limit: number,
  columns: number,
): Promise<string> {
  const user = pickUser(heldOut)
  const recommender = new Recommender(model, { interactions: known })
  try {
    const found = [...(await recommender.recommend(user, { limit }))]
    const heading = styleText('bold', `For collector ${model.userIds?.at(user) ?? user}`)
    const has = `  has ${describe(itemsOf(known, user).map((row) => releases.payload(row) as ReleasePayload))}`
    if (found.length === 0) return `${heading}\n${has}\n  which is all there is: nothing is left to recommend`
    const hidden = new Set(itemsOf(heldOut, user))
    const measures = found.map(({ row, score }) => ({
      score: score.toFixed(3).replace(/^-(0\.0+)$/, '$1'),
      'has it': hidden.has(row) ? 'yes' : '',
    }))
    const hits = found.filter(({ row }) => hidden.has(row)).length
    return [
      heading,
      has,
      renderItems(
        found.map(({ row }) => releases.payload(row)),
        payload.slice(0, 4),
        measures,
        columns,
      ),
      `${hits} of ${found.length} are among the ${hidden.size} releases that this collector has and the model was not told of.`,
    ].join('\n')
  } finally {
    await recommender.close()
  }
}

function pickUser({ users, csr }: InteractionMatrix): number {
  let best = 0
  let most = -1
  for (let user = 0; user < users; user++) {
    const entries = csr.indptr[user + 1]! - csr.indptr[user]!
    if (entries >= enough) return user
    if (entries > most) [best, most] = [user, entries]
  }
  return best
}

function itemsOf({ csr }: InteractionMatrix, user: number): number[] {
  return Array.from(csr.indices.subarray(csr.indptr[user], csr.indptr[user + 1]))
}

/** "41 releases: 18 Techno, 9 House, 5 Electro; mostly of the 1990s and 2000s". */
function describe(releases: readonly ReleasePayload[]): string {
  const styles = mostFrequent(
    releases.flatMap((release) => release.styles.slice(0, 1)),
    3,
  )
  const decades = mostFrequent(
    releases.flatMap(({ year }) => (year === null ? [] : [`${Math.floor(year / 10)}0s`])),
    2,
  )
  const count = releases.length === 1 ? 'one release' : `${releases.length} releases`
  const ofStyles = styles.map(([style, count]) => `${count} ${style}`).join(', ')
  const ofDecades = decades.map(([decade]) => decade).join(' and ')
  return [ofStyles ? `${count}: ${ofStyles}` : count, ofDecades && `mostly of the ${ofDecades}`]
    .filter(Boolean)
    .join('; ')
}

function mostFrequent(values: readonly string[], limit: number): [string, number][] {
  const counts = Map.groupBy(values, (value) => value)
  return [...counts]
    .map(([value, { length }]): [string, number] => [value, length])
    .sort((a, b) => b[1] - a[1])
    .slice(0, limit)
}
