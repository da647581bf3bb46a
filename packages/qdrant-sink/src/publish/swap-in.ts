import { stepFailed } from '../errors.ts'
import { markPublished } from '../generation/record.ts'
import { type Move, swapAliases } from '../generation/swap.ts'
import type { Run } from './run.ts'

/** Moves the aliases to what this run has loaded. */
export async function swapIn(run: Run, moves: Move[]): Promise<void> {
  const { connection, progress, signal } = run
  progress.enter('swap', moves[0].to)
  try {
    for (const { from } of moves) if (from !== undefined) await markPublished(connection, from, { signal })
    signal.throwIfAborted()
    // From here on an abort waits: the swap is a single atomic request.
    await swapAliases(connection, moves, { signal: run.cancel })
  } catch (error) {
    const aliases = moves.map(({ alias }) => alias).join(' and ')
    throw stepFailed('swap', moves[0].to, error, `Pointing ${aliases} to the new generation`)
  }
}
