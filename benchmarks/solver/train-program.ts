/** Our side of the comparison: `train`, one iteration at a time, in the peers' protocol (see peers/interactions.py). */
import { closeSync, openSync, statSync, writeSync } from 'node:fs'
import { createInterface } from 'node:readline'
import { type AlsModel, type InitialFactors, type InteractionMatrix, train } from '@seesaw/als-core'
import { readArray, readInteractions } from '../cached-interactions.ts'
import { generateInteractions, sizes } from '../generate-interactions.ts'
import { cpuSeconds, peakRssMb } from '../process-cost.ts'
import type { ProgramOptions } from './program.ts'

const [interactions, json] = process.argv.slice(2)
const options: ProgramOptions = JSON.parse(json)
const { factors, threads, seed, regularization, objective, alpha, unobservedWeight, nu, tolerance, momentum } = options
const commands = createInterface({ input: process.stdin })[Symbol.asyncIterator]()

const matrix: InteractionMatrix =
  interactions in sizes
    ? await generateInteractions(sizes[interactions as keyof typeof sizes])
    : readInteractions(interactions)
const initial = options.initial ? readStart(options.initial) : undefined
let started = 0
say({ ready: true })
await untilIterate()
await train(matrix, {
  factors,
  iterations: 1_000_000,
  threads,
  seed,
  regularization,
  alpha,
  objective,
  tolerance,
  momentum,
  initial,
  ...(objective === 'ials' && { unobservedWeight, regularizationScaling: { nu } }),
  async onIteration(report, model) {
    say({ seconds: report.seconds, cpuSeconds: cpuSeconds() - started, peakRssMb: peakRssMb(), report })
    if (!(await untilIterate(model))) return 'stop'
  },
})

/** Answers until one more iteration is asked for; false at the end of the input. */
async function untilIterate(model?: () => Promise<AlsModel>): Promise<boolean> {
  for (;;) {
    const { value, done } = await commands.next()
    if (done) return false
    const message = JSON.parse(value)
    if (message.command === 'iterate') {
      started = cpuSeconds()
      return true
    }
    writeFactors(message.path, await model!())
    say({ written: true })
  }
}

function readStart(path: string): InitialFactors {
  const all = readArray(path, Float32Array<SharedArrayBuffer>, statSync(path).size)
  const split = matrix.users * factors
  return { factors, userFactors: all.subarray(0, split), itemFactors: all.subarray(split) }
}

function writeFactors(path: string, { userFactors, itemFactors }: AlsModel): void {
  const descriptor = openSync(path, 'w')
  for (const { buffer, byteOffset, byteLength } of [userFactors, itemFactors]) {
    for (let at = 0; at < byteLength; at += 2 ** 28) {
      writeSync(descriptor, new Uint8Array(buffer, byteOffset + at, Math.min(2 ** 28, byteLength - at)))
    }
  }
  closeSync(descriptor)
}

function say(message: Record<string, unknown>): void {
  process.stdout.write(`${JSON.stringify(message)}\n`)
}
