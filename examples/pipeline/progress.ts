import { MultiBar, Presets, type SingleBar } from 'cli-progress'
import { compact, cut, duration } from '../text/format.ts'

/** Where a stage stands. */
export interface Standing {
  /** What the stage is at now, as 'pass 1 of 2'. A new phase starts a new bar. */
  readonly phase: string
  readonly done: number
  /** Unknown when absent. */
  readonly total?: number
  /** What is counted, as 'rows'. */
  readonly unit: string
  /** Anything else worth reading, as 'loss 1.234e6'. */
  readonly note?: string
}

/** Shows how far the stages are, on standard error. */
export interface Progress {
  /** A stage begins; the one before is over. */
  begin(stage: string): void
  update(standing: Standing): void
  /** The stage is over; `outcome` says what came of it. */
  end(outcome: string): void
  /** Stops drawing, whatever is under way. */
  stop(): void
}

/** Bars on a terminal, plain lines elsewhere; nothing more once `signal` has aborted. */
export function showProgress(signal: AbortSignal, stream: NodeJS.WriteStream = process.stderr): Progress {
  const progress = stream.isTTY ? new Bars(stream, signal) : new Lines(stream, signal)
  signal.addEventListener('abort', () => progress.stop(), { once: true })
  return progress
}

/** Counted per second since a phase began, and the time that the rest will take at that rate. */
class Rate {
  #began = performance.now()
  #phase = ''
  #first = 0

  texts({ phase, done, total, unit }: Standing): string[] {
    if (phase !== this.#phase) {
      this.#phase = phase
      this.#began = performance.now()
      this.#first = done
      return []
    }
    const seconds = (performance.now() - this.#began) / 1000
    if (seconds < 0.05 || done <= this.#first) return []
    const rate = (done - this.#first) / seconds
    const left = total !== undefined && total > done ? [`${duration((total - done) / rate, 1)} left`] : []
    return [`${compact(rate)} ${unit}/s`, ...left]
  }
}

class Bars implements Progress {
  readonly #stream: NodeJS.WriteStream
  readonly #signal: AbortSignal
  #bars: MultiBar | undefined
  #bar: SingleBar | undefined
  #stage = ''
  #phase = ''
  #rate = new Rate()

  constructor(stream: NodeJS.WriteStream, signal: AbortSignal) {
    this.#stream = stream
    this.#signal = signal
  }

  begin(stage: string): void {
    this.stop()
    this.#stage = stage
    this.#phase = ''
    this.#rate = new Rate()
    if (this.#signal.aborted) return
    this.#bars = new MultiBar(
      {
        stream: this.#stream,
        // One column is left free: a terminal may break a line that fills it.
        format: (options, { progress }, { text }: { text: string }) => {
          const full = Math.round(progress * BAR)
          const bar = options.barCompleteString!.slice(0, full) + options.barIncompleteString!.slice(0, BAR - full)
          return cut(text.replace('{bar}', bar), this.#stream.columns - 1)
        },
        barsize: BAR,
        hideCursor: true,
        clearOnComplete: true,
        // The program handles signals itself.
        gracefulExit: false,
        emptyOnZero: true,
      },
      Presets.shades_classic,
    )
  }

  update(standing: Standing): void {
    if (!this.#bars) return
    const total = standing.total ?? 0
    const share = `${Math.floor((100 * standing.done) / (total || 1))} %`.padStart(5)
    const parts = [counted(standing), ...this.#rate.texts(standing), standing.note].filter(Boolean)
    const text = `${this.#stage.padEnd(9)} ${standing.phase.padEnd(13)} {bar} ${share}  ${parts.join('  ')}`
    if (standing.phase !== this.#phase) {
      this.#phase = standing.phase
      this.#bar = this.#bars.create(total, 0, { text })
    }
    this.#bar?.setTotal(total)
    this.#bar?.update(standing.done, { text })
  }

  end(outcome: string): void {
    this.stop()
    this.#stream.write(`${this.#stage.padEnd(9)} ${outcome}\n`)
  }

  stop(): void {
    this.#bars?.stop()
    this.#bars = undefined
    this.#bar = undefined
  }
}

/** Columns of a bar. */
const BAR = 20

/** At most one line a second, and one for each new phase. */
class Lines implements Progress {
  readonly #stream: NodeJS.WriteStream
  readonly #signal: AbortSignal
  #stage = ''
  #phase = ''
  #last = 0
  #rate = new Rate()

  constructor(stream: NodeJS.WriteStream, signal: AbortSignal) {
    this.#stream = stream
    this.#signal = signal
  }

  begin(stage: string): void {
    this.#stage = stage
    this.#phase = ''
    this.#rate = new Rate()
    this.#line('started')
  }

  update(standing: Standing): void {
    const rate = this.#rate.texts(standing)
    const now = performance.now()
    if (standing.phase === this.#phase && now - this.#last < 1000) return
    this.#phase = standing.phase
    this.#last = now
    const share = standing.total ? `${Math.floor((100 * standing.done) / standing.total)} %` : ''
    this.#line([standing.phase, share, counted(standing), ...rate, standing.note].filter(Boolean).join('  '))
  }

  end(outcome: string): void {
    this.#line(outcome)
  }

  stop(): void {}

  #line(text: string): void {
    if (!this.#signal.aborted) this.#stream.write(`${this.#stage.padEnd(9)} ${text}\n`)
  }
}

function counted({ done, total, unit }: Standing): string {
  if (total === 0) return ''
  const whole = compact(Math.floor(done))
  return total === undefined ? `${whole} ${unit}` : `${whole} of ${compact(total)} ${unit}`
}
