import { styleText } from 'node:util'
import { type AlsModel, type InteractionMatrix, Recommender } from '@seesaw/als-core'
import type { ReleasePayload } from './payload.ts'
import type { ReleaseStore } from './release-store.ts'
import { cut, renderTable, shareOut } from './tables.ts'

/** Enough held-out entries to see whether any is found again. */
const enough = 10

/**
 * What one user has, in words, and what the model recommends to them, with a mark on what was held out: what they have
 * in truth, unknown to the model. The user is the first with ten held-out entries, not one chosen for a good list.
 */
export async function renderPortrait(
  model: AlsModel,
  known: InteractionMatrix,
  heldOut: InteractionMatrix,
  releases: ReleaseStore,
  limit: number,
  columns: number,
): Promise<string> {
  const user = Array.from({ length: known.users }, (_, row) => row).find(
    (row) => itemsOf(heldOut, row).length >= enough,
  )
  if (user === undefined) return ''
  const recommender = new Recommender(model, { interactions: known })
  try {
    const found = await recommender.recommend(user, { limit })
    const widths = shareOut(columns, [38, 31, 31], 39)
    const hidden = new Set(itemsOf(heldOut, user))
    const rows = found.list(0).map(({ row, score }, rank) => {
      const { title, artists, styles, year } = releases.payload(row)
      return {
        '#': rank + 1,
        title: cut(title ?? `release ${row}`, widths[0]!),
        artist: cut(artists.join(', '), widths[1]!),
        year: year ?? '',
        styles: cut(styles.join(', '), widths[2]!),
        score: score.toFixed(3),
        'has it': hidden.has(row) ? 'yes' : '',
      }
    })
    const hits = rows.filter((row) => row['has it']).length
    return [
      styleText('bold', `For collector ${model.userIds?.at(user) ?? user}`),
      `  has ${describe(itemsOf(known, user).map((row) => releases.payload(row)))}`,
      renderTable(rows, ['#', 'year', 'score']),
      `${hits} of ${rows.length} are among the ${hidden.size} releases that this collector has and the model was not told of.`,
    ].join('\n')
  } finally {
    await recommender.close()
  }
}

function itemsOf({ csr }: InteractionMatrix, user: number): number[] {
  return Array.from(csr.indices.subarray(csr.indptr[user], csr.indptr[user + 1]))
}

/** "41 releases: 18 Techno, 9 House, 5 Electro; 1990s and 2000s". */
function describe(releases: readonly ReleasePayload[]): string {
  const styles = mostFrequent(
    releases.flatMap((release) => release.styles.slice(0, 1)),
    3,
  )
  const decades = mostFrequent(
    releases.map(({ year }) => `${Math.floor((year ?? 0) / 10)}0s`),
    2,
  )
  return [
    `${releases.length} releases: ${styles.map(([style, count]) => `${count} ${style}`).join(', ')}`,
    `mostly of the ${decades.map(([decade]) => decade).join(' and ')}`,
  ].join('; ')
}

function mostFrequent(values: readonly string[], most: number): [string, number][] {
  const counts = Map.groupBy(values, (value) => value)
  return [...counts]
    .map(([value, { length }]): [string, number] => [value, length])
    .sort((a, b) => b[1] - a[1])
    .slice(0, most)
}
