import type { S3Client } from '@aws-sdk/client-s3'
import type { ByteSource, ReadCounters, StoredFile } from './byte-source.ts'
import type { S3Connection } from './connection.ts'
import { listDisk, openDisk } from './disk.ts'

/** Files on disk and objects in S3 behind one door. One S3 client, made when first needed. */
export class Store {
  readonly counters: ReadCounters = { requests: 0, retries: 0 }
  #connection: S3Connection | undefined
  #client: S3Client | undefined

  constructor(connection?: S3Connection) {
    this.#connection = connection
  }

  async list(location: string, signal?: AbortSignal): Promise<StoredFile[]> {
    if (!isS3(location)) return listDisk(location)
    const { client, listS3 } = await this.#s3()
    return listS3(client, location, this.counters, signal)
  }

  async open(file: StoredFile, counters: ReadCounters = this.counters, signal?: AbortSignal): Promise<ByteSource> {
    if (!isS3(file.uri)) return openDisk(file)
    const { client, openS3 } = await this.#s3()
    return openS3(client, file, counters, signal)
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

  /** The SDK takes a while to start, so a load from disk never does. */
  async #s3(): Promise<typeof import('./s3.ts') & { client: S3Client }> {
    const sdk = await import('./s3.ts')
    this.#client ??= sdk.createClient(this.#connection)
    return { ...sdk, client: this.#client }
  }
}

export function isS3(location: string): boolean {
  return location.startsWith('s3://')
}
