import { LoadError, type LoadErrorCode } from '../errors.ts'

interface ServiceError {
  name?: string
  message?: string
  code?: string
  errors?: readonly Error[]
  StorageClass?: string
  $metadata?: { httpStatusCode?: number; attempts?: number }
  $response?: { headers?: Record<string, string | undefined> }
}

export function attemptsOf(error: unknown): number {
  return (error as ServiceError)?.$metadata?.attempts ?? 1
}

/** A LoadError that says what the store answered, and what to do about it. `action` completes "could not be". */
export function describeS3Error(error: unknown, uri: string, action: string, signal?: AbortSignal): Error {
  if (signal?.aborted) return signal.reason instanceof Error ? signal.reason : new Error('aborted')
  const [code, text] = explain(error as ServiceError, uri, action)
  return new LoadError(code, text, { file: uri }, { cause: error })
}

function explain(error: ServiceError, uri: string, action: string): [LoadErrorCode, string] {
  const name = error.name ?? 'Error'
  const status = error.$metadata?.httpStatusCode
  const failed = `${uri} could not be ${action}: ${reasonOf(error)}.`
  if (status === 412 || name === 'PreconditionFailed') {
    return ['changed', `${uri} changed while it was being loaded. Load a prefix nobody writes to.`]
  }
  if (name === 'NoSuchBucket') return ['missing', `${uri}: there is no such bucket.`]
  if (status === 404 && action === 'listed') {
    return [
      'storage',
      `${failed} The endpoint does not list buckets there. Give it as http(s)://host[:port] alone; the bucket belongs in ` +
        's3://bucket/prefix.',
    ]
  }
  if (status === 404) return ['missing', `${uri} was deleted while it was being loaded.`]
  if (status === 416) return ['truncated', `${uri} is shorter than it was when listed.`]
  if (name === 'InvalidObjectState') {
    const tier = error.StorageClass ?? 'GLACIER or DEEP_ARCHIVE'
    return [
      'storage',
      `${failed} The object is archived (${tier}): restore it first, or leave it out of the prefix. The keys are fine.`,
    ]
  }
  if (/^(ExpiredToken|TokenRefreshRequired|RequestExpired|ExpiredTokenException)$/.test(name)) {
    return ['credentials', `${uri} could not be ${action}, the keys have expired: ${reasonOf(error)}`]
  }
  if (name === 'RequestTimeTooSkewed') {
    return ['credentials', `${failed} The clock of this machine is wrong, and signatures are dated by it: set it.`]
  }
  if (name === 'PermanentRedirect' || name === 'AuthorizationHeaderMalformed' || status === 301) {
    const region = error.$response?.headers?.['x-amz-bucket-region']
    return ['storage', `${failed} The bucket is in ${region ?? 'another region'}: set the option s3.region to it.`]
  }
  if (name === 'AccessDenied' && action === 'listed') {
    return [
      'credentials',
      `${failed} Listing needs s3:ListBucket on the bucket; for a bucket where the requester pays, set ` +
        's3.requesterPays.',
    ]
  }
  if (status === 401 || status === 403 || name === 'CredentialsProviderError') {
    return ['credentials', `${failed} Check the access key, the secret, the region and the bucket policy.`]
  }
  if (status === undefined && error.$metadata?.attempts !== undefined) {
    return ['storage', `${failed} No answer came: check s3.endpoint, s3.proxy and s3.tls.`]
  }
  return ['storage', failed]
}

/** What the store or the network said, without the full stop. An AggregateError of several addresses says nothing itself. */
function reasonOf(error: ServiceError): string {
  const { name = 'Error', code, errors } = error
  const status = error.$metadata?.httpStatusCode
  const kind = name === 'Error' || name === 'AggregateError' ? (code ?? name) : name
  const message = error.message || errors?.map((each) => each.message).join(', ') || ''
  return `${kind}${status === undefined ? '' : ` (${status})`}${message === '' ? '' : `: ${message.replace(/\.$/, '')}`}`
}
