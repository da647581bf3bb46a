/** The programs that are compared, each a process of its own that runs one iteration when it is told to. */
import { type ChildProcess, spawn } from 'node:child_process'
import { once } from 'node:events'
import { rmSync, statSync } from 'node:fs'
import { createInterface } from 'node:readline'
import { fileURLToPath } from 'node:url'
import type { IterationReport } from '@seesaw/als-core'
import { readArray } from '../cached-interactions.ts'
import { startPeer } from '../peers/python.ts'
import type { Factors } from './exact-loss.ts'

export type ProgramName =
  | 'seesaw'
  | 'implicit-cg'
  | 'implicit-cholesky'
  | 'irspack-cg'
  | 'irspack-cholesky'
  | 'irspack-ialspp'
  | 'rusket-cg'
  | 'rusket-anderson'
  | 'cmfrec-cg'

export interface ProgramOptions {
  factors: number
  threads: number
  seed: number
  regularization: number
  objective: 'hkv' | 'ials'
  alpha: number
  unobservedWeight: number
  nu: number
  /** Of ours: how well a row is solved. Default: the library's. */
  tolerance?: number
  /** Of ours. Default: the library's. */
  momentum?: number
  /** Of ours: a file of factors to start from, as `saveFactors` writes it. Default: the library's random start. */
  initial?: string
}

/** The objective of the comparisons in time: implicit's. */
export const hkv = {
  seed: 1,
  regularization: 0.01,
  objective: 'hkv',
  alpha: 1,
  unobservedWeight: 1,
  nu: 0,
} as const

/** What a program says about its last iteration. */
export interface Iteration {
  /**
   * As the program itself measured it: implicit's fit callback, irspack's step, our IterationReport. Of a program that is
   * not stepped, of a training of so many iterations.
   */
  seconds: number
  /** Of the processor, all threads together, of the same. */
  cpuSeconds: number
  /** Peak resident memory of the program so far, in MB. */
  peakRssMb: number
  /** Ours only. */
  report?: IterationReport
}

export class Program {
  readonly name: ProgramName
  readonly iterations: Iteration[] = []
  readonly options: ProgramOptions
  /** Whether it goes on from where it was; else it trains anew, for as many iterations as it is asked for. */
  readonly isStepped: boolean
  #process: ChildProcess
  #lines: AsyncIterator<string>

  /** Starts a program and waits until it has the matrix: a file prefix, or the name of a size, which ours generates. */
  static async start(name: ProgramName, interactions: string, options: ProgramOptions): Promise<Program> {
    const [library, solver] = name.split('-')
    const args = [interactions, JSON.stringify({ ...options, solver })]
    const program = new Program(
      name,
      options,
      library === 'seesaw'
        ? spawn(process.execPath, [fileURLToPath(new URL('./train-program.ts', import.meta.url)), ...args], {
            stdio: ['pipe', 'pipe', 'inherit'],
          })
        : await startPeer(`${library}_train.py`, args, options.threads),
    )
    await program.#answer()
    return program
  }

  private constructor(name: ProgramName, options: ProgramOptions, process: ChildProcess) {
    this.name = name
    this.isStepped = !/^(rusket|cmfrec)-/.test(name)
    this.options = options
    this.#process = process
    this.#lines = createInterface({ input: process.stdout! })[Symbol.asyncIterator]()
  }

  /** Runs one more iteration, which is the one of that number, from 1. */
  async iterate(iteration = this.iterations.length + 1): Promise<Iteration> {
    const result = (await this.#ask({ command: 'iterate', iteration })) as unknown as Iteration
    this.iterations.push(result)
    return result
  }

  /** The factors after the last iteration, through the file at `path`. */
  async factors(path: string, users: number): Promise<Factors> {
    await this.saveFactors(path)
    const { size } = statSync(path)
    const all = readArray(path, Float32Array<SharedArrayBuffer>, size)
    rmSync(path)
    const { factors } = this.options
    const split = users * factors
    return { factors, users: all.subarray(0, split), items: all.subarray(split) }
  }

  /** Writes the factors as they are, those of the start before the first iteration: users, then items. */
  async saveFactors(path: string): Promise<void> {
    await this.#ask({ command: 'factors', path })
  }

  /** Lets the program finish. */
  async close(): Promise<void> {
    this.#process.stdin!.end()
    if (this.#process.exitCode === null) await once(this.#process, 'exit')
  }

  #ask(message: Record<string, unknown>): Promise<Record<string, unknown>> {
    this.#process.stdin!.write(`${JSON.stringify(message)}\n`)
    return this.#answer()
  }

  async #answer(): Promise<Record<string, unknown>> {
    const { value, done } = await this.#lines.next()
    if (done) throw new Error(`${this.name} ended with exit code ${this.#process.exitCode} instead of answering.`)
    return JSON.parse(value)
  }
}
