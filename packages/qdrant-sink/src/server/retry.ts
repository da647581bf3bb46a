import { setTimeout as sleep } from 'node:timers/promises'
import pRetry from 'p-retry'
import { z } from 'zod'
import { type OptionKinds, only } from '../checks/check-options.ts'
import { milliseconds, nonNegativeInteger } from '../checks/kinds.ts'
import { isTemporary, ServerError } from './errors.ts'

export interface RetryOptions {
  /** Tries after the first one. Default 8: with the delays below about two minutes of a server being away. */
  retries?: number
  /** Milliseconds before the first retry; doubles each time, times a random factor of 1 to 2. Default 250. */
  minDelay?: number
  /** The longest delay, in milliseconds. Default 30,000. */
  maxDelay?: number
}

const kinds: OptionKinds<RetryOptions> = {
  retries: z.union([nonNegativeInteger, z.literal(Number.POSITIVE_INFINITY)], 'a non-negative integer').optional(),
  minDelay: milliseconds.optional(),
  maxDelay: milliseconds.optional(),
}

export const retryKinds: z.ZodType = only(kinds)

/** Runs `attempt` until it succeeds, fails for good, or the retries are used up. What is worth another try: `ServerError.temporary`. */
export async function retrying<T>(
  attempt: () => Promise<T>,
  options: RetryOptions,
  { signal, retries = Number.POSITIVE_INFINITY }: { signal?: AbortSignal; retries?: number },
  onRetry: (error: Error) => void,
): Promise<T> {
  const minDelay = options.minDelay ?? 250
  return pRetry(attempt, {
    retries: Math.min(options.retries ?? 8, retries),
    minTimeout: minDelay,
    maxTimeout: options.maxDelay ?? 30_000,
    randomize: true,
    ...(signal && { signal }),
    async onFailedAttempt({ error, retriesLeft }) {
      if (signal?.aborted || retriesLeft === 0 || !isTemporary(error)) return
      const wait = waitOf(error)
      if (wait !== undefined) await sleep(Math.max(wait, minDelay), undefined, signal && { signal })
      onRetry(error)
    },
    // A server that names the time to wait is at work, and the time is up to it: such a wait does not use up a try.
    shouldConsumeRetry: ({ error }) => waitOf(error) === undefined,
    shouldRetry: ({ error }) => isTemporary(error) && !isOverBudget(error),
  })
}

/** 429 without Retry-After is a batch larger than the whole write budget: waiting cannot help, splitting it can. */
export function isOverBudget(error: unknown): boolean {
  return error instanceof ServerError && error.status === 429 && error.retryAfter === undefined
}

function waitOf(error: Error): number | undefined {
  return error instanceof ServerError ? error.retryAfter : undefined
}
