import { bytes, duration } from '../text/format.ts'
import type { Progress } from './progress.ts'

/** What a stage cost. */
export interface StageCost {
  readonly stage: string
  readonly seconds: number
  /** Highest resident memory of the process while the stage ran, in bytes. */
  readonly peakMemory: number
  readonly outcome: string
}

/** Runs the stages of the pipeline one after the other and keeps what each cost. */
export class Stages {
  readonly costs: StageCost[] = []
  readonly #progress: Progress
  readonly #signal: AbortSignal

  constructor(progress: Progress, signal: AbortSignal) {
    this.#progress = progress
    this.#signal = signal
  }

  /** Runs one stage; `describe` puts its result in a line. */
  async run<T>(stage: string, work: () => Promise<T>, describe: (result: T) => string): Promise<T> {
    this.#signal.throwIfAborted()
    this.#progress.begin(stage)
    const began = performance.now()
    const before = process.resourceUsage().maxRSS
    let peakMemory = process.memoryUsage.rss()
    const sample = setInterval(() => {
      peakMemory = Math.max(peakMemory, process.memoryUsage.rss())
    }, 100)
    try {
      const result = await work()
      this.#signal.throwIfAborted()
      // The kernel's own high-water mark is exact, but only for a stage that raised it. In kibibytes.
      const highest = process.resourceUsage().maxRSS
      peakMemory = Math.max(peakMemory, highest > before ? highest * 1024 : process.memoryUsage.rss())
      const seconds = (performance.now() - began) / 1000
      const outcome = describe(result)
      this.costs.push({ stage, seconds, peakMemory, outcome })
      this.#progress.end(`done in ${duration(seconds)}, peak memory ${bytes(peakMemory)}: ${outcome}`)
      return result
    } finally {
      clearInterval(sample)
      this.#progress.stop()
    }
  }
}
