/**
 * Random numbers in [0, 1) for one row: Mulberry32 (public domain), started from a hash of seed and row, so that a row's
 * numbers depend on no other row.
 */
export function rowRandom(seed: number, row: number): () => number {
  let state = mix(seed ^ mix(row + 0x9e3779b9))
  return () => {
    state = (state + 0x6d2b79f5) | 0
    let t = Math.imul(state ^ (state >>> 15), state | 1)
    t ^= t + Math.imul(t ^ (t >>> 7), t | 61)
    return ((t ^ (t >>> 14)) >>> 0) / 2 ** 32
  }
}

/** The finalizer of MurmurHash3. */
function mix(x: number): number {
  x = Math.imul(x ^ (x >>> 16), 0x85ebca6b)
  x = Math.imul(x ^ (x >>> 13), 0xc2b2ae35)
  return x ^ (x >>> 16)
}
