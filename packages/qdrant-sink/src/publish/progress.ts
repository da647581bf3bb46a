import type { Connection } from '../server/connection.ts'

/** The steps of a publication, in their order. */
export type Phase =
  | 'preflight'
  | 'create'
  | 'index'
  | 'upload'
  | 'restore'
  | 'ready'
  | 'verify'
  | 'swap'
  | 'clean'
  | 'done'

export interface PublishProgress {
  phase: Phase
  /** The collection at work: items first, then users. */
  collection: string | undefined
  /** Points on the server and all points, over all collections of the publication. */
  points: number
  totalPoints: number
  /** Bytes of request bodies sent, retries included. */
  bytes: number
  /** Mean of this run's upload so far; a resumed run does not count what was there. */
  pointsPerSecond: number
  /** Batches on their way. */
  inFlight: number
  /** Requests that were sent again. */
  retries: number
  /** Seconds until the upload ends at this rate; undefined before the first batch and after the last. */
  etaSeconds: number | undefined
}

/** Gathers the figures and hands a snapshot of them to the caller, after every batch and at every change of phase. */
export class Progress {
  #phase: Phase = 'preflight'
  #collection: string | undefined
  #points = 0
  #sent = 0
  #inFlight = 0
  #uploading = 0
  #since = 0
  readonly #total: number
  readonly #connection: Connection
  readonly #listener: ((progress: PublishProgress) => void) | undefined

  constructor(total: number, connection: Connection, listener: ((progress: PublishProgress) => void) | undefined) {
    this.#total = total
    this.#connection = connection
    this.#listener = listener
  }

  enter(phase: Phase, collection?: string): void {
    if (this.#phase === 'upload') this.#uploading += performance.now() - this.#since
    this.#phase = phase
    this.#collection = collection
    this.#since = performance.now()
    this.#report()
  }

  get phase(): Phase {
    return this.#phase
  }

  /** Points that an earlier run has left on the server. */
  resume(points: number): void {
    this.#points += points
  }

  sent(points: number): void {
    this.#points += points
    this.#sent += points
    this.#report()
  }

  inFlight(change: 1 | -1): void {
    this.#inFlight += change
  }

  #report(): void {
    if (!this.#listener) return
    const milliseconds = this.#uploading + (this.#phase === 'upload' ? performance.now() - this.#since : 0)
    const pointsPerSecond = milliseconds > 0 ? (1000 * this.#sent) / milliseconds : 0
    const left = this.#total - this.#points
    this.#listener({
      phase: this.#phase,
      collection: this.#collection,
      points: this.#points,
      totalPoints: this.#total,
      bytes: this.#connection.bytesSent,
      pointsPerSecond,
      inFlight: this.#inFlight,
      retries: this.#connection.retries,
      etaSeconds: this.#phase === 'upload' && this.#sent > 0 && left > 0 ? left / pointsPerSecond : undefined,
    })
  }
}
