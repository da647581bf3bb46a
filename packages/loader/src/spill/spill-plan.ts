import { LoadError } from '../errors.ts'
import { CHUNK_ROWS } from '../ids/keys.ts'
import { mergerBytes, stagedBytes } from '../matrix/row-bytes.ts'

/** How a load is cut so that its working memory keeps to a budget. */
export interface SpillPlan {
  /** Rows gathered in a worker before they are appended to files. */
  readonly stageRows: number
  /** Rows of a bucket of users, which a worker sorts at a time. */
  readonly bucketRows: number
  /** Entries of a shard of the transposition. */
  readonly shardEntries: number
}

/**
 * A worker holds, one after the other: a stage; a bucket with the file it is read from (mergerBytes + 15 B a row, 8 B more for
 * times that are kept or a later side); a shard
 * of the transposition with its stage (20 B an entry). Each may take the budget less the ids, divided by the threads.
 */
export function planSpill(
  budget: number,
  idBytes: number,
  threads: number,
  coded: boolean,
  timed: boolean,
  divided: boolean,
): SpillPlan {
  const share = (budget - idBytes) / threads
  const minBytes = 2 * CHUNK_ROWS * stagedBytes(coded, timed)
  if (share < minBytes) {
    const needed = Math.ceil((idBytes + threads * minBytes) / 1e6)
    throw new LoadError(
      'memory',
      `memoryBudget: ${(budget / 1e6).toFixed(1)} MB is too little. The ids take ${(idBytes / 1e6).toFixed(1)} MB and each of ` +
        `${threads} threads ${(minBytes / 1e6).toFixed(1)} MB: give at least ${needed} MB, or use fewer threads.`,
    )
  }
  return {
    stageRows: Math.max(2 * CHUNK_ROWS, Math.min(1 << 19, Math.floor(share / stagedBytes(coded, timed)))),
    bucketRows: Math.max(4096, Math.floor(share / (mergerBytes(1, coded, timed) + 15 + (timed || divided ? 8 : 0)))),
    shardEntries: Math.max(1 << 14, Math.min(1 << 19, Math.floor(share / 20))),
  }
}
