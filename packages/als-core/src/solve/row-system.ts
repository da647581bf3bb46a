import type { EntryTerms, RowLambda } from '../model/objective.ts'
import type { ModelOptions } from '../model/options.ts'
import { sharedFloat64 } from '../pool/shared-arrays.ts'
import type { Side } from './sides.ts'

/** The numbers of the row systems. */
export interface RowSystem extends EntryTerms {
  /** λ by number of entries; absent when λ is part of the basis. */
  readonly lambda?: RowLambda
  /** Whether rows start from their previous solution, or from zero. */
  readonly warm: boolean
  readonly tolerance: number
  readonly maxSteps: number
}

/** A row whose system is not positive definite, or not finite. */
export interface FailedRow {
  readonly failedRow: number
}

/** A row's system could not be solved. */
export class RowError extends Error {
  override readonly name = 'RowError'
  readonly side: 'users' | 'items'
  /** Row of the matrix passed to `train`. */
  readonly row: number

  constructor(side: 'users' | 'items', row: number, options: ModelOptions) {
    super(
      `The system of row ${row} of the ${side} is not positive definite in float32, or not finite: raise regularization (now ${options.regularization}), or check that values × alpha (${options.alpha}) are of ordinary size.`,
    )
    this.side = side
    this.row = row
  }
}

/** @throws RowError for the first of the rows that failed, if any did. */
export function throwOnFailure(results: (FailedRow | undefined)[], side: Side, options: ModelOptions): void {
  const failed = results.filter((result) => result !== undefined).map(({ failedRow }) => failedRow)
  if (failed.length > 0) throw new RowError(side.name, Math.min(...failed), options)
}

/** Sums over the rows of a half-sweep. */
export interface SolveTotals {
  /** Σ over the rows of f(x), the objective less its constant and the other side's regularisation. */
  readonly objective: number
  /** Σ λ|x|² of the solved rows, when λ differs from row to row. */
  readonly penalty: number
  readonly steps: number
  /** Of rows with a prior p, Σ λ|p|² and Σ λ x·p: what λ|x - p|² adds to λ|x|². */
  readonly priorPenalty: number
  readonly priorProduct: number
}

const TOTALS = 5

/** Room for the totals of each shard: five numbers, which the shards' order adds up, so that threads change no bit. */
export function shardTotals(shards: number): Float64Array<SharedArrayBuffer> {
  return sharedFloat64(TOTALS * shards)
}

/** Stores the totals of a shard. */
export function setTotals(totals: Float64Array, shard: number, sums: SolveTotals): void {
  const { objective, penalty, steps, priorPenalty, priorProduct } = sums
  totals.set([objective, penalty, steps, priorPenalty, priorProduct], TOTALS * shard)
}

export function addTotals(totals: Float64Array): SolveTotals {
  let objective = 0
  let penalty = 0
  let steps = 0
  let priorPenalty = 0
  let priorProduct = 0
  for (let at = 0; at < totals.length; at += TOTALS) {
    objective += totals[at]
    penalty += totals[at + 1]
    steps += totals[at + 2]
    priorPenalty += totals[at + 3]
    priorProduct += totals[at + 4]
  }
  return { objective, penalty, steps, priorPenalty, priorProduct }
}
