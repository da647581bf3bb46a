import { LoadError } from '../errors.ts'

/** Rows handled at a time: all columns of a chunk (110 KB) stay in the second-level cache, next to what they are looked up in. */
export const CHUNK_ROWS = 4096

/**
 * Ids of a run of rows as 64-bit keys in two words. An integer is itself, a string its 63-bit fingerprint.
 * `hi` with its top bit set means no id: a null (lo 0, hi NULL_WORD) or a negative number.
 */
export interface Keys {
  readonly lo: Uint32Array
  readonly hi: Uint32Array
  /** For strings: where the bytes of each lie in `bytes`. */
  readonly start: Uint32Array
  readonly end: Uint32Array
  bytes: Uint8Array
  /** Memory for texts that are made from bytes: UUIDs. */
  text?: Uint8Array
  /** True when every `hi` read last is 0: ids from 0 to 2^32, valid without looking at each. */
  small?: boolean
  /** True while nothing but 0 has been written to `hi`. */
  clear?: boolean
}

export type IdKind = 'integer' | 'string'

export const NULL_WORD = 0x80000000
/** High words from here on are ids of 2^53 and above, which a JavaScript number cannot hold exactly. */
export const UNSAFE_WORD: number = 1 << 21

export function createKeys(kind: IdKind, lo: Uint32Array, hi: Uint32Array): Keys {
  const places = kind === 'string' ? CHUNK_ROWS : 0
  return {
    lo,
    hi,
    start: new Uint32Array(places),
    end: new Uint32Array(places),
    bytes: new Uint8Array(0),
    small: false,
  }
}

/** Marks row i as one without an id. */
export function setNull(keys: Keys, i: number): void {
  keys.lo[i] = 0
  keys.hi[i] = NULL_WORD
  keys.small = false
  keys.clear = false
}

export function unsafeId(column: string, id: bigint): LoadError {
  return new LoadError(
    'ids',
    `column "${column}" holds the id ${id}; ids from 2^53 on cannot be held exactly. Store them as strings.`,
    { column },
  )
}

/** The id in the two words of an unsigned key. */
export function wideId(lo: number, hi: number): bigint {
  return (BigInt(hi) << 32n) + BigInt(lo)
}
