import { MatrixError } from './compressed-rows.ts'

/** Strings that are looked up together. */
export const BATCH = 1024

/**
 * Distinct strings, numbered as they come: a hash table with open addressing over their UTF-8. Strings that are cut from the
 * lines of a file take 1.0 µs each in a `Map`, which also keeps the text alive that they were cut from.
 *
 * They are looked up in batches, step by step for all of them: what a step reads lies anywhere in memory, and the processor
 * waits for many such reads at once, where one string after the other would wait for each: 0.3 µs for 0.8.
 */
export class StringTable {
  length = 0
  /** Pairs of a number plus one, or 0, and the hash; at most half of them are taken. */
  #slots = new Uint32Array(4096)
  #hashes = new Uint32Array(1024)
  #offsets = new Float64Array(1025)
  #bytes = new Uint8Array(16_384)
  /** The strings that are looked for, one after the other, and where each ends. */
  #text = new Uint8Array(16_384)
  readonly #ends = new Uint32Array(BATCH)
  readonly #wanted = new Uint32Array(BATCH)
  /** What stands in the first slot of each, mostly the string itself, and where that ends. */
  readonly #guesses = new Uint32Array(BATCH)
  readonly #places = new Float64Array(BATCH)
  readonly #touched = new Uint8Array(BATCH)

  /** The numbers of at most `BATCH` strings, each new or seen before, to `out` from `at` on. */
  addAll(texts: readonly string[], out: Uint32Array, at: number): void {
    const { length } = texts
    this.#encode(texts)
    this.#hash(length)
    const slots = this.#slots
    const mask = slots.length / 2 - 1
    const [wanted, guesses] = [this.#wanted, this.#guesses]
    for (let i = 0; i < length; i++) {
      const slot = 2 * (wanted[i] & mask)
      guesses[i] = slots[slot + 1] === wanted[i] ? slots[slot] : 0
    }
    // The bytes are read here so that they are in the cache when they are compared.
    const places = this.#places
    for (let i = 0; i < length; i++) places[i] = this.#offsets[guesses[i]]
    for (let i = 0; i < length; i++) this.#touched[i] = this.#bytes[places[i]]
    let from = 0
    for (let i = 0; i < length; i++) {
      const to = this.#ends[i]
      const guess = guesses[i]
      out[at + i] = guess !== 0 && this.#holds(guess - 1, from, to) ? guess - 1 : this.#find(wanted[i], from, to)
      from = to
    }
  }

  #encode(texts: readonly string[]): void {
    const joined = texts.join('')
    if (3 * joined.length > this.#text.length) this.#text = new Uint8Array(6 * joined.length)
    const text = this.#text
    const ends = this.#ends
    const isAscii = encoder.encodeInto(joined, text).written === joined.length
    let end = 0
    for (let i = 0; i < texts.length; i++) {
      const { length } = texts[i]
      if (isAscii) end += length
      else {
        // Each by itself: half a pair of surrogates at the end of one could meet the other half.
        const { written } = encoder.encodeInto(texts[i], text.subarray(end))
        if (written !== length) refuseHalfPairs(texts[i])
        end += written
      }
      ends[i] = end
    }
  }

  #hash(count: number): void {
    const text = this.#text
    let at = 0
    for (let i = 0; i < count; i++) {
      let hash = 0x811c9dc5
      for (const end = this.#ends[i]; at < end; at++) hash = Math.imul(hash ^ text[at], 0x01000193)
      this.#wanted[i] = finish(hash)
    }
  }

  /** The number of the string [from, to) of the text, which is new or was seen before. */
  #find(hash: number, from: number, to: number): number {
    const slots = this.#slots
    const mask = slots.length - 1
    let slot = (2 * hash) & mask
    for (let number = slots[slot]; number !== 0; number = slots[slot]) {
      if (slots[slot + 1] === hash && this.#holds(number - 1, from, to)) return number - 1
      slot = (slot + 2) & mask
    }
    slots[slot] = this.length + 1
    slots[slot + 1] = hash
    return this.#push(hash, from, to)
  }

  at(number: number): string {
    const [from, to] = [this.#offsets[number], this.#offsets[number + 1]]
    return Buffer.from(this.#bytes.buffer, from, to - from).toString()
  }

  /** Whether the order of UTF-16 may differ from that of code points: there are some from U+D000 on. */
  hasHighUnits(): boolean {
    const end = this.#offsets[this.length]
    for (let at = 0; at < end; at++) if (this.#bytes[at] >= 0xed) return true
    return false
  }

  #holds(number: number, from: number, to: number): boolean {
    const stored = this.#bytes
    const text = this.#text
    let at = this.#offsets[number]
    if (this.#offsets[number + 1] - at !== to - from) return false
    for (let t = from; t < to; t++, at++) if (stored[at] !== text[t]) return false
    return true
  }

  #push(hash: number, from: number, to: number): number {
    const number = this.length++
    const at = this.#offsets[number]
    const end = at + to - from
    if (end > this.#bytes.length) this.#bytes = longer(this.#bytes, new Uint8Array(2 * end))
    for (let t = from; t < to; t++) this.#bytes[at + t - from] = this.#text[t]
    this.#offsets[number + 1] = end
    this.#hashes[number] = hash
    if (this.length === this.#hashes.length) this.#grow()
    return number
  }

  #grow(): void {
    const capacity = 2 * this.#hashes.length
    this.#hashes = longer(this.#hashes, new Uint32Array(capacity))
    this.#offsets = longer(this.#offsets, new Float64Array(capacity + 1))
    const slots = new Uint32Array(4 * capacity)
    const mask = slots.length - 1
    for (let number = 0; number < this.length; number++) {
      const hash = this.#hashes[number]
      let slot = (2 * hash) & mask
      while (slots[slot] !== 0) slot = (slot + 2) & mask
      slots[slot] = number + 1
      slots[slot + 1] = hash
    }
    this.#slots = slots
  }
}

const encoder = new TextEncoder()

/** Half of a pair of surrogates has no UTF-8: two such strings would become one. */
function refuseHalfPairs(text: string): void {
  if (text.isWellFormed()) return
  throw new MatrixError(
    `The id ${JSON.stringify(text)} is no Unicode text: it has half of a pair of surrogates. Cut strings by code points.`,
  )
}

/** The last step of MurmurHash3, after which the low bits depend on all of FNV-1a. */
function finish(value: number): number {
  let hash = value
  hash = Math.imul(hash ^ (hash >>> 16), 0x85ebca6b)
  hash = Math.imul(hash ^ (hash >>> 13), 0xc2b2ae35)
  return (hash ^ (hash >>> 16)) >>> 0
}

function longer<T extends Uint8Array | Uint32Array | Float64Array>(from: T, to: T): T {
  to.set(from as never)
  return to
}
