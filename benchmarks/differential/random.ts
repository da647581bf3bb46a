import { randomStream } from '../random-stream.ts'

/** Choices that a seed decides. */
export class Random {
  readonly #next: () => number

  constructor(seed: number) {
    this.#next = randomStream(seed, 0)
  }

  chance(probability: number): boolean {
    return this.#next() < probability
  }

  /** An integer from `from` to `to`, both included. */
  int(from: number, to: number): number {
    return from + Math.floor(this.#next() * (to - from + 1))
  }

  pick<T>(values: readonly T[]): T {
    return values[Math.floor(this.#next() * values.length)]
  }

  /** Some of the values, at least one, in their order. */
  some<T>(values: readonly T[], probability: number): T[] {
    const chosen = values.filter(() => this.chance(probability))
    return chosen.length > 0 ? chosen : [this.pick(values)]
  }

  shuffle<T>(values: readonly T[]): T[] {
    return values
      .map((value) => [this.#next(), value] as const)
      .sort(([a], [b]) => a - b)
      .map(([, value]) => value)
  }
}
