import type { S3Client } from '@aws-sdk/client-s3'
import type { ByteSource, ReadCounters, StoredFile } from './byte-source.ts'
import { listDisk, openDisk } from './disk.ts'
import { createClient, listS3, openS3, type S3Connection } from './s3.ts'

/** Files on disk and objects in S3 behind one door. One S3 client, made when first needed. */
export class Store {
  readonly counters: ReadCounters = { requests: 0, retries: 0 }
  #connection: S3Connection | undefined
  #client: S3Client | undefined

  constructor(connection?: S3Connection) {
    this.#connection = connection
  }

  list(location: string, signal?: AbortSignal): Promise<StoredFile[]> {
    if (!isS3(location)) return listDisk(location)
    return listS3(this.#s3(), location, this.counters, signal)
  }

  async open(file: StoredFile, signal?: AbortSignal): Promise<ByteSource> {
    return isS3(file.uri) ? openS3(this.#s3(), file, this.counters, signal) : openDisk(file)
  }

  /** Takes over renewed keys; open sources keep the old client until they end. */
  renew(connection: S3Connection | undefined): void {
    if (JSON.stringify(connection) === JSON.stringify(this.#connection)) return
    this.#connection = connection
    this.#client = undefined
  }

  close(): void {
    this.#client?.destroy()
  }

  #s3(): S3Client {
    this.#client ??= createClient(this.#connection)
    return this.#client
  }
}

function isS3(location: string): boolean {
  return location.startsWith('s3://')
}
