import { useEffect, useState } from 'preact/hooks'

export interface Answer<T> {
  /** The last answer, which stays while the next one is under way. */
  readonly value?: T
  readonly error?: string
  readonly loading: boolean
}

/** Asks the server, again whenever the path changes; an answer that comes too late is dropped. */
export function useAnswer<T>(path: string | undefined, delay: number = 0): Answer<T> {
  const [answer, setAnswer] = useState<Answer<T>>({ loading: path !== undefined })
  useEffect(() => {
    if (path === undefined) {
      setAnswer({ loading: false })
      return
    }
    const controller = new AbortController()
    setAnswer(({ value }) => ({ value, loading: true }))
    const timer = setTimeout(() => {
      ask<T>(path, controller.signal).then(
        (value) => setAnswer({ value, loading: false }),
        (error: Error) => {
          if (!controller.signal.aborted) setAnswer({ error: error.message, loading: false })
        },
      )
    }, delay)
    return () => {
      clearTimeout(timer)
      controller.abort()
    }
  }, [path])
  return answer
}

async function ask<T>(path: string, signal: AbortSignal): Promise<T> {
  const response = await fetch(path, { signal })
  const body = await response.json()
  if (!response.ok) throw new Error((body as { error: string }).error)
  return body as T
}
