import { availableParallelism } from 'node:os'
import { positiveInteger } from '../checks/values.ts'
import type { ModelOptions } from '../model/options.ts'
import { featureScratch } from '../solve/feature-memory.ts'
import { bytesPerFactor, padFactors, planLayout } from '../solve/layout.ts'
import { maxGramShards, SHARD_ROWS } from '../solve/plan-shards.ts'

/** What the memory of a training depends on. */
export interface MemoryInput {
  users: number
  items: number
  entries: number
  /** Default 128. */
  factors?: number
  /** Default: all cores. */
  threads?: number
  /** Default 'auto'. */
  gatherPrecision?: ModelOptions['gatherPrecision']
  /** Default 'cg'. */
  solver?: ModelOptions['solver']
  /** Whether the values are one-byte codes: at most 256 distinct ones. Default true. */
  codes?: boolean
  /** Default 0.8; 0 saves a copy of the items. */
  momentum?: number
  /** Above 0, a weighted copy of the values is made. Default 0. */
  popularityExponent?: number
  /** Of a training with features: their number, and the entries of the feature matrix. */
  itemFeatures?: FeatureSize
  userFeatures?: FeatureSize
}

export interface FeatureSize {
  features: number
  entries: number
}

/** Bytes, by what they hold. */
export interface MemoryPlan {
  /**
   * CSR and CSC: 2·entries·(4 + 1 or 4) + 12·(users + items + 2), the offsets and the order of the rows; with a
   * `popularityExponent` 8·entries more, the weighted values.
   */
  readonly matrix: number
  /** Factors: 4·k·(users + 2·items), k rounded up to a multiple of 8; without momentum 4·k·(users + items). */
  readonly factors: number
  /** The fixed side in the solver's basis and the order of its rows: (k·(1 or 4) + 8)·max(users, items); 0 for Cholesky. */
  readonly transformed: number
  /**
   * Of a side with d features and e entries of its feature matrix: that matrix, a copy of what has evidence, and its transpose
   * 24·e + 16·rows + 8·d, λ of the rows, the preconditioner and the numbers of the features 8·rows + 12·d; B, its last step
   * and the next, 4·k·(d + 2·min(d, e)), and what each predicts, 3·4·k·rows; scratch of the threads. 0 without features.
   * Names come on top. Features that no row with entries has take no room but in B: the less, the more of those there are.
   */
  readonly features: number
  /** Kernel scratch of all threads and the partial Gram matrices. */
  readonly scratch: number
  /** Node.js itself and its threads, at work: 120 MB and 30 MB per thread, measured with Node.js 24. */
  readonly process: number
  readonly total: number
}

/**
 * Peak memory of `train`, the matrix included, before anything is allocated. The result of `train` is in the memory of
 * `factors`; `model()` in an `onIteration` makes a copy, 4·factors·(users + items) more while it exists. Building the
 * matrix, loading and an `initial` model come on top.
 */
export function planMemory(input: MemoryInput): MemoryPlan {
  const { users, items, entries, factors: k = 128, threads = availableParallelism() } = input
  const { gatherPrecision = 'auto', solver = 'cg', codes = true, popularityExponent = 0, momentum = 0.8 } = input
  for (const [name, value] of Object.entries({ users, items, entries, factors: k, threads })) {
    positiveInteger(name, value)
  }
  const padded = padFactors(k)
  const ofSide = (name: string, rows: number, size?: FeatureSize): number => {
    if (!size) return 0
    positiveInteger(`${name}.features`, size.features)
    const { features, entries } = size
    const evident = Math.min(features, entries)
    const arrays = 4 * padded * (features + 2 * evident + 3 * rows)
    return 24 * entries + 24 * rows + 20 * features + arrays + featureScratch(padded, threads)
  }
  const features = ofSide('itemFeatures', items, input.itemFeatures) + ofSide('userFeatures', users, input.userFeatures)
  const mostFeatures = Math.max(input.itemFeatures?.features ?? 0, input.userFeatures?.features ?? 0)
  const weighted = popularityExponent > 0 ? 8 * entries : 0
  const matrix = 2 * entries * (codes ? 5 : 8) + weighted + 12 * (users + items + 2)
  const factors = 4 * padded * (users + (momentum > 0 ? 2 : 1) * items)
  // The partial sums, and a dozen k×k matrices of the change of basis.
  const gram = (maxGramShards(k) + 12) * padded * padded * 8
  const rows = solver === 'cg' ? Math.max(users, items) : 0
  const bytes = bytesPerFactor(gatherPrecision, k, rows)
  const layout = planLayout(k, rows, bytes, threads)
  const transformed = rows * (padded * bytes + (layout.outside ? 4 : 8))
  // The rows of the shards under way.
  const kept =
    4 * padded * threads * Math.min(SHARD_ROWS, (mostFeatures > 0 ? 2 : 1) * Math.max(users, items, mostFeatures))
  const scratch = layout.totalBytes - (layout.outside ? 0 : transformed) + gram + kept
  const process = 120e6 + 30e6 * threads
  const total = matrix + factors + transformed + features + scratch + process
  return { matrix, factors, transformed, features, scratch, process, total }
}
