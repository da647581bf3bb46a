/** Points that a series has at most. */
const MOST = 512

/** Memory over time in bounded space: the highest of each span of time; spans get longer as the series does. */
export class MemorySeries {
  #width = 0.1
  #peaks: number[] = []

  /** Adds what was measured at a time, in seconds since the start. */
  add(seconds: number, bytes: number): void {
    while (seconds >= this.#width * MOST) this.#halve()
    const at = Math.floor(seconds / this.#width)
    while (this.#peaks.length <= at) this.#peaks.push(0)
    this.#peaks[at] = Math.max(this.#peaks[at]!, bytes)
  }

  /** Start of each span in which something was measured, and its highest bytes. */
  points(): [seconds: number, bytes: number][] {
    return this.#peaks.flatMap((bytes, at): [number, number][] => (bytes > 0 ? [[round(at * this.#width), bytes]] : []))
  }

  #halve(): void {
    const halved: number[] = []
    for (let at = 0; at < this.#peaks.length; at += 2) halved.push(Math.max(this.#peaks[at]!, this.#peaks[at + 1] ?? 0))
    this.#peaks = halved
    this.#width *= 2
  }
}

function round(seconds: number): number {
  return Math.round(10 * seconds) / 10
}
