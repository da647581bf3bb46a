import type { Confidence, ResolvedOptions } from './options.ts'
import { hadoopPath } from './storage-path.ts'

/** What job/train.py is told, as JSON: every option checked, every default filled in, places as Hadoop names them. */
export interface Job {
  readonly directory: string
  readonly sources: readonly {
    readonly name: string
    readonly paths: readonly string[]
    /** False for a folder, of which *.parquet are data. */
    readonly listed: boolean
    readonly user: string
    readonly item: string
    readonly confidence:
      | { readonly way: 'constant'; readonly value: number }
      | { readonly way: 'table'; readonly column: string; readonly values: readonly (readonly [string, number])[] }
      | {
          readonly way: 'weight'
          readonly column: string
          readonly weight: 'linear' | 'log1p'
          readonly factor: number
          readonly offset: number
        }
    /** Users whose hash is below this, of 2^32. */
    readonly below: number
  }[]
  readonly thresholds: { readonly user: number; readonly item: number }
  readonly seed: number
  readonly factors: number
  /** 0: the merged entries and no model. */
  readonly iterations: number
  readonly regularization: number
  readonly alpha: number
  readonly blocks: number | null
  readonly checkpointInterval: number
  /** Pairs whose hash is below this, of 2^32, are held out. */
  readonly heldOutBelow: number
  readonly heldOutUsers: number
  /** Process that started the job: when it is gone, so is the job. */
  readonly starter: number
}

export function jobOf(options: ResolvedOptions): Job {
  const { factors, iterations, regularization, alpha, checkpointInterval, heldOutUsers, seed } = options
  return {
    directory: hadoopPath(options.directory).replaceAll(/\\(.)/g, '$1'),
    sources: options.sources.map(({ name, uri, files, user, item, confidence, sample }) => ({
      name,
      paths: files?.map((file) => hadoopPath(file, true)) ?? [hadoopPath(uri!)],
      listed: files !== undefined || uri!.endsWith('.parquet'),
      user,
      item,
      confidence: compileConfidence(confidence),
      below: Math.round(sample * 2 ** 32),
    })),
    thresholds: { user: options.thresholds.user, item: options.thresholds.item },
    seed,
    factors,
    iterations,
    regularization,
    alpha,
    blocks: options.blocks ?? null,
    checkpointInterval,
    heldOutBelow: Math.round(options.holdOut * 2 ** 32),
    heldOutUsers,
    starter: process.pid,
  }
}

function compileConfidence(confidence: Confidence): Job['sources'][number]['confidence'] {
  if (typeof confidence === 'number') return { way: 'constant', value: confidence }
  if ('weight' in confidence) {
    const { column, weight, factor = 1, offset = 0 } = confidence
    return { way: 'weight', column, weight, factor, offset }
  }
  const { column, values } = confidence
  const pairs = values instanceof Map ? [...values] : Object.entries(values as Record<string, number>)
  return { way: 'table', column, values: pairs.map(([key, value]) => [String(key), value]) }
}
