import { Agent, DecoratorHandler, type Dispatcher, EnvHttpProxyAgent, getGlobalDispatcher } from 'undici'

/**
 * Sockets to the server. They are kept for 4 s, since the server closes idle ones after 5; the client's own stay open for 10, so that an
 * idle one is reset under the next request. Where Node was told to follow HTTP_PROXY, HTTPS_PROXY and NO_PROXY (NODE_USE_ENV_PROXY=1), so
 * do these.
 */
export function newDispatcher(connections: number): Agent | EnvHttpProxyAgent {
  const options = {
    connections,
    keepAliveTimeout: 4_000,
    keepAliveMaxTimeout: 4_000,
    bodyTimeout: 0,
    headersTimeout: 0,
  }
  // Node then puts one in the place that all copies of undici share; its own may be of another version, so this makes another.
  const followsEnvironment = getGlobalDispatcher().constructor.name === 'EnvHttpProxyAgent'
  return followsEnvironment ? new EnvHttpProxyAgent(options) : new Agent(options)
}

/**
 * Puts `body`, where there is one, in place of the client's, counts the bytes sent, and renames Retry-After, of which the client's
 * middleware would hand on the first character only.
 */
export function intercepted(
  dispatcher: Dispatcher,
  body: Buffer | undefined,
  onSend: (bytes: number) => void,
): Dispatcher {
  return dispatcher.compose((dispatch) => (request, handler) => {
    const sent = body === undefined ? request : withBody(request, body)
    onSend(Number(headersOf(sent)['content-length'] ?? 0))
    return dispatch(sent, new RetryAfterHandler(handler))
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
