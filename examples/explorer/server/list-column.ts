/** Lists of words by row, such as genres: each word is kept once, a row costs 8 bytes and 4 per word. */
export class ListColumn {
  /** Words, in the order in which they came. */
  readonly words: string[] = []
  readonly #codes = new Map<string, number>()
  readonly #starts: Uint32Array
  readonly #lengths: Uint32Array
  #listed = new Uint32Array(1024)
  #used = 0

  constructor(rows: number) {
    this.#starts = new Uint32Array(rows)
    this.#lengths = new Uint32Array(rows)
  }

  set(row: number, words: readonly string[]): void {
    while (this.#used + words.length > this.#listed.length) {
      const larger = new Uint32Array(2 * this.#listed.length)
      larger.set(this.#listed)
      this.#listed = larger
    }
    this.#starts[row] = this.#used
    this.#lengths[row] = words.length
    for (const word of words) {
      const code = this.#encode(word)
      this.#listed[this.#used++] = code
    }
  }

  of(row: number): string[] {
    return Array.from(this.codes(row), (code) => this.words[code]!)
  }

  /** Places in `words`. */
  codes(row: number): Uint32Array {
    return this.#listed.subarray(this.#starts[row], this.#starts[row]! + this.#lengths[row]!)
  }

  has(row: number, code: number): boolean {
    const first = this.#starts[row]!
    for (let at = first; at < first + this.#lengths[row]!; at++) if (this.#listed[at] === code) return true
    return false
  }

  /** Sets to 0 the rows that do not have a word. A pass over the column. */
  keepRowsWith(word: string, rows: Uint8Array): void {
    const code = this.#codes.get(word)
    const [starts, lengths, listed] = [this.#starts, this.#lengths, this.#listed]
    for (let row = 0; row < rows.length; row++) {
      let found = 0
      const first = starts[row]!
      for (let at = first; at < first + lengths[row]!; at++) if (listed[at] === code) found = 1
      rows[row]! &= found
    }
  }

  /** The code of a word; undefined when no row has it. */
  find(word: string): number | undefined {
    return this.#codes.get(word)
  }

  /** Words with the number of rows that have them, most frequent first. */
  count(): { value: string; items: number }[] {
    const counts = new Float64Array(this.words.length)
    for (let at = 0; at < this.#used; at++) counts[this.#listed[at]!]! += 1
    return this.words
      .map((value, code) => ({ value, items: counts[code]! }))
      .sort((a, b) => b.items - a.items || (a.value < b.value ? -1 : 1))
  }

  #encode(word: string): number {
    const known = this.#codes.get(word)
    if (known !== undefined) return known
    this.#codes.set(word, this.words.length)
    return this.words.push(word) - 1
  }
}
