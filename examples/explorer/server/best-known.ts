import type { Catalogue } from './catalogue.ts'
import type { Question } from './source.ts'

/** Where nothing is asked for: the rows with most interactions that pass the filter. */
export function bestKnown(catalogue: Catalogue, { negative, filter, onePerArtist, limit }: Question): number[] {
  const { min = 0, max = Number.POSITIVE_INFINITY } = filter.interactions
  const passing = catalogue.passing(filter)
  const artists = new Set<number>()
  const rows: number[] = []
  for (const row of catalogue.byPopularity) {
    if (rows.length === limit) break
    const count = catalogue.counts[row]!
    if (count > max || count < min || negative.includes(row) || passing?.[row] === 0) continue
    const artist = catalogue.artists.codes(row)[0]
    if (onePerArtist && artist !== undefined && artists.has(artist)) continue
    if (artist !== undefined) artists.add(artist)
    rows.push(row)
  }
  return rows
}
