import { appendFileSync, existsSync, readFileSync, writeFileSync } from 'node:fs'

/**
 * Finished runs, one JSON object a line after a line that says what search they belong to. Without a file they are kept
 * in memory only. A line that was cut off by a crash is left out.
 */
export class Journal<T> {
  readonly #file: string | undefined
  readonly #entries: T[] = []

  /** @throws Error when the file belongs to another search. */
  constructor(file: string | undefined, identity: object) {
    this.#file = file
    if (file === undefined) return
    const header = JSON.stringify(identity)
    if (!existsSync(file)) {
      writeFileSync(file, `${header}\n`)
      return
    }
    const [first, ...lines] = readFileSync(file, 'utf8').split('\n')
    if (first !== header) {
      throw new Error(
        `${file} is the journal of a different search (${first.slice(0, 200)}), expected ${header.slice(0, 200)}. Delete it or choose another file.`,
      )
    }
    const complete = lines.slice(0, -1)
    for (const line of complete) this.#entries.push(JSON.parse(line) as T)
    if (lines.at(-1) !== '') writeFileSync(file, `${[first, ...complete].join('\n')}\n`)
  }

  find(matches: (entry: T) => boolean): T | undefined {
    return this.#entries.find(matches)
  }

  add(entry: T): void {
    this.#entries.push(entry)
    if (this.#file !== undefined) appendFileSync(this.#file, `${JSON.stringify(entry)}\n`)
  }
}
