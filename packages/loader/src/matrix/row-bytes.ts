/** Bytes that rows take on their way. `coded`: values are codebook codes of one byte. `timed`: times are kept. */

/** Per row while it waits in a worker's queues, or in a temporary file. */
export function stagedBytes(coded: boolean, timed: boolean): number {
  return 8 + (coded ? 0 : 4) + (timed ? 8 : 0)
}

/** Per row in the scatter area. */
export function scatterBytes(coded: boolean, timed: boolean): number {
  return 4 + (coded ? 1 : 4) + 2 + (timed ? 8 : 0)
}

/** In one worker, to merge a bucket of so many rows. */
export function mergerBytes(rows: number, coded: boolean, timed: boolean): number {
  return rows * 1.25 * (20 + (coded && !timed ? 1 : 6) + (timed ? 8 : 0))
}
