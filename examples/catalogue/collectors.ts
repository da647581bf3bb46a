import { type Random, randomStream, WeightedChoice } from './random.ts'
import type { Release } from './releases.ts'
import { styles } from './styles.ts'

/** What one collector owns, looks for and thinks; releases by their row in the catalogue. */
export interface Collection {
  readonly haves: readonly number[]
  readonly wants: readonly number[]
  /** Of some of the haves: [release, stars]. */
  readonly ratings: readonly (readonly [number, number])[]
}

/** Planted taste: what somebody who reads a recommendation can check it against. */
export interface Taste {
  /** One to three styles, the favourite first, with their shares (summing to 1). */
  readonly styles: readonly string[]
  readonly shares: readonly number[]
  /** One or two decades, as 1970, 1980, ... */
  readonly decades: readonly number[]
  /** Up to three labels of these styles. */
  readonly labels: readonly string[]
}

/** Draws collections: each collector by a random stream of its own. */
export class Collectors {
  readonly #releases: readonly Release[]
  readonly #seed: number
  readonly #everything: WeightedChoice
  /** By style, by style and decade, by label: releases drawn by popularity. */
  readonly #pools: Map<string, WeightedChoice>
  readonly #styleChoice: WeightedChoice

  constructor(releases: readonly Release[], seed: number) {
    this.#releases = releases
    this.#seed = seed
    const popularity = (row: number) => releases[row]!.popularity
    this.#everything = new WeightedChoice(releases.keys(), popularity)
    const members = releases.flatMap((release, row) => poolsOf(release).map((pool) => ({ pool, row })))
    this.#pools = new Map()
    for (const [pool, of] of Map.groupBy(members, (member) => member.pool)) {
      this.#pools.set(
        pool,
        new WeightedChoice(
          of.map((member) => member.row),
          popularity,
        ),
      )
    }
    this.#styleChoice = new WeightedChoice(styles.keys(), (index) => {
      const { name, weight } = styles[index]!
      return this.#pools.has(name) ? weight : 0
    })
  }

  /** The collection of collector number `index`, the same however many collectors there are. */
  collection(index: number): Collection {
    const random = randomStream(this.#seed, index)
    const taste = this.#taste(random)
    const owned = this.#gather(taste, Math.min(600, Math.round(random.logNormal(42, 0.75)) + 5), new Set(), random)
    const wanted = this.#gather(taste, Math.round(random.logNormal(12, 0.8)), new Set(owned), random)
    const ratings: [number, number][] = []
    for (const row of owned)
      if (random.chance(0.2)) ratings.push([row, this.#stars(this.#releases[row]!, taste, random)])
    return { haves: owned, wants: wanted, ratings }
  }

  /** The taste that `collection(index)` draws from. */
  taste(index: number): Taste {
    return this.#taste(randomStream(this.#seed, index))
  }

  #taste(random: Random): Taste {
    const favourite = styles[this.#styleChoice.draw(random)]!
    const followed = new Set([favourite.name])
    while (followed.size < 3 && random.chance(0.6)) {
      followed.add(
        random.chance(0.75) ? random.pick(favourite.neighbours) : styles[this.#styleChoice.draw(random)]!.name,
      )
    }
    const names = [...followed].filter((name) => this.#pools.has(name))
    const raw = names.map((_, rank) => 0.6 ** rank)
    const sum = raw.reduce((a, b) => a + b, 0)
    const decades = [decadeOf(Math.round(random.normal(favourite.peak, favourite.spread)))]
    if (random.chance(0.5)) decades.push(decades[0]! + (random.chance(0.5) ? 10 : -10))
    const labels: string[] = []
    for (let i = 0; i < 3; i++) {
      const label = this.#releases[this.#pools.get(names[0]!)!.draw(random)]!.label
      if (!labels.includes(label)) labels.push(label)
    }
    return { styles: names, shares: raw.map((share) => share / sum), decades, labels }
  }

  #gather(taste: Taste, count: number, excluded: Set<number>, random: Random): number[] {
    const styleChoice = new WeightedChoice(taste.styles.keys(), (rank) => taste.shares[rank]!)
    const chosen: number[] = []
    for (let tries = 0; chosen.length < count && tries < count * 6; tries++) {
      const row = this.#draw(taste, styleChoice, random)
      if (excluded.has(row)) continue
      excluded.add(row)
      chosen.push(row)
    }
    return chosen
  }

  /** One release: 8 % off taste, 27 % by a favourite label, the rest by style, mostly in a favourite decade. */
  #draw(taste: Taste, styleChoice: WeightedChoice, random: Random): number {
    const kind = random.uniform()
    if (kind < 0.08) return this.#everything.draw(random)
    if (kind < 0.35) return this.#pools.get(`label ${random.pick(taste.labels)}`)!.draw(random)
    const style = taste.styles[styleChoice.draw(random)]!
    const inDecade = random.chance(0.75) ? this.#pools.get(`${style} ${random.pick(taste.decades)}`) : undefined
    return (inDecade && inDecade.size > 4 ? inDecade : this.#pools.get(style)!).draw(random)
  }

  #stars(release: Release, taste: Taste, random: Random): number {
    const liked = release.styles.some((name) => taste.styles.includes(name))
    const favourite = taste.labels.includes(release.label) || taste.decades.includes(decadeOf(release.year))
    return Math.max(1, Math.min(5, Math.round(random.normal(liked ? (favourite ? 4.5 : 3.9) : 2.5, 0.8))))
  }
}

function poolsOf(release: Release): string[] {
  return [`label ${release.label}`, ...release.styles.flatMap((name) => [name, `${name} ${decadeOf(release.year)}`])]
}

function decadeOf(year: number): number {
  return Math.floor(year / 10) * 10
}
