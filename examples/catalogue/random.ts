import { randomLogNormal, randomNormal } from 'd3-random'
import { uniformFloat64 } from 'pure-rand/distribution/uniformFloat64'
import { xoroshiro128plus } from 'pure-rand/generator/xoroshiro128plus'

/** One reproducible stream of random numbers. */
export interface Random {
  /** Uniform in [0, 1). */
  uniform(): number
  /** Whole number in [0, end). */
  below(end: number): number
  chance(probability: number): boolean
  pick<T>(from: readonly T[]): T
  normal(mean: number, deviation: number): number
  /** exp of a normal: `median` is the middle, `sigma` the deviation of the logarithm. */
  logNormal(median: number, sigma: number): number
}

/** A stream of its own for each (seed, index), so that what one collector draws never depends on how many there are. */
export function randomStream(seed: number, index: number): Random {
  const generator = xoroshiro128plus((Math.imul(seed, 0x9e3779b1) ^ Math.imul(index + 1, 0x85ebca6b)) | 0)
  // The first outputs of neighbouring seeds are alike.
  for (let i = 0; i < 8; i++) generator.next()
  const uniform = () => uniformFloat64(generator)
  return {
    uniform,
    below: (end) => Math.floor(uniform() * end),
    chance: (probability) => uniform() < probability,
    pick: (from) => from[Math.floor(uniform() * from.length)]!,
    normal: (mean, deviation) => randomNormal.source(uniform)(mean, deviation)(),
    logNormal: (median, sigma) => randomLogNormal.source(uniform)(Math.log(median), sigma)(),
  }
}

/** Draws members with a probability proportional to their weight: a binary search in the running sum. */
export class WeightedChoice {
  readonly #members: Uint32Array
  readonly #sums: Float64Array

  constructor(members: Iterable<number>, weightOf: (member: number) => number) {
    this.#members = Uint32Array.from(members)
    this.#sums = new Float64Array(this.#members.length)
    let sum = 0
    for (let i = 0; i < this.#members.length; i++) this.#sums[i] = sum += weightOf(this.#members[i]!)
  }

  get size(): number {
    return this.#members.length
  }

  draw(random: Random): number {
    const at = random.uniform() * this.#sums[this.size - 1]!
    let low = 0
    let high = this.size - 1
    while (low < high) {
      const middle = (low + high) >> 1
      if (this.#sums[middle]! > at) high = middle
      else low = middle + 1
    }
    return this.#members[low]!
  }
}
