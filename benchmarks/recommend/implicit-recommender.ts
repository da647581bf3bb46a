/** implicit with given factors, in a process that stays. */
import type { ChildProcess } from 'node:child_process'
import { once } from 'node:events'
import { rmSync, statSync } from 'node:fs'
import { createInterface } from 'node:readline'
import { fileURLToPath } from 'node:url'
import { readArray } from '../cached-interactions.ts'
import { startPeer } from '../peers/python.ts'

export interface Question {
  command: 'recommend' | 'similar'
  rows: number[]
  limit: number
  /** One call a row instead of one for all. */
  single?: boolean
}

/** Seconds of each call, and of the processor for all of them, all threads together. */
export interface CallTimes {
  seconds: number[]
  cpuSeconds: number
}

export class ImplicitRecommender {
  readonly #process: ChildProcess
  readonly #lines: AsyncIterator<string>

  static async start(
    interactions: string,
    factorFile: string,
    factors: number,
    threads: number,
  ): Promise<ImplicitRecommender> {
    const args = [interactions, factorFile, String(factors), String(threads)]
    const peer = new ImplicitRecommender(await startPeer('implicit_recommend.py', args, threads))
    await peer.#answer()
    return peer
  }

  private constructor(process: ChildProcess) {
    this.#process = process
    this.#lines = createInterface({ input: process.stdout! })[Symbol.asyncIterator]()
  }

  async time(question: Question): Promise<CallTimes> {
    return this.#ask({ ...question })
  }

  /** The lists of a batch, limit × rows. */
  async lists(question: Question): Promise<{ rows: Int32Array; scores: Float32Array }> {
    const path = fileURLToPath(new URL('../.cache/implicit.lists', import.meta.url))
    await this.#ask({ ...question, path })
    const words = statSync(path).size / 8
    const buffer = readArray(path, Int32Array<SharedArrayBuffer>, 8 * words).buffer
    rmSync(path)
    return { rows: new Int32Array(buffer, 0, words), scores: new Float32Array(buffer, 4 * words, words) }
  }

  async close(): Promise<void> {
    this.#process.stdin!.end()
    await once(this.#process, 'close')
  }

  async #ask(message: object): Promise<CallTimes> {
    this.#process.stdin!.write(`${JSON.stringify(message)}\n`)
    return this.#answer()
  }

  async #answer(): Promise<CallTimes> {
    const { value, done } = await this.#lines.next()
    if (done) throw new Error('The peer ended without an answer; see its messages above.')
    return JSON.parse(value)
  }
}
