import type { QdrantClient } from '@qdrant/js-client-rest'
import type { Dispatcher } from 'undici'
import { z } from 'zod'
import { checkOptions, type OptionKinds } from '../checks/check-options.ts'
import { object, positiveInteger, text, timeout } from '../checks/kinds.ts'
import { clientFor } from './address.ts'
import { intercepted, newDispatcher } from './dispatcher.ts'
import { ServerError, serverError } from './errors.ts'
import { type RetryOptions, retrying, retryKinds } from './retry.ts'

/** Where the server is. Either `url` (and `apiKey`) or a ready `client` of the official library. */
export interface ServerOptions {
  /**
   * `http://host:6333`, `https://host/prefix`, `https://user:password@host`. Without a port 6333 is used; a path becomes the prefix of every
   * request; user and password are sent as basic authentication.
   */
  url?: string
  apiKey?: string
  /** A client of the caller's own. Give it `timeout: Infinity`: with a finite one it replaces our abort signal by its own. */
  client?: QdrantClient
  /**
   * What requests go through, of undici 7: an `Agent` with a client certificate or an authority (`connect: { ca, cert, key }`), a `ProxyAgent`.
   * It stays open after `close`. Default: sockets of our own, through the proxies of the environment where Node was started with
   * NODE_USE_ENV_PROXY=1.
   */
  dispatcher?: Dispatcher
  /** Connections held open at once, without `dispatcher`. Default 8: 4 upload streams, the heartbeat, and the polls beside them. */
  connections?: number
  /** Milliseconds one request may take before it counts as lost. Default 60,000. */
  requestTimeout?: number
  retry?: RetryOptions
}

export const serverKinds: OptionKinds<ServerOptions> = {
  url: text.optional(),
  apiKey: text.optional(),
  client: object.optional(),
  dispatcher: object.optional(),
  connections: positiveInteger.optional(),
  requestTimeout: timeout.optional(),
  retry: retryKinds.optional(),
}

/** What a connection takes of the options of those who open one. */
const connectionOptions: z.ZodType = z.looseObject(serverKinds, 'an object of options')

export type Api = ReturnType<QdrantClient['api']>

/** What a request of the generated client takes as its second argument. */
export type RequestInitWithDispatcher = RequestInit & { dispatcher?: unknown }

export interface CallOptions {
  signal?: AbortSignal
  /** JSON to send in place of the body that the client makes, which takes it 23 µs per 128 numbers. */
  body?: Buffer
  /** Milliseconds for one attempt, in place of the connection's `requestTimeout`. */
  timeout?: number
  /** Sends the request once, for those that must look at the server's state before trying again. */
  once?: boolean
  /** Tries after the first one at most, in place of the connection's number if that is larger. */
  retries?: number
}

/** The official client (written against 1.19.0) behind retries, timeouts and abort signals. */
export class Connection {
  readonly client: QdrantClient
  /** Requests that were tried again, over the life of the connection. */
  retries = 0
  /** Bytes of request bodies sent. */
  bytesSent = 0
  readonly #dispatcher: Dispatcher
  readonly #ownsDispatcher: boolean
  readonly #timeout: number
  readonly #retry: RetryOptions

  constructor(options: ServerOptions) {
    checkOptions('a connection', connectionOptions, options)
    this.client = options.client ?? clientFor(options.url, options.apiKey)
    this.#timeout = options.requestTimeout ?? 60_000
    this.#retry = options.retry ?? {}
    this.#ownsDispatcher = options.dispatcher === undefined
    this.#dispatcher = options.dispatcher ?? newDispatcher(options.connections ?? 8)
  }

  /**
   * Sends one request through the client and returns its `result`, with retries for what is worth retrying.
   * `send` gets the client's API and the init to hand on: `(api, init) => api.countPoints({ ... }, init)`.
   *
   * @throws ServerError, or the signal's reason.
   */
  async call<T>(
    send: (api: Api, init: RequestInitWithDispatcher) => Promise<{ data: unknown }>,
    options: CallOptions = {},
  ): Promise<T> {
    const dispatcher = intercepted(this.#dispatcher, options.body, (bytes) => {
      this.bytesSent += bytes
    })
    const attempt = async (): Promise<T> => {
      const milliseconds = options.timeout ?? this.#timeout
      const timeout = AbortSignal.timeout(milliseconds)
      const signal = options.signal ? AbortSignal.any([options.signal, timeout]) : timeout
      const init = { signal, dispatcher } as RequestInitWithDispatcher
      let result: unknown
      try {
        result = resultOf((await send(this.client.api(), init)).data)
      } catch (error) {
        if (timeout.aborted && !options.signal?.aborted) throw timedOut(milliseconds, error)
        throw serverError(error)
      }
      if (isUnapplied(result)) {
        const message = 'The server had not applied the update when it answered (wait_timeout).'
        throw new ServerError(message, { temporary: true })
      }
      return result as T
    }
    if (options.once) return attempt()
    return retrying(attempt, this.#retry, options, () => {
      this.retries++
    })
  }

  /** Closes the sockets. Requests under way are finished first. */
  async close(): Promise<void> {
    if (this.#ownsDispatcher) await this.#dispatcher.close()
  }

  async [Symbol.asyncDispose](): Promise<void> {
    await this.close()
  }
}

function timedOut(milliseconds: number, cause: unknown): ServerError {
  return new ServerError(`No answer from the server within ${milliseconds} ms (\`requestTimeout\`).`, {
    temporary: true,
    cause,
  })
}

/** The root of the API answers without an envelope; everything else wraps its answer in `result`. */
function resultOf(data: unknown): unknown {
  return data !== null && typeof data === 'object' && 'result' in data ? data.result : data
}

/** `wait: true` can end in 200 with the update still in the queue. */
function isUnapplied(result: unknown): boolean {
  return (result as { status?: unknown } | null)?.status === 'wait_timeout'
}
