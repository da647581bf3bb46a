import { type ChildProcess, spawn } from 'node:child_process'
import { once } from 'node:events'
import { join } from 'node:path'

/** A program of this folder as a child process: its output so far, and how it ended. */
export class Program {
  readonly #child: ChildProcess
  readonly #ended: Promise<unknown[]>
  readonly #waiting = new Set<() => void>()
  stdout = ''
  stderr = ''

  constructor(name: string, environment: Record<string, string>, args: readonly string[] = []) {
    this.#child = spawn(process.execPath, [join(import.meta.dirname, '..', name), ...args], {
      env: { PATH: process.env.PATH, NO_COLOR: '1', ...environment },
      stdio: ['ignore', 'pipe', 'pipe'],
    })
    this.#child.stdout!.setEncoding('utf8').on('data', (text: string) => this.#hear('stdout', text))
    this.#child.stderr!.setEncoding('utf8').on('data', (text: string) => this.#hear('stderr', text))
    this.#ended = once(this.#child, 'close')
  }

  /** Exit code and signal, after the streams have closed. */
  async end(): Promise<{ code: number | null; signal: string | null }> {
    const [code, signal] = (await this.#ended) as [number | null, string | null]
    return { code, signal }
  }

  /** Waits for something to happen while the program runs; throws, with what it said, when it ends before. */
  async until<T>(event: Promise<T>): Promise<T> {
    const ended = this.#ended.then(() => {
      throw new Error(`The program ended too early. It said:\n${this.stderr}`)
    })
    return Promise.race([event, ended])
  }

  /** Resolves when standard error has a match. */
  async says(pattern: RegExp): Promise<void> {
    while (!pattern.test(this.stderr)) {
      await this.until(new Promise<void>((resolve) => this.#waiting.add(resolve)))
    }
  }

  kill(signal: NodeJS.Signals): void {
    this.#child.kill(signal)
  }

  #hear(stream: 'stdout' | 'stderr', text: string): void {
    this[stream] += text
    for (const wake of this.#waiting) wake()
    this.#waiting.clear()
  }
}
