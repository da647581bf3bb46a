/** Qdrant's engine, in a Python process that stays, as an index to measure. */
import type { ChildProcess } from 'node:child_process'
import { once } from 'node:events'
import { mkdtempSync, rmSync, writeFileSync } from 'node:fs'
import { tmpdir } from 'node:os'
import { join } from 'node:path'
import { createInterface } from 'node:readline'
import type { ServingIndex, ServingQuestion } from '@seesaw/als-core'
import { startPeer } from '../peers/python.ts'
import type { ServedVectors } from './served-vectors.ts'

export interface EdgeSettings {
  m: number
  efConstruct: number
  quantization: 'none' | 'int8'
}

export interface EdgeSearch {
  hnswEf?: number
  exact?: boolean
  /** Candidates per result that are scored again, with quantization. */
  oversampling?: number
}

export class EdgeEngine {
  readonly #process: ChildProcess
  readonly #lines: AsyncIterator<string>
  readonly #vectors: ServedVectors
  readonly #folder: string

  static async start(vectors: ServedVectors, settings: EdgeSettings, threads: number): Promise<EdgeEngine> {
    const folder = mkdtempSync(join(tmpdir(), 'seesaw-serving-'))
    writeFileSync(join(folder, 'v.taste'), new Uint8Array(vectors.taste.buffer))
    writeFileSync(join(folder, 'v.similar'), new Uint8Array(vectors.similar.buffer))
    const args = [join(folder, 'v'), String(vectors.items), String(vectors.factors), JSON.stringify(settings)]
    const engine = new EdgeEngine(await startPeer('edge_index.py', args, threads), vectors, folder)
    const { points, indexed } = JSON.parse(await engine.#line())
    if (points !== vectors.items || indexed === 0)
      throw new Error(`The engine holds ${points} points, ${indexed} indexed.`)
    return engine
  }

  private constructor(process: ChildProcess, vectors: ServedVectors, folder: string) {
    this.#process = process
    this.#lines = createInterface({ input: process.stdout! })[Symbol.asyncIterator]()
    this.#vectors = vectors
    this.#folder = folder
  }

  /** The engine asked with these settings, one question at a time. */
  index(search: EdgeSearch): ServingIndex {
    return { answer: (question) => this.#ask(question, search) }
  }

  async close(): Promise<void> {
    this.#process.stdin!.end()
    await once(this.#process, 'close')
    rmSync(this.#folder, { recursive: true, force: true })
  }

  async #ask(question: ServingQuestion, search: EdgeSearch): Promise<number[]> {
    const using = question.metric === 'taste' ? 'taste' : 'similar'
    const vector = Array.from(this.#vectors.query(question))
    const { exclude, limit } = question
    this.#process.stdin!.write(`${JSON.stringify({ vector, using, exclude: [...exclude], limit, ...search })}\n`)
    return JSON.parse(await this.#line())
  }

  async #line(): Promise<string> {
    const { value, done } = await this.#lines.next()
    if (done) throw new Error('The engine ended without an answer; see its messages above.')
    return value
  }
}
