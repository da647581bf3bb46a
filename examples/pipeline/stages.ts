import { bytes, duration } from '../text/format.ts'
import { MemorySeries } from './memory-series.ts'
import type { Progress } from './progress.ts'

/** What a stage cost. */
export interface StageCost {
  readonly stage: string
  /** Seconds since the first stage could have begun. */
  readonly began: number
  readonly seconds: number
  /** Highest resident memory of the process while the stage ran, in bytes. */
  readonly peakMemory: number
  /** What came of it, or why it failed. */
  readonly outcome: string
  readonly failed?: boolean
}

/** Runs the stages of the pipeline one after the other and keeps what each cost. */
export class Stages {
  readonly costs: StageCost[] = []
  readonly memory = new MemorySeries()
  /** Called when a stage has ended, well or not. */
  onEnd: () => void = () => {}
  readonly #progress: Progress
  readonly #signal: AbortSignal
  readonly #origin = performance.now()

  constructor(progress: Progress, signal: AbortSignal) {
    this.#progress = progress
    this.#signal = signal
  }

  /** Seconds since the first stage could have begun. */
  get elapsed(): number {
    return (performance.now() - this.#origin) / 1000
  }

  /** Runs one stage; `describe` puts its result in a line. */
  async run<T>(stage: string, work: () => Promise<T>, describe: (result: T) => string): Promise<T> {
    this.#signal.throwIfAborted()
    this.#progress.begin(stage)
    const began = this.elapsed
    const before = process.resourceUsage().maxRSS
    let peakMemory = 0
    const measure = () => {
      const resident = process.memoryUsage.rss()
      peakMemory = Math.max(peakMemory, resident)
      this.memory.add(this.elapsed, resident)
    }
    measure()
    const sample = setInterval(measure, 100)
    const cost = () => ({ stage, began, seconds: this.elapsed - began, peakMemory })
    try {
      const result = await work()
      this.#signal.throwIfAborted()
      measure()
      // The kernel's own high-water mark is exact, but only for a stage that raised it. In kibibytes.
      const highest = process.resourceUsage().maxRSS
      if (highest > before) peakMemory = Math.max(peakMemory, highest * 1024)
      const { seconds } = cost()
      const outcome = describe(result)
      this.costs.push({ ...cost(), seconds, outcome })
      this.#progress.end(`done in ${duration(seconds)}, peak memory ${bytes(peakMemory)}: ${outcome}`)
      return result
    } catch (error) {
      this.costs.push({ ...cost(), outcome: error instanceof Error ? error.message : String(error), failed: true })
      throw error
    } finally {
      clearInterval(sample)
      this.#progress.stop()
      this.onEnd()
    }
  }
}
