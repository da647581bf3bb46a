import { GetObjectCommand, type S3Client } from '@aws-sdk/client-s3'
import pMap from 'p-map'
import pRetry, { AbortError } from 'p-retry'
import { LoadError } from '../errors.ts'
import type { ByteSource, ReadCounters, StoredFile } from './byte-source.ts'
import { attemptsOf, describeS3Error } from './s3-errors.ts'
import { parseS3Uri } from './s3-uri.ts'

// 2-4 GETs of about 8 MB in flight a thread gave 415-590 MB/s on loopback; larger parts only hold more memory.
const PART_BYTES = 8 << 20
const PARTS_IN_FLIGHT = 3

/** What reading an object needs besides its name. */
export interface ReadContext {
  readonly client: S3Client
  readonly counters: ReadCounters
  readonly requesterPays?: boolean
  readonly signal?: AbortSignal
}

/** Ranged GETs with If-Match on the listed ETag: a file that changes in between is an error, never a silent mix. */
export function openS3(file: StoredFile, context: ReadContext): ByteSource {
  return {
    byteLength: file.byteLength,
    async read(start, bytes) {
      const parts = Math.ceil(bytes.length / PART_BYTES)
      await pMap(
        Array.from({ length: parts }, (_, part) => part * PART_BYTES),
        (at) => readPart(file, bytes.subarray(at, at + PART_BYTES), start + at, context),
        { concurrency: PARTS_IN_FLIGHT },
      )
    },
    async close() {},
  }
}

/** Fills `bytes` from byte `start`. The SDK retries requests; a body that breaks off after its headers is ours to retry. */
async function readPart(
  file: StoredFile,
  bytes: Uint8Array,
  start: number,
  { client, counters, requesterPays, signal }: ReadContext,
): Promise<void> {
  const { bucket, key } = parseS3Uri(file.uri)
  const range = `bytes=${start}-${start + bytes.length - 1}`
  const attempt = async () => {
    counters.requests++
    const response = await client
      .send(
        new GetObjectCommand({
          Bucket: bucket,
          Key: key,
          Range: range,
          IfMatch: file.version,
          RequestPayer: requesterPays ? 'requester' : undefined,
        }),
        { abortSignal: signal },
      )
      .catch((error: unknown) => {
        counters.retries += attemptsOf(error) - 1
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
