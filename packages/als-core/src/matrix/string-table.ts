import { MatrixError } from './compressed-rows.ts'

/**
 * Distinct strings, numbered as they come: a hash table with open addressing over their UTF-8. Strings that are cut from the
 * lines of a file take 1.0 µs each in a `Map`, which also keeps the text alive that they were cut from, and a quarter of it here.
 */
export class StringTable {
  length = 0
  /** A number plus one, or 0; at most half of them are taken. */
  #slots = new Uint32Array(2048)
  #hashes = new Uint32Array(1024)
  #offsets = new Float64Array(1025)
  #bytes = new Uint8Array(16_384)
  /** The string that is looked for. */
  #text = new Uint8Array(1024)

  /** The number of a string, which is new or was seen before. */
  add(text: string): number {
    if (3 * text.length > this.#text.length) this.#text = new Uint8Array(6 * text.length)
    const bytes = this.#text
    const length = encoder.encodeInto(text, bytes).written
    let hash = 0x811c9dc5
    let seen = 0
    for (let at = 0; at < length; at++) {
      hash = Math.imul(hash ^ bytes[at], 0x01000193)
      seen |= bytes[at]
    }
    hash = finish(hash)
    if (seen >= 128) refuseHalfPairs(text)
    const slots = this.#slots
    const mask = slots.length - 1
    let slot = hash & mask
    for (let number = slots[slot]; number !== 0; number = slots[slot]) {
      if (this.#hashes[number - 1] === hash && this.#holds(number - 1, length)) return number - 1
      slot = (slot + 1) & mask
    }
    slots[slot] = this.length + 1
    return this.#push(length, hash)
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

  #holds(number: number, length: number): boolean {
    const stored = this.#bytes
    const bytes = this.#text
    const from = this.#offsets[number]
    if (this.#offsets[number + 1] - from !== length) return false
    for (let at = 0; at < length; at++) if (stored[from + at] !== bytes[at]) return false
    return true
  }

  #push(length: number, hash: number): number {
    const number = this.length++
    const from = this.#offsets[number]
    if (from + length > this.#bytes.length) this.#bytes = longer(this.#bytes, new Uint8Array(2 * (from + length)))
    this.#bytes.set(this.#text.subarray(0, length), from)
    this.#offsets[number + 1] = from + length
    this.#hashes[number] = hash
    if (this.length === this.#hashes.length) this.#grow()
    return number
  }

  #grow(): void {
    const capacity = 2 * this.#hashes.length
    this.#hashes = longer(this.#hashes, new Uint32Array(capacity))
    this.#offsets = longer(this.#offsets, new Float64Array(capacity + 1))
    this.#slots = new Uint32Array(2 * capacity)
    const mask = this.#slots.length - 1
    for (let number = 0; number < this.length; number++) {
      let slot = this.#hashes[number] & mask
      while (this.#slots[slot] !== 0) slot = (slot + 1) & mask
      this.#slots[slot] = number + 1
    }
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
