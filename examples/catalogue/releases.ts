import { type Random, randomStream, WeightedChoice } from './random.ts'
import { type Genre, type Style, styles } from './styles.ts'
import { familyNames, firstNames, words } from './words.ts'

/** One record of the invented catalogue. */
export interface Release {
  readonly releaseId: number
  readonly title: string
  readonly artist: string
  readonly label: string
  readonly country: string
  readonly year: number
  readonly genres: readonly string[]
  /** The main style first. */
  readonly styles: readonly string[]
  /** Share of the catalogue's popularity, before taste: Zipf. */
  readonly popularity: number
}

/** The last year a record of the catalogue came out. */
export const lastYear = 2024

interface Label {
  readonly name: string
  readonly country: string
}
interface Artist {
  readonly name: string
  readonly labels: readonly Label[]
  readonly firstYear: number
  readonly career: number
}
interface Scene {
  readonly style: Style
  readonly labels: readonly Label[]
  readonly artists: readonly Artist[]
  readonly artistChoice: WeightedChoice
}

/**
 * Invents `count` releases: every style has labels, labels have artists, artists have careers. `unknown` more, by the same artists
 * and labels, have no popularity: the first are the same with and without them.
 */
export function inventReleases(count: number, seed: number, unknown = 0): Release[] {
  const random = randomStream(seed, -2)
  const names = new Set<string>()
  const scenes = styles.map((style) => inventScene(style, count, names, random))
  const sceneChoice = new WeightedChoice(scenes.keys(), (scene) => styles[scene]!.weight)
  const popularity = zipf(count, random)
  const titles = new Set<string>()
  return Array.from({ length: count + unknown }, (_, row) =>
    inventRelease(row, scenes[sceneChoice.draw(random)]!, popularity[row] ?? 0, titles, random),
  )
}

function inventScene(style: Style, count: number, names: Set<string>, random: Random): Scene {
  const total = styles.reduce((sum, each) => sum + each.weight, 0)
  const releases = (count * style.weight) / total
  const forms = words[style.genre]
  const country = new WeightedChoice(style.countries.keys(), (rank) => 1 / (rank + 1))
  const labels = Array.from({ length: Math.max(3, Math.round(releases / 30)) }, () => ({
    name: unused(names, () => phrase(random.pick(forms.labels), style.genre, random)),
    country: style.countries[country.draw(random)]!,
  }))
  const artists = Array.from({ length: Math.max(6, Math.round(releases / 5)) }, () => {
    const home = random.pick(labels)
    return {
      name: unused(names, () => phrase(random.pick(forms.artists), style.genre, random)),
      labels: [home, home, random.pick(labels)],
      firstYear: Math.round(random.normal(style.peak - 3, style.spread * 0.8)),
      career: 2 + random.below(12),
    }
  })
  return {
    style,
    labels,
    artists,
    artistChoice: new WeightedChoice(artists.keys(), (rank) => (rank + 3) ** -0.6),
  }
}

function inventRelease(row: number, scene: Scene, popularity: number, titles: Set<string>, random: Random): Release {
  const artist = scene.artists[scene.artistChoice.draw(random)]!
  const label = random.pick(artist.labels)
  const main = scene.style
  const second = random.chance(0.4) ? styles.find((each) => each.name === random.pick(main.neighbours)) : undefined
  const year = Math.min(lastYear, Math.max(1950, artist.firstYear + random.below(artist.career)))
  return {
    releaseId: 100_000 + row * 7 + random.below(7),
    title: unused(titles, () => phrase(random.pick(words[main.genre].titles), main.genre, random)),
    artist: artist.name,
    label: label.name,
    country: label.country,
    year,
    genres: [...new Set([main.genre, ...(second ? [second.genre] : [])])],
    styles: [main.name, ...(second ? [second.name] : [])],
    popularity,
  }
}

/** Popularity of rank r is proportional to (r + 20)^-0.8, ranks dealt at random: a few hits, a long tail. */
function zipf(count: number, random: Random): Float64Array {
  const popularity = Float64Array.from({ length: count }, (_, rank) => (rank + 20) ** -0.8)
  for (let i = count - 1; i > 0; i--) {
    const j = random.below(i + 1)
    const other = popularity[j]!
    popularity[j] = popularity[i]!
    popularity[i] = other
  }
  return popularity
}

/** Tries again a few times when the name is taken, then numbers it. */
function unused(taken: Set<string>, invent: () => string): string {
  let name = invent()
  for (let tries = 0; tries < 20 && taken.has(name); tries++) name = invent()
  for (let volume = 2, stem = name; taken.has(name); volume++) name = `${stem} ${roman(volume)}`
  taken.add(name)
  return name
}

function phrase(pattern: string, genre: Genre, random: Random): string {
  const { adjectives, nouns, places } = words[genre]
  const used = new Set<string>()
  const fresh = (from: readonly string[]): string => {
    let word = random.pick(from)
    while (used.has(word)) word = random.pick(from)
    used.add(word)
    return word
  }
  const text = pattern.replaceAll(/\{(.)\}/g, (_, kind: string) => {
    if (kind === 'a') return fresh(adjectives)
    if (kind === 'n') return fresh(nouns)
    if (kind === 'p') return fresh(places)
    if (kind === 'f') return fresh(firstNames)
    if (kind === 'l') return fresh(familyNames)
    return String(kind === 'v' ? 1 + random.below(9) : 2 + random.below(97))
  })
  return text.replace(/\bA (?=[AEIOU])/, 'An ')
}

function roman(value: number): string {
  return ['', 'I', 'II', 'III', 'IV', 'V', 'VI', 'VII', 'VIII', 'IX'][value] ?? String(value)
}
