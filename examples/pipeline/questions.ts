import type { ReleasePayload } from './payload.ts'

/** Something a person would ask a catalogue, answered alike in process and by Qdrant. */
export interface Question {
  readonly title: string
  /** Releases to be near to: the mean of their vectors. */
  readonly positive: readonly ReleasePayload[]
  /** Releases to move away from. */
  readonly negative: readonly ReleasePayload[]
  readonly filter: QuestionFilter
}

/** All that are given must hold. */
export interface QuestionFilter {
  readonly genre?: string
  /** First and last year. */
  readonly years?: readonly [number, number]
  /** Least and most interaction_count. */
  readonly interactions?: readonly [number, number]
}

/** Answers questions, best first. */
export interface Answerer {
  /** Who answers, as 'in process'. */
  readonly name: string
  answer(question: Question, limit: number): Promise<Answer[]>
  close(): Promise<void>
}

export interface Answer {
  readonly release: ReleasePayload
  readonly score: number
}

/** Whether a release passes a filter. */
export function passes(release: ReleasePayload, { genre, years, interactions }: QuestionFilter): boolean {
  return (
    (genre === undefined || release.genres.includes(genre)) &&
    (years === undefined || (release.year !== null && release.year >= years[0] && release.year <= years[1])) &&
    (interactions === undefined ||
      (release.interaction_count >= interactions[0] && release.interaction_count <= interactions[1]))
  )
}

/**
 * The questions of the quickstart. Each starts from well-known releases of a style, so that a reader can judge what
 * comes back by its styles, years and labels.
 */
export function ask(releases: readonly ReleasePayload[]): Question[] {
  const counts = Float64Array.from(releases, (release) => release.interaction_count).sort()
  const quantile = (share: number) => counts[Math.floor(share * (counts.length - 1))]!
  const rare = quantile(0.25)
  const famous = quantile(0.95)
  const house = wellKnown(releases, 'Deep House', [1990, 1999])
  const jazz = wellKnown(releases, 'Hard Bop', [1950, 1969])
  const kraut = wellKnown(releases, 'Krautrock', [1970, 1979])
  const synth = wellKnown(releases, 'Synth-pop', [1980, 1989])
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
  return [
    question('Similar releases', [house]),
    question('A blend of three', [
      jazz,
      wellKnown(releases, 'Boom Bap', [1990, 1999]),
      wellKnown(releases, 'Funk', [1970, 1979]),
    ]),
    question('The same taste, but Electronic from the 1990s', [kraut], { genre: 'Electronic', years: [1990, 1999] }),
    question('More of this, less of that', [wellKnown(releases, 'Dub', [1970, 1989])], {}, [
      wellKnown(releases, 'Roots Reggae', [1970, 1989]),
    ]),
    question(`Hidden gems: at most ${rare} interactions`, [synth], { interactions: [0, rare] }),
    question(`Crowd favourites: at least ${famous} interactions`, [synth], {
      interactions: [famous, Number.MAX_SAFE_INTEGER],
    }),
  ]
}

/** Questions about any catalogue: the three releases with most interactions, and a blend of them. */
export function askAboutBestKnown(releases: { length: number; payload(row: number): ReleasePayload }): Question[] {
  let best: ReleasePayload[] = []
  for (let row = 0; row < releases.length; row++) {
    const release = releases.payload(row)
    if (best.length === 3 && release.interaction_count <= best[2]!.interaction_count) continue
    best = [...best, release].sort((a, b) => b.interaction_count - a.interaction_count).slice(0, 3)
  }
  const similar = best.map((release) => ({ title: 'Similar releases', positive: [release], negative: [], filter: {} }))
  return [...similar, { title: 'A blend of three', positive: best, negative: [], filter: {} }]
}

/** The release with most interactions whose main style is `style`, of these years when there is one. */
function wellKnown(
  releases: readonly ReleasePayload[],
  style: string,
  [first, last]: [number, number],
): ReleasePayload {
  const ofStyle = releases.filter((release) => release.styles[0] === style)
  const ofYears = ofStyle.filter(({ year }) => year !== null && year >= first && year <= last)
  const candidates = [ofYears, ofStyle, releases].find((list) => list.length > 0) ?? []
  return candidates.reduce((best, release) => (release.interaction_count > best.interaction_count ? release : best))
}
