import { LoadError } from '../errors.ts'

export function isS3(location: string): boolean {
  return location.startsWith('s3://')
}

/** Bucket and key of `s3://bucket/key`; the key is taken as it is written, without percent-decoding. */
export function parseS3Uri(uri: string): { bucket: string; key: string } {
  const [, bucket, key] = /^s3:\/\/([^/]+)\/?(.*)$/s.exec(uri) ?? []
  if (bucket === undefined) throw new LoadError('options', `"${uri}" is not an S3 location. Write s3://bucket/prefix.`)
  return { bucket, key }
}
