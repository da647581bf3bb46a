/**
 * 63-bit fingerprint of a string's bytes: two rounds of murmur-style mixing side by side, so that nothing is allocated.
 * Writes the words to lo[i] and hi[i], the top bit of hi left clear.
 */
export function fingerprint(
  bytes: Uint8Array,
  start: number,
  end: number,
  seed: number,
  out: { readonly lo: Uint32Array; readonly hi: Uint32Array },
  i: number,
): void {
  let a = seed ^ 0x9e3779b9
  let b = Math.imul(seed, 0x85ebca6b) ^ (end - start)
  let at = start
  for (; at + 4 <= end; at += 4) {
    const word = bytes[at] | (bytes[at + 1] << 8) | (bytes[at + 2] << 16) | (bytes[at + 3] << 24)
    a = Math.imul(a ^ word, 0xcc9e2d51)
    a = (a << 15) | (a >>> 17)
    b = Math.imul(b ^ word, 0x1b873593)
    b = ((b << 13) | (b >>> 19)) + a
  }
  let word = 0
  for (; at < end; at++) word = (word << 8) | bytes[at]
  a = Math.imul(a ^ word, 0xcc9e2d51)
  b = Math.imul(b ^ word, 0x1b873593) + ((a << 15) | (a >>> 17))
  out.lo[i] = mix(a ^ (b >>> 15))
  out.hi[i] = mix(b + Math.imul(a, 0x2545f491)) & 0x7fffffff
}

/** The 32-bit finaliser of MurmurHash3: every input bit changes every output bit about half the time. */
export function mix(value: number): number {
  let h = value
  h = Math.imul(h ^ (h >>> 16), 0x85ebca6b)
  h = Math.imul(h ^ (h >>> 13), 0xc2b2ae35)
  return h ^ (h >>> 16)
}

/** A 32-bit hash of a 64-bit key. */
export function hashKey(lo: number, hi: number, seed: number): number {
  return mix(mix(lo ^ seed) ^ Math.imul(hi, 0x9e3779b1) ^ (seed >>> 7))
}
