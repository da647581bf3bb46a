import { appendFileSync, existsSync, mkdirSync, readFileSync, writeFileSync } from 'node:fs'
import { dirname } from 'node:path'

/** What a journal of one search belongs to. */
export interface JournalHeader<P> {
  /** What is searched, and how. */
  readonly search: object
  /** The data that values were measured on. */
  readonly data: object
  /** Parameters that were best on earlier data: the first trials. */
  readonly starts: readonly P[]
  /** Trials drawn on earlier data: the next ones go on from there. */
  readonly drawn: number
}

interface Run<P> {
  readonly trial: number
  readonly parameters: P
  readonly iterations: number
  readonly value: number
}

/**
 * Finished runs, one JSON object a line after a line that says what they belong to. Without a file they are kept in
 * memory only. A line that was cut off by a crash is left out. A journal of the same search on other data, such as last
 * night's, is replaced: its best parameters become the starts of the new one.
 */
export class Journal<P, T extends Run<P>> {
  readonly starts: readonly P[]
  readonly drawn: number
  readonly #file: string | undefined
  readonly #entries: T[] = []

  /** @throws Error when the file belongs to another search. */
  constructor(file: string | undefined, search: object, data: object) {
    this.#file = file
    const kept = file !== undefined && existsSync(file) ? readJournal<P, T>(file, search) : undefined
    const same = kept !== undefined && JSON.stringify(kept.header.data) === JSON.stringify(data)
    if (kept && same) this.#entries.push(...kept.entries)
    this.starts = same ? kept.header.starts : bestOf(kept?.entries ?? [], kept?.header.starts ?? [])
    this.drawn = same ? kept.header.drawn : nextDraw(kept)
    if (file === undefined || (same && kept.whole)) return
    mkdirSync(dirname(file), { recursive: true })
    const header: JournalHeader<P> = { search, data, starts: this.starts, drawn: this.drawn }
    writeFileSync(file, [header, ...this.#entries].map((line) => `${JSON.stringify(line)}\n`).join(''))
  }

  find(matches: (entry: T) => boolean): T | undefined {
    return this.#entries.find(matches)
  }

  add(entry: T): void {
    this.#entries.push(entry)
    if (this.#file !== undefined) appendFileSync(this.#file, `${JSON.stringify(entry)}\n`)
  }
}

interface Kept<P, T> {
  readonly header: JournalHeader<P>
  readonly entries: T[]
  /** Whether its last line is complete. */
  readonly whole: boolean
}

function readJournal<P, T>(file: string, search: object): Kept<P, T> {
  const [first, ...lines] = readFileSync(file, 'utf8').split('\n')
  const expected = JSON.stringify(search)
  const header = parseHeader<P>(first)
  if (header === undefined || JSON.stringify(header.search) !== expected) {
    throw new Error(
      `${file} is the journal of a different search (${first.slice(0, 200)}), expected ${expected.slice(0, 200)}. Delete it or choose another file.`,
    )
  }
  return { header, entries: lines.slice(0, -1).map((line) => JSON.parse(line) as T), whole: lines.at(-1) === '' }
}

function parseHeader<P>(line: string): JournalHeader<P> | undefined {
  try {
    const header = JSON.parse(line)
    return header?.search && header.data && Array.isArray(header.starts) ? header : undefined
  } catch {
    return undefined
  }
}

/** The three best of the longest runs; of a search that has none, what it started from itself. */
function bestOf<P>(entries: readonly Run<P>[], starts: readonly P[]): P[] {
  const ranked = [...entries].sort((a, b) => b.iterations - a.iterations || b.value - a.value || a.trial - b.trial)
  const distinct = new Map(ranked.map(({ trial, parameters }) => [trial, parameters]))
  return distinct.size > 0 ? [...distinct.values()].slice(0, STARTS) : [...starts]
}

const STARTS = 3

function nextDraw<P>(kept: Kept<P, Run<P>> | undefined): number {
  if (kept === undefined) return 0
  const { starts, drawn } = kept.header
  return kept.entries.reduce((next, { trial }) => Math.max(next, drawn + trial + 1 - starts.length), drawn)
}
