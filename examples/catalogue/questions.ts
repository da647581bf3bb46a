import type { ItemPayload } from '../pipeline/payload.ts'
import type { Question, QuestionFilter } from '../pipeline/questions.ts'

/** The payload of the record shop's configuration. */
export interface ReleasePayload extends ItemPayload {
  readonly title: string | null
  readonly year: number | null
  readonly country: string | null
  readonly artists: readonly string[]
  readonly labels: readonly string[]
  readonly genres: readonly string[]
  readonly styles: readonly string[]
}

/**
 * The questions of the quickstart. Each starts from well-known releases of a style, so that a reader can judge what
 * comes back by its styles, years and labels. No release is asked about twice, as long as there are enough.
 */
export function askRecordShop(releases: readonly ReleasePayload[]): Question[] {
  const counts = Float64Array.from(releases, (release) => release.interaction_count).sort()
  const quantile = (share: number) => counts[Math.floor(share * (counts.length - 1))]!
  const rare = quantile(0.25)
  const famous = quantile(0.95)
  const asked = new Set<ReleasePayload>()
  const pick = (style: string, first: number, last: number): ReleasePayload[] => {
    const found = wellKnown(releases, style, [first, last], asked)
    if (found) asked.add(found)
    return found ? [found] : []
  }
  const question = (
    title: string,
    positive: ReleasePayload[],
    filter: QuestionFilter = {},
    negative: ReleasePayload[] = [],
  ) => ({
    title,
    positive,
    negative,
    filter,
  })
  const house = pick('Deep House', 1990, 1999)
  const three = [...pick('Hard Bop', 1950, 1969), ...pick('Boom Bap', 1990, 1999), ...pick('Funk', 1970, 1979)]
  const kraut = pick('Krautrock', 1970, 1979)
  const dub = pick('Dub', 1970, 1989)
  const reggae = pick('Roots Reggae', 1970, 1989)
  const synth = pick('Synth-pop', 1980, 1989)
  const questions = [
    question('Similar releases', house),
    question('A blend of three', three),
    question('The same taste, but Electronic from the 1990s', kraut, {
      has: { genres: 'Electronic' },
      between: { year: [1990, 1999] },
    }),
    question('More of this, less of that', dub, {}, reggae),
    question(`Hidden gems: at most ${rare} interactions`, synth, { between: { interaction_count: [0, rare] } }),
    question(`Crowd favourites: at least ${famous} interactions`, synth, {
      between: { interaction_count: [famous, Number.MAX_SAFE_INTEGER] },
    }),
  ]
  return questions.filter(({ positive }) => positive.length > 0)
}

/** The release with most interactions whose main style is `style`, of these years when there is one, not asked about yet. */
function wellKnown(
  releases: readonly ReleasePayload[],
  style: string,
  [first, last]: [number, number],
  asked: ReadonlySet<ReleasePayload>,
): ReleasePayload | undefined {
  const fresh = releases.filter((release) => !asked.has(release))
  const ofStyle = fresh.filter((release) => release.styles[0] === style)
  const ofYears = ofStyle.filter(({ year }) => year !== null && year >= first && year <= last)
  const candidates = [ofYears, ofStyle, fresh].find((list) => list.length > 0)
  return candidates?.reduce((best, release) => (release.interaction_count > best.interaction_count ? release : best))
}
