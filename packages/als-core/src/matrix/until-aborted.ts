import type { Rows } from './read-rows.ts'

/** Rows that end with the reason of a signal, even while their stream waits for the next one; other rows as they are. */
export function untilAborted(rows: Rows, signal: AbortSignal): Rows {
  if (!(Symbol.asyncIterator in rows)) return rows
  return streamUntilAborted(rows as AsyncIterable<object>, signal)
}

async function* streamUntilAborted(rows: AsyncIterable<object>, signal: AbortSignal): AsyncGenerator<object> {
  const iterator = rows[Symbol.asyncIterator]()
  let stop: ((reason: unknown) => void) | undefined
  const abort = () => stop?.(signal.reason)
  signal.addEventListener('abort', abort, { once: true })
  let done = false
  try {
    for (;;) {
      signal.throwIfAborted()
      // One promise a row, whose reject the signal has: a race against one long promise would keep a reaction per row.
      const next = await new Promise<IteratorResult<object>>((resolve, reject) => {
        stop = reject
        iterator.next().then(resolve, reject)
      })
      if (next.done) {
        done = true
        return
      }
      yield next.value
    }
  } finally {
    signal.removeEventListener('abort', abort)
    // Not awaited: a generator that hangs in its `next` answers this after it, which is never.
    if (!done) void iterator.return?.()?.catch(() => {})
  }
}
