/** Hits among which the best are chosen: those that most people know. */
const CANDIDATES = 200

/** Without case and accents, in one line. */
export function fold(text: string): string {
  return text
    .normalize('NFKD')
    .replace(/\p{M}+/gu, '')
    .toLowerCase()
    .replace(/\s+/g, ' ')
    .trim()
}

/**
 * Finds names by parts of their words. All texts stand in one string, best known first, so that a search is one pass of
 * `indexOf` that may stop early.
 */
export class TitleSearch {
  readonly #text: string
  /** Where the line of each place begins. */
  readonly #starts: Float64Array
  readonly #rows: Uint32Array

  /** @param rows the rows to search, best known first @param textOf what may be searched for in a row */
  constructor(rows: Uint32Array, textOf: (row: number) => string) {
    this.#rows = rows
    this.#starts = new Float64Array(rows.length)
    const lines = Array.from(rows, (row) => fold(textOf(row)))
    for (let place = 1; place < lines.length; place++) {
      this.#starts[place] = this.#starts[place - 1]! + lines[place - 1]!.length + 1
    }
    this.#text = lines.join('\n')
  }

  /** Rows whose text has every word of the query; those that begin with the query come first, then by popularity. */
  find(query: string, limit: number): number[] {
    const words = fold(query).split(' ').filter(Boolean)
    const longest = words.toSorted((a, b) => b.length - a.length)[0]
    if (longest === undefined) return []
    const found: { row: number; begins: boolean }[] = []
    for (let at = this.#text.indexOf(longest); at >= 0 && found.length < CANDIDATES; ) {
      const place = this.#placeOf(at)
      const start = this.#starts[place]!
      const end = place + 1 < this.#rows.length ? this.#starts[place + 1]! - 1 : this.#text.length
      const line = this.#text.slice(start, end)
      if (words.every((word) => line.includes(word))) {
        found.push({ row: this.#rows[place]!, begins: line.startsWith(words.join(' ')) })
      }
      at = this.#text.indexOf(longest, end)
    }
    return found
      .sort((a, b) => Number(b.begins) - Number(a.begins))
      .slice(0, limit)
      .map(({ row }) => row)
  }

  /** The last place that begins at or before a character. */
  #placeOf(at: number): number {
    let [low, high] = [0, this.#starts.length - 1]
    while (low < high) {
      const middle = (low + high + 1) >> 1
      if (this.#starts[middle]! <= at) low = middle
      else high = middle - 1
    }
    return low
  }
}
