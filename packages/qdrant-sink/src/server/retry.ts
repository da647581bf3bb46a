import { setTimeout as sleep } from 'node:timers/promises'
import pRetry from 'p-retry'

export interface RetryOptions {
  /** Tries after the first one. Default 8: with the delays below about two minutes of a server being away. */
  retries?: number
  /** Milliseconds before the first retry; doubles each time, times a random factor of 1 to 2. Default 250. */
  minDelay?: number
  /** The longest delay, in milliseconds. Default 30,000. */
  maxDelay?: number
}

/**
 * Runs `attempt` until it succeeds, fails for good, or the retries are used up. Worth another try: connections reset or refused,
 * timeouts (ours, and the server's 408), 429 after the Retry-After it names, and every 5xx but 507, the full disk.
 */
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
      const wait = retryAfter(error)
      if (wait !== undefined) await sleep(Math.max(wait, minDelay), undefined, signal && { signal })
      onRetry(error)
    },
    // A server that names the time to wait is at work, and the time is up to it: such a wait does not use up a try.
    shouldConsumeRetry: ({ error }) => retryAfter(error) === undefined,
    // 429 without Retry-After is a batch larger than the whole budget: waiting cannot help, splitting it can.
    shouldRetry: ({ error }) => isTemporary(error) && !(statusOf(error) === 429 && retryAfter(error) === undefined),
  })
}

/** HTTP status of a failed request, where the server answered at all. */
export function statusOf(error: unknown): number | undefined {
  const status = (error as { status?: unknown } | null)?.status
  return typeof status === 'number' ? status : undefined
}

/** The server's own words about a failed request, or else the error's. */
export function reasonOf(error: unknown): string {
  const data = (error as { data?: { status?: { error?: unknown } } } | null)?.data
  const said = data?.status?.error
  if (typeof said === 'string') return `${statusOf(error)}: ${said}`
  if (!(error instanceof Error)) return String(error)
  const cause =
    error.cause instanceof Error ? ` (${error.cause.message || (error.cause as { code?: string }).code})` : ''
  const status = statusOf(error)
  return `${status === undefined ? '' : `${status}: `}${error.message}${cause}`
}

/** True for what may succeed when tried again: no answer, a timeout, 408, 429, 5xx; not for a full disk (507, or 500 that says so). */
export function isTemporary(error: unknown): boolean {
  const status = statusOf(error)
  if (status === 507 || (status === 500 && /no space left|disk (is )?full|out of disk/i.test(reasonOf(error))))
    return false
  if (status !== undefined) return status === 408 || status === 429 || status >= 500
  if (!(error instanceof Error)) return false
  return error instanceof NoAnswerError || error instanceof NotAppliedError || /timeout/i.test(error.name)
}

/** The connection failed before an answer came: refused, reset, name not found. */
export class NoAnswerError extends Error {
  override readonly name: string = 'NoAnswerError'
}

/** The server took the request but had not applied it when it answered (`status: "wait_timeout"`). */
export class NotAppliedError extends Error {
  override readonly name: string = 'NotAppliedError'
}

/** Retry-After in milliseconds: seconds or a date (RFC 9110, 10.2.3). */
export function retryAfter(error: unknown): number | undefined {
  const value = (error as { headers?: { get?(name: string): string | null } } | null)?.headers?.get?.('x-retry-after')
  if (!value) return undefined
  if (/^\d+$/.test(value)) return Number(value) * 1000
  const date = Date.parse(value)
  return Number.isNaN(date) ? undefined : Math.max(0, date - Date.now())
}

/** fetch reports every broken connection as a TypeError, which reads like a fault of the program. */
export function connectionError(error: unknown): unknown {
  if (error instanceof TypeError && error.message === 'fetch failed') {
    return new NoAnswerError(`No answer from the server: ${connectionFault(error.cause)}`, { cause: error.cause })
  }
  if (error instanceof TypeError && error.message === 'terminated') {
    return new NoAnswerError('The connection broke in the middle of the answer.', { cause: error.cause })
  }
  return error
}

function connectionFault(cause: unknown): string {
  const { code, message } = (cause ?? {}) as { code?: string; message?: string }
  return [code, message].filter(Boolean).join(', ') || 'connection failed'
}
