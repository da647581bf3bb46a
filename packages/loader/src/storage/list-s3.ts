import { ListObjectsV2Command, type S3Client } from '@aws-sdk/client-s3'
import type { ReadCounters, StoredFile } from './byte-source.ts'
import { parseGlob } from './glob.ts'
import { type Listing, ListingBuilder } from './listing.ts'
import { describeS3Error } from './s3-errors.ts'
import { parseS3Uri } from './s3-uri.ts'

/** What listing needs besides its location. */
export interface ListContext {
  readonly client: S3Client
  readonly counters: ReadCounters
  readonly requesterPays?: boolean
  readonly signal?: AbortSignal
}

/**
 * An object, a prefix or a glob, in this order: a location that exists as it is written is no glob. Listing is all that it
 * takes, since sizes and ETags come with it: no HEAD per object.
 */
export async function listS3(uri: string, context: ListContext): Promise<Listing> {
  const { bucket, key } = parseS3Uri(uri)
  const object = key === '' || key.endsWith('/') ? undefined : await firstBelow(bucket, key, uri, context)
  const itself = object?.uri === `s3://${bucket}/${key}` ? object : undefined
  // An empty object of a folder's name is a marker, if anything is below it.
  if (itself !== undefined && itself.byteLength > 0) return { files: [itself], leftOut: [] }
  const folder = key === '' || key.endsWith('/') ? key : `${key}/`
  const glob = parseGlob(key)
  const isFolder = glob === undefined || (await firstBelow(bucket, folder, uri, context)) !== undefined
  const root = `s3://${bucket}/${isFolder ? folder : glob.base === '' ? '' : `${glob.base}/`}`
  const listing = new ListingBuilder()
  for await (const file of objects(bucket, isFolder ? folder : glob.prefix, uri, context)) {
    const path = file.uri.slice(root.length)
    listing.notice(file.uri, path)
    // A name that ends in a slash is a folder that the console made.
    if (path === '' || path.endsWith('/')) continue
    if (isFolder || glob.matches(path)) listing.add(file, path)
  }
  // The names before a wildcard narrow the listing, past the log of a table.
  if (!isFolder && !glob.prefix.endsWith('/') && glob.prefix !== '') {
    for (const log of ['_delta_log/', '.hoodie/']) {
      const found = await firstBelow(bucket, `${root.slice(`s3://${bucket}/`.length)}${log}`, uri, context)
      if (found !== undefined) listing.notice(found.uri, found.uri.slice(root.length))
    }
  }
  const found = listing.finish()
  return itself !== undefined && found.files.length === 0 ? { files: [itself], leftOut: found.leftOut } : found
}

async function firstBelow(
  bucket: string,
  prefix: string,
  uri: string,
  context: ListContext,
): Promise<StoredFile | undefined> {
  for await (const file of objects(bucket, prefix, uri, context, 1)) return file
  return undefined
}

async function* objects(
  bucket: string,
  prefix: string,
  uri: string,
  { client, counters, requesterPays, signal }: ListContext,
  limit?: number,
): AsyncGenerator<StoredFile> {
  let token: string | undefined
  do {
    const command = new ListObjectsV2Command({
      Bucket: bucket,
      Prefix: prefix,
      ContinuationToken: token,
      MaxKeys: limit,
      RequestPayer: requesterPays ? 'requester' : undefined,
    })
    const page = await client.send(command, { abortSignal: signal }).catch((error: unknown) => {
      throw describeS3Error(error, uri, 'listed', signal)
    })
    counters.requests++
    counters.retries += (page.$metadata.attempts ?? 1) - 1
    for (const { Key = '', Size = 0, ETag = '' } of page.Contents ?? []) {
      yield { uri: `s3://${bucket}/${Key}`, byteLength: Size, version: ETag }
    }
    token = limit === undefined ? page.NextContinuationToken : undefined
  } while (token !== undefined)
}
