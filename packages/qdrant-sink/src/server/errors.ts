/** A request that the server refused, or that got no answer. Its message holds the server's own words. */
export class ServerError extends Error {
  override readonly name: string = 'ServerError'
  /** HTTP status; undefined where no answer came. */
  readonly status: number | undefined
  /** True for what may succeed when tried again: no connection, a timeout, 408, 429, 5xx other than a full disk. */
  readonly temporary: boolean
  /** Milliseconds that the server asked to wait (Retry-After). */
  readonly retryAfter: number | undefined
  /** The address that answered, without credentials. */
  readonly url: string | undefined

  constructor(message: string, details: ServerErrorDetails) {
    super(message, { cause: details.cause })
    this.status = details.status
    this.temporary = details.temporary
    this.retryAfter = details.retryAfter
    this.url = details.url
  }
}

export interface ServerErrorDetails {
  temporary: boolean
  status?: number | undefined
  retryAfter?: number | undefined
  url?: string | undefined
  cause?: unknown
}

/** True for what may succeed when tried again. */
export function isTemporary(error: unknown): boolean {
  return error instanceof ServerError && error.temporary
}

/** HTTP status of a failed request, where the server answered at all. */
export function statusOf(error: unknown): number | undefined {
  return error instanceof ServerError ? error.status : undefined
}

export function reasonOf(error: unknown): string {
  return error instanceof Error ? error.message : String(error)
}

/** What the client and fetch throw, as a `ServerError`; what is not about a request stays what it is. */
export function serverError(error: unknown): unknown {
  if (typeof (error as { status?: unknown } | null)?.status === 'number') return refusal(error as Refusal)
  // A client of the caller's own with a timeout of its own.
  if (error instanceof Error && error.name === 'QdrantClientTimeoutError')
    return new ServerError('No answer from the server within the timeout of the client.', {
      temporary: true,
      cause: error,
    })
  if (!(error instanceof TypeError)) return error
  // fetch reports every broken connection as a TypeError, which reads like a fault of the program.
  if (error.message === 'fetch failed') return noAnswer(error.cause)
  if (error.message === 'terminated') {
    const message = 'The connection broke in the middle of the answer.'
    return new ServerError(message, { temporary: true, cause: error.cause })
  }
  return error
}

/** What the client throws for an answer other than 200. */
interface Refusal {
  status: number
  message: string
  url?: string
  data?: unknown
  headers?: { get?(name: string): string | null }
}

function refusal(error: Refusal): ServerError {
  const { status, data, url, message } = error
  const said = (data as { status?: { error?: unknown } } | null)?.status?.error
  // A proxy in front of the server may answer with text, or with a page of HTML, which says no more than the status.
  const text = typeof data === 'string' && !data.trimStart().startsWith('<') ? data.trim().slice(0, 300) : ''
  const reason = typeof said === 'string' ? said : text || message
  const diskFull = status === 507 || (status === 500 && /no space left|disk (is )?full|out of disk/i.test(reason))
  return new ServerError(`${status}: ${reason}${hintFor(status, reason)}`, {
    status,
    temporary: !diskFull && (status === 408 || status === 429 || status >= 500),
    retryAfter: retryAfter(error),
    url,
    cause: error,
  })
}

function hintFor(status: number, reason: string): string {
  const hint =
    status === 401 || status === 403
      ? 'Check `apiKey`, or the user and password in `url`.'
      : status === 404 && /^Not found: Collection/.test(reason)
        ? 'Check `alias`, and that something has been published under it.'
        : ''
  return hint && `${/[.!?]$/.test(reason) ? '' : '.'} ${hint}`
}

/**
 * Faults of a connection that trying again does not mend: certificates, TLS to a port without it, something that is not HTTP. A name that
 * is not found is none of them: behind a Kubernetes service it is back when the server's pod is.
 */
const PERMANENT =
  /^(CERT_|ERR_TLS_|ERR_SSL_|DEPTH_ZERO_|SELF_SIGNED_|UNABLE_TO_|HOSTNAME_MISMATCH|INVALID_CA|EPROTO|UND_ERR_(INVALID|NOT_SUPPORTED))/
const CERTIFICATE = /CERT|SELF_SIGNED|UNABLE_TO_|INVALID_CA|HOSTNAME_MISMATCH/

function noAnswer(cause: unknown): ServerError {
  const { code = '', message = '' } = (cause ?? {}) as { code?: string; message?: string }
  const permanent = PERMANENT.test(code) || message === 'bad port' || message.includes('does not match the HTTP')
  const what = [code, message].filter(Boolean).join(', ') || 'connection failed'
  const hint = CERTIFICATE.test(code)
    ? ' The certificate is not trusted: set NODE_EXTRA_CA_CERTS to a file with its authority, or pass a `dispatcher` that knows it.'
    : permanent
      ? ' Check `url`: the scheme, and that the port is the REST port (6333), not the one of gRPC.'
      : ''
  return new ServerError(`No answer from the server: ${what.replace(/\.?$/, '.')}${hint}`, {
    temporary: !permanent,
    cause,
  })
}

/** Retry-After in milliseconds: seconds or a date (RFC 9110, 10.2.3). */
function retryAfter({ headers }: Refusal): number | undefined {
  const value = headers?.get?.('x-retry-after')
  if (!value) return undefined
  if (/^\d+$/.test(value)) return Number(value) * 1000
  const date = Date.parse(value)
  return Number.isNaN(date) ? undefined : Math.max(0, date - Date.now())
}
