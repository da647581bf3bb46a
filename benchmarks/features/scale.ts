/** What a map of very many features costs beside an iteration without one. */
import { execFile } from 'node:child_process'
import { fileURLToPath } from 'node:url'
import { promisify } from 'node:util'
import type { ScaleOptions, ScaleResult } from './scale-program.ts'

export interface Scale extends ScaleResult {
  /** Processor time that features add to an iteration, as a part of one without. */
  overheadPerIteration: number
  /** Peak memory over the plan, less 1. */
  abovePlan: number
}

/** Trains in a process of its own, so that its peak memory is that of the training with features. */
export async function measureScale(options: ScaleOptions): Promise<Scale> {
  const program = fileURLToPath(new URL('./scale-program.ts', import.meta.url))
  const { stdout } = await promisify(execFile)(process.execPath, [program, JSON.stringify(options)])
  const result: ScaleResult = JSON.parse(stdout)
  return {
    ...result,
    overheadPerIteration: result.cpuWith / result.cpuWithout - 1,
    abovePlan: result.peakMb / result.plannedMb - 1,
  }
}
