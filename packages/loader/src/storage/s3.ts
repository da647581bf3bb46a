import { GetObjectCommand, ListObjectsV2Command, S3Client } from '@aws-sdk/client-s3'
import pMap from 'p-map'
import pRetry, { AbortError } from 'p-retry'
import picomatch from 'picomatch'
import { LoadError } from '../errors.ts'
import type { ByteSource, ReadCounters, StoredFile } from './byte-source.ts'
import type { S3Connection } from './connection.ts'
import { isData } from './disk.ts'

// 2-4 GETs of about 8 MB in flight a thread gave 415-590 MB/s on loopback; larger parts only hold more memory.
const PART_BYTES = 8 << 20
const PARTS_IN_FLIGHT = 3

export function createClient(connection: S3Connection = {}): S3Client {
  const { endpoint, region, credentials, forcePathStyle = endpoint !== undefined, maxAttempts = 5 } = connection
  return new S3Client({
    endpoint,
    region: region ?? (endpoint === undefined ? undefined : 'us-east-1'),
    credentials,
    forcePathStyle,
    maxAttempts,
    // A ranged GET carries no checksum to validate; asking for one only makes some stores refuse.
    responseChecksumValidation: 'WHEN_REQUIRED',
    requestChecksumCalculation: 'WHEN_REQUIRED',
    // Warnings about the SDK's own future are not the library's to print.
    logger: { trace() {}, debug() {}, info() {}, warn() {}, error() {} },
  })
}

/** `s3://bucket/prefix` or a glob under it, by listing pages only: sizes and ETags come with them, so no HEAD each. */
export async function listS3(
  client: S3Client,
  uri: string,
  counters: ReadCounters,
  signal?: AbortSignal,
): Promise<StoredFile[]> {
  const { bucket, key } = parseS3Uri(uri)
  const pattern = picomatch.scan(key)
  const isGlob = pattern.isGlob
  const prefix = isGlob ? pattern.base + (pattern.base === '' || pattern.base === key ? '' : '/') : key
  const matches = isGlob ? picomatch(key) : undefined
  const files: StoredFile[] = []
  let token: string | undefined
  do {
    const page = await client
      .send(new ListObjectsV2Command({ Bucket: bucket, Prefix: prefix, ContinuationToken: token }), {
        abortSignal: signal,
      })
      .catch((error: unknown) => {
        throw describeS3Error(error, uri, 'listed', signal)
      })
    counters.requests++
    counters.retries += (page.$metadata.attempts ?? 1) - 1
    for (const object of page.Contents ?? []) {
      const name = object.Key ?? ''
      // A prefix that ends inside a name ("haves" next to "haves-old/") takes only what lies below it, or itself.
      const wanted = matches?.(name) ?? (name === key || key === '' || key.endsWith('/') || name.startsWith(`${key}/`))
      if (wanted && (name === key || isData(name.slice(prefix.length)))) {
        files.push({ uri: `s3://${bucket}/${name}`, byteLength: object.Size ?? 0, version: object.ETag ?? '' })
      }
    }
    token = page.NextContinuationToken
  } while (token !== undefined)
  return files.sort((a, b) => (a.uri < b.uri ? -1 : 1))
}

/** Ranged GETs with If-Match on the listed ETag: a file that changes in between is an error, never a silent mix. */
export function openS3(client: S3Client, file: StoredFile, counters: ReadCounters, signal?: AbortSignal): ByteSource {
  return {
    byteLength: file.byteLength,
    async read(start, bytes) {
      const parts = Math.ceil(bytes.length / PART_BYTES)
      await pMap(
        Array.from({ length: parts }, (_, part) => part * PART_BYTES),
        (at) => readPart(client, file, bytes.subarray(at, at + PART_BYTES), start + at, counters, signal),
        { concurrency: PARTS_IN_FLIGHT },
      )
    },
    async close() {},
  }
}

/** Fills `bytes` from byte `start`. The SDK retries requests; a body that breaks off after its headers is ours to retry. */
async function readPart(
  client: S3Client,
  file: StoredFile,
  bytes: Uint8Array,
  start: number,
  counters: ReadCounters,
  signal?: AbortSignal,
): Promise<void> {
  const { bucket, key } = parseS3Uri(file.uri)
  const range = `bytes=${start}-${start + bytes.length - 1}`
  const attempt = async () => {
    counters.requests++
    const response = await client
      .send(new GetObjectCommand({ Bucket: bucket, Key: key, Range: range, IfMatch: file.version }), {
        abortSignal: signal,
      })
      .catch((error: unknown) => {
        counters.retries += Math.max(0, (attemptsOf(error) ?? 1) - 1)
        throw new AbortError(describeS3Error(error, file.uri, `read (${range})`, signal))
      })
    counters.retries += (response.$metadata.attempts ?? 1) - 1
    let filled = 0
    for await (const chunk of response.Body as AsyncIterable<Uint8Array>) {
      if (filled + chunk.length > bytes.length) {
        throw new AbortError(
          new LoadError('storage', `${file.uri}: the store ignored the range ${range} and sent more.`, {
            file: file.uri,
          }),
        )
      }
      bytes.set(chunk, filled)
      filled += chunk.length
    }
    if (filled < bytes.length) throw new Error(`the body ended after ${filled} of ${bytes.length} bytes`)
  }
  try {
    await pRetry(attempt, {
      retries: 4,
      minTimeout: 100,
      maxTimeout: 5000,
      randomize: true,
      signal,
      // A body that breaks off surfaces as all kinds of errors, TypeErrors among them.
      shouldRetry: () => true,
      onFailedAttempt: ({ retriesLeft }) => {
        if (retriesLeft > 0) counters.retries++
      },
    })
  } catch (error) {
    if (error instanceof LoadError || signal?.aborted) throw error
    throw new LoadError(
      'storage',
      `${file.uri}: reading ${range} broke off 5 times, the last time because ${(error as Error).message}.`,
      { file: file.uri },
      { cause: error },
    )
  }
}

function parseS3Uri(uri: string): { bucket: string; key: string } {
  const [, bucket, key] = /^s3:\/\/([^/]+)\/?(.*)$/s.exec(uri) ?? []
  if (bucket === undefined) throw new LoadError('options', `"${uri}" is not an S3 location. Write s3://bucket/prefix.`)
  return { bucket, key }
}

interface ServiceError {
  name?: string
  message?: string
  $metadata?: { httpStatusCode?: number; attempts?: number }
}

function attemptsOf(error: unknown): number | undefined {
  return (error as ServiceError)?.$metadata?.attempts
}

function describeS3Error(error: unknown, uri: string, action: string, signal?: AbortSignal): Error {
  if (signal?.aborted) return signal.reason instanceof Error ? signal.reason : new Error('aborted')
  const { name = 'Error', message = '', $metadata } = error as ServiceError
  const status = $metadata?.httpStatusCode
  const because = `${name}${status === undefined ? '' : ` (${status})`}${message === '' ? '' : `: ${message.replace(/\.$/, '')}`}`
  const place = { file: uri }
  const cause = { cause: error }
  if (status === 412 || name === 'PreconditionFailed') {
    return new LoadError('changed', `${uri} changed while it was being loaded. Load a prefix nobody writes to.`, place)
  }
  if (name === 'NoSuchBucket') return new LoadError('missing', `${uri}: there is no such bucket.`, place, cause)
  if (status === 404) return new LoadError('missing', `${uri} was deleted while it was being loaded.`, place, cause)
  if (status === 416) return new LoadError('truncated', `${uri} is shorter than it was when listed.`, place, cause)
  if (/ExpiredToken|TokenRefreshRequired|RequestExpired|ExpiredTokenException/.test(name)) {
    return new LoadError(
      'credentials',
      `${uri} could not be ${action}, the keys have expired: ${because}`,
      place,
      cause,
    )
  }
  if (status === 401 || status === 403 || name === 'CredentialsProviderError') {
    const advice = 'Check the access key, the secret, the region and the bucket policy.'
    return new LoadError('credentials', `${uri} could not be ${action}: ${because}. ${advice}`, place, cause)
  }
  return new LoadError('storage', `${uri} could not be ${action}: ${because}`, place, cause)
}
