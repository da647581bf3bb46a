import type { S3Connection } from '../load/s3.ts'
import { type Cost, ProcessWatch } from './process-watch.ts'
import type { Shop } from './shop.ts'

/** What both pipelines are told. */
export interface Assignment {
  /** Places in S3 where there is a connection, else folders. */
  readonly sources: Omit<Shop, 'heldOut'>
  readonly s3: S3Connection | undefined
  readonly qdrant: string
  readonly factors: number
  readonly iterations: number
  readonly threads: number
  readonly seed: number
  readonly thresholds: { readonly user: number; readonly item: number }
  /** An empty folder for the model. */
  readonly output: string
}

export interface Stage extends Cost {
  readonly stage: string
}

/** What a pipeline came to. */
export interface Outcome {
  readonly whole: Cost
  readonly stages: readonly Stage[]
  readonly users: number
  readonly items: number
  readonly entries: number
  readonly confidence: number
  /** What recall.py takes. */
  readonly model: string
}

/** A stage by the times of its beginning and end, in milliseconds since 1970. */
export interface Span {
  readonly stage: string
  readonly from: number
  readonly to: number
}

/** Watches a process until it has ended; `ended` must resolve then. Returns what tells costs. */
export async function watch<T>(
  pid: number,
  ended: Promise<T>,
): Promise<{ result: T; began: number; end: number; cost: ProcessWatch['cost'] }> {
  const began = Date.now()
  const watching = new ProcessWatch(pid)
  try {
    const result = await ended
    return { result, began, end: Date.now(), cost: (from, to) => watching.cost(from, to) }
  } finally {
    watching.stop()
  }
}
