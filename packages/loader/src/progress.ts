/** Where a load stands. */
export interface LoadProgress {
  readonly phase: 'plan' | 'count' | 'scatter' | 'merge' | 'transpose'
  readonly bytes: number
  readonly totalBytes: number
  readonly rows: number
  readonly totalRows: number
  readonly files: number
  readonly totalFiles: number
  /** Since this phase began. */
  readonly seconds: number
  readonly bytesPerSecond: number
  readonly rowsPerSecond: number
  /** Requests and bodies that had to be read again, since the load began. */
  readonly retries: number
  /** Seconds to the end of this phase at its rate so far; undefined before the first rows. */
  readonly etaSeconds?: number
}

interface Totals {
  bytes: number
  rows: number
  files: number
}

const INTERVAL_MS = 100

/** Adds up what the workers report and passes it on. */
export class ProgressMeter {
  #phase: LoadProgress['phase'] = 'plan'
  #begun = performance.now()
  #reported = 0
  #done: Totals = { bytes: 0, rows: 0, files: 0 }
  #total: Totals = { bytes: 0, rows: 0, files: 0 }
  #retries = 0
  readonly #report: ((progress: LoadProgress) => void) | undefined

  constructor(report: ((progress: LoadProgress) => void) | undefined) {
    this.#report = report
  }

  begin(phase: LoadProgress['phase'], total: Totals): void {
    this.#phase = phase
    this.#total = total
    this.#done = { bytes: 0, rows: 0, files: 0 }
    this.#begun = performance.now()
    this.#send()
  }

  add(done: Partial<Totals>, retries = 0): void {
    this.#done.bytes += done.bytes ?? 0
    this.#done.rows += done.rows ?? 0
    this.#done.files += done.files ?? 0
    this.#retries += retries
    if (performance.now() - this.#reported >= INTERVAL_MS) this.#send()
  }

  /** Ends the phase and returns its seconds. */
  end(): number {
    this.#send()
    return (performance.now() - this.#begun) / 1000
  }

  #send(): void {
    if (this.#report === undefined) return
    this.#reported = performance.now()
    const seconds = (this.#reported - this.#begun) / 1000
    const { bytes, rows, files } = this.#done
    const total = this.#total
    const part = total.rows > 0 ? rows / total.rows : total.files > 0 ? files / total.files : 0
    this.#report({
      phase: this.#phase,
      bytes,
      totalBytes: total.bytes,
      rows,
      totalRows: total.rows,
      files,
      totalFiles: total.files,
      seconds,
      bytesPerSecond: seconds > 0 ? bytes / seconds : 0,
      rowsPerSecond: seconds > 0 ? rows / seconds : 0,
      retries: this.#retries,
      etaSeconds: part > 0 ? (seconds * (1 - part)) / part : undefined,
    })
  }
}
