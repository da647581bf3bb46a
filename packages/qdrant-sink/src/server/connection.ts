import { QdrantClient } from '@qdrant/js-client-rest'
import { Agent, DecoratorHandler, type Dispatcher } from 'undici'
import { connectionError, NotAppliedError, type RetryOptions, retrying } from './retry.ts'

/** Where the server is. Either `url` (and `apiKey`) or a ready `client` of the official library. */
export interface ServerOptions {
  /** `http://host:6333`, `https://host/prefix`. Without a port the client's 6333 is used; a path becomes the prefix of every request. */
  url?: string
  apiKey?: string
  /** A client of the caller's own. Give it `timeout: Infinity`: with a finite one it replaces our abort signal by its own. */
  client?: QdrantClient
  /** Connections held open at once. Default 8: 4 upload streams, the heartbeat, and the polls beside them. */
  connections?: number
  /** Milliseconds one request may take before it counts as lost. Default 60,000. */
  requestTimeout?: number
  retry?: RetryOptions
}

export type Api = ReturnType<QdrantClient['api']>

/** What a request of the generated client takes as its second argument. */
export type RequestInitWithDispatcher = RequestInit & { dispatcher?: unknown }

export interface CallOptions {
  signal?: AbortSignal
  /** JSON to send in place of the body that the client makes. */
  body?: Buffer
  /** Milliseconds for one attempt, in place of the connection's `requestTimeout`. */
  timeout?: number
  /** Sends the request once, for those that must look at the server's state before trying again. */
  once?: boolean
  /** Tries after the first one at most, in place of the connection's number if that is larger. */
  retries?: number
}

/**
 * The official client behind retries, timeouts and abort signals.
 *
 * Three facts of client 1.19.0 shape it: its middleware hands on only the first character of Retry-After; its sockets stay
 * open for 10 s where the server closes them after 5 s, so that an idle one is reset under the next request; and it writes bodies
 * through a replacer that is called for every number, 23 µs for 128 of them. A dispatcher of our own, handed to each call, renames
 * the header before the client sees it, keeps sockets for 4 s, puts in the body where the caller has written one, and counts the bytes sent.
 */
export class Connection {
  readonly client: QdrantClient
  /** Requests that were tried again, over the life of the connection. */
  retries = 0
  /** Bytes of request bodies sent. */
  bytesSent = 0
  readonly #agent: Agent
  readonly #timeout: number
  readonly #retry: RetryOptions

  constructor(options: ServerOptions) {
    this.client = options.client ?? clientFor(options)
    this.#timeout = options.requestTimeout ?? 60_000
    this.#retry = options.retry ?? {}
    this.#agent = new Agent({
      connections: options.connections ?? 8,
      keepAliveTimeout: 4_000,
      keepAliveMaxTimeout: 4_000,
      bodyTimeout: 0,
      headersTimeout: 0,
    })
  }

  /**
   * Sends one request through the client and returns its `result`, with retries for what is worth retrying.
   * `send` gets the client's API and the init to hand on: `(api, init) => api.countPoints({ ... }, init)`.
   */
  async call<T>(
    send: (api: Api, init: RequestInitWithDispatcher) => Promise<{ data: unknown }>,
    options: CallOptions = {},
  ): Promise<T> {
    const dispatcher = this.#dispatcher(options.body)
    const attempt = async (): Promise<T> => {
      const timeout = AbortSignal.timeout(options.timeout ?? this.#timeout)
      const signal = options.signal ? AbortSignal.any([options.signal, timeout]) : timeout
      const init = { signal, dispatcher } as RequestInitWithDispatcher
      try {
        const { data } = await send(this.client.api(), init)
        const result = resultOf(data)
        if (isUnapplied(result))
          throw new NotAppliedError('The server had not applied the update when it answered (wait_timeout).')
        return result as T
      } catch (error) {
        throw connectionError(error)
      }
    }
    if (options.once) return attempt()
    return retrying(attempt, this.#retry, options, () => {
      this.retries++
    })
  }

  /** Closes the sockets. Requests under way are finished first. */
  async close(): Promise<void> {
    await this.#agent.close()
  }

  async [Symbol.asyncDispose](): Promise<void> {
    await this.close()
  }

  #dispatcher(body: Buffer | undefined): Dispatcher {
    return this.#agent.compose((dispatch) => (request, handler) => {
      const sent = body === undefined ? request : withBody(request, body)
      this.bytesSent += Number(headersOf(sent)['content-length'] ?? 0)
      return dispatch(sent, new RetryAfterHandler(handler))
    })
  }
}

/** The root of the API answers without an envelope; everything else wraps its answer in `result`. */
function resultOf(data: unknown): unknown {
  return data !== null && typeof data === 'object' && 'result' in data ? data.result : data
}

/** `wait: true` can end in 200 with the update still in the queue. */
function isUnapplied(result: unknown): boolean {
  return (result as { status?: unknown } | null)?.status === 'wait_timeout'
}

function clientFor(options: ServerOptions): QdrantClient {
  if (!options.url) throw new TypeError('Expected `url` (such as http://localhost:6333) or `client`, got neither.')
  if (!URL.canParse(options.url) || !/^https?:/.test(options.url)) {
    throw new TypeError(
      `Expected \`url\` to begin with http:// or https://, got "${options.url}". Try http://localhost:6333.`,
    )
  }
  const url = new URL(options.url)
  const prefix = url.pathname.replace(/\/+$/, '')
  // URL drops a port that is the scheme's default (https://host:443), and the client would put 6333 in its place.
  const explicit = /^https?:\/\/[^/]*:(\d+)(\/|$)/.exec(options.url)?.[1]
  return new QdrantClient({
    url: url.origin,
    port: explicit === undefined ? 6333 : Number(explicit),
    ...(prefix && { prefix }),
    // As a header: with `apiKey` the client prints a warning on plain http, and a library does not print.
    ...(options.apiKey && { headers: { 'api-key': options.apiKey } }),
    timeout: Number.POSITIVE_INFINITY,
    checkCompatibility: false,
  })
}

/** undici 7 ships the class without the types of its methods. */
const Decorator = DecoratorHandler as unknown as new (
  handler: Dispatcher.DispatchHandler,
) => {
  onResponseStart(
    controller: Dispatcher.DispatchController,
    status: number,
    headers: ResponseHeaders,
    message?: string,
  ): void
}

type ResponseHeaders = Record<string, string | string[]>

class RetryAfterHandler extends Decorator {
  override onResponseStart(
    controller: Dispatcher.DispatchController,
    status: number,
    headers: ResponseHeaders,
    message?: string,
  ): void {
    const { 'retry-after': retryAfter, ...rest } = headers
    const renamed = retryAfter === undefined ? headers : { ...rest, 'x-retry-after': retryAfter }
    super.onResponseStart(controller, status, renamed, message)
  }
}

function withBody(request: Dispatcher.DispatchOptions, body: Buffer): Dispatcher.DispatchOptions {
  return { ...request, body, headers: { ...headersOf(request), 'content-length': String(body.length) } }
}

/** fetch hands its headers to the dispatcher as one object with names in lower case. */
function headersOf({ headers }: Dispatcher.DispatchOptions): Record<string, string> {
  return (headers ?? {}) as Record<string, string>
}
