import { octaveOf } from '../report/run-record.ts'

/** Sums by the octave of a count; a count of 0 is in none. */
export class OctaveCounts {
  readonly counts: number[] = []

  add(count: number, amount: number): void {
    if (count === 0) return
    const octave = octaveOf(count)
    while (this.counts.length <= octave) this.counts.push(0)
    this.counts[octave]! += amount
  }
}
