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
  /** In the phase `ready`, the share of the collection's vectors that the server has put into its index, from 0 to 1; otherwise undefined. */
  indexed: number | undefined
  /** Seconds until the upload ends at its rate so far, or in the phase `ready` until the index has all vectors; undefined where there is no rate. */
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
  #indexed: number | undefined
  /** The first share of this phase. */
  #indexedBefore: number | undefined
  readonly #total: number
  readonly #connection: Connection
  readonly #listener: ((progress: PublishProgress) => void) | undefined

  constructor(total: number, connection: Connection, listener: ((progress: PublishProgress) => void) | undefined) {
    this.#total = total
    this.#connection = connection
    this.#listener = listener
  }

  enter(phase: Phase, collection?: string): void {
    if (this.#phase === 'upload') this.#uploading += this.#elapsed()
    this.#phase = phase
    this.#collection = collection
    this.#since = performance.now()
    this.#indexed = undefined
    this.#indexedBefore = undefined
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

  indexed(share: number): void {
    this.#indexed = Math.min(1, share)
    this.#indexedBefore ??= this.#indexed
    this.#report()
  }

  #report(): void {
    if (!this.#listener) return
    const milliseconds = this.#uploading + (this.#phase === 'upload' ? this.#elapsed() : 0)
    const pointsPerSecond = milliseconds > 0 ? (1000 * this.#sent) / milliseconds : 0
    this.#listener({
      phase: this.#phase,
      collection: this.#collection,
      points: this.#points,
      totalPoints: this.#total,
      bytes: this.#connection.bytesSent,
      pointsPerSecond,
      inFlight: this.#inFlight,
      retries: this.#connection.retries,
      indexed: this.#indexed,
      etaSeconds: this.#eta(pointsPerSecond),
    })
  }

  #eta(pointsPerSecond: number): number | undefined {
    const points = this.#total - this.#points
    if (this.#phase === 'upload') return this.#sent > 0 && points > 0 ? points / pointsPerSecond : undefined
    if (this.#indexed === undefined || this.#indexedBefore === undefined) return undefined
    const gained = this.#indexed - this.#indexedBefore
    return gained > 0 ? ((1 - this.#indexed) / gained) * (this.#elapsed() / 1000) : undefined
  }

  /** Milliseconds since this phase began. */
  #elapsed(): number {
    return performance.now() - this.#since
  }
}
