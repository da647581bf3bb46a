import { MultiBar, Presets, type SingleBar } from 'cli-progress'
import { compact } from './format.ts'

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

/** Bars on a terminal, plain lines elsewhere. */
export function showProgress(stream: NodeJS.WriteStream = process.stderr): Progress {
  return stream.isTTY ? new Bars(stream) : new Lines(stream)
}

/** Items per second since a phase began. */
class Rate {
  #began = performance.now()
  #phase = ''
  #first = 0

  text({ phase, done, unit }: Standing): string {
    if (phase !== this.#phase) {
      this.#phase = phase
      this.#began = performance.now()
      this.#first = done
      return ''
    }
    const seconds = (performance.now() - this.#began) / 1000
    return seconds > 0.05 && done > this.#first ? `${compact((done - this.#first) / seconds)} ${unit}/s` : ''
  }
}

class Bars implements Progress {
  readonly #stream: NodeJS.WriteStream
  #bars: MultiBar | undefined
  #bar: SingleBar | undefined
  #stage = ''
  #phase = ''
  #rate = new Rate()

  constructor(stream: NodeJS.WriteStream) {
    this.#stream = stream
  }

  begin(stage: string): void {
    this.stop()
    this.#stage = stage
    this.#phase = ''
    this.#rate = new Rate()
    this.#bars = new MultiBar(
      {
        stream: this.#stream,
        format: '{stage} {phase} {bar} {percentage}%  {counted}  {rate}  {note}',
        barsize: 20,
        hideCursor: true,
        autopadding: true,
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
    if (standing.phase !== this.#phase) {
      this.#phase = standing.phase
      this.#bar = this.#bars.create(total, 0, { stage: this.#stage.padEnd(9), phase: standing.phase.padEnd(13) })
    }
    this.#bar?.setTotal(total)
    this.#bar?.update(standing.done, {
      counted: counted(standing).padEnd(20),
      rate: this.#rate.text(standing).padEnd(16),
      note: standing.note ?? '',
    })
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

/** At most one line a second, and one for each new phase. */
class Lines implements Progress {
  readonly #stream: NodeJS.WriteStream
  #stage = ''
  #phase = ''
  #last = 0
  #rate = new Rate()

  constructor(stream: NodeJS.WriteStream) {
    this.#stream = stream
  }

  begin(stage: string): void {
    this.#stage = stage
    this.#phase = ''
    this.#rate = new Rate()
    this.#line('started')
  }

  update(standing: Standing): void {
    const rate = this.#rate.text(standing)
    const now = performance.now()
    if (standing.phase === this.#phase && now - this.#last < 1000) return
    this.#phase = standing.phase
    this.#last = now
    const share = standing.total ? `${Math.floor((100 * standing.done) / standing.total)} %` : ''
    this.#line([standing.phase, share, counted(standing), rate, standing.note].filter(Boolean).join('  '))
  }

  end(outcome: string): void {
    this.#line(outcome)
  }

  stop(): void {}

  #line(text: string): void {
    this.#stream.write(`${this.#stage.padEnd(9)} ${text}\n`)
  }
}

function counted({ done, total, unit }: Standing): string {
  if (total === 0) return ''
  const whole = compact(Math.floor(done))
  return total === undefined ? `${whole} ${unit}` : `${whole} of ${compact(total)} ${unit}`
}
