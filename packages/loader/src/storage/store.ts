import type { S3Client } from '@aws-sdk/client-s3'
import type { ByteSource, ReadCounters, StoredFile } from './byte-source.ts'
import type { S3Connection } from './connection.ts'
import { listDisk } from './list-disk.ts'
import type { Listing } from './listing.ts'
import { OpenFiles } from './open-disk.ts'
import type { Agents } from './s3-client.ts'
import { isS3 } from './s3-uri.ts'

/** Files on disk and objects in S3 behind one door. One S3 client, made when first needed. */
export class Store {
  readonly counters: ReadCounters = { requests: 0, retries: 0 }
  readonly #files = new OpenFiles()
  #connection: S3Connection | undefined
  #agents: Promise<Agents> | undefined
  #client: S3Client | undefined

  constructor(connection?: S3Connection) {
    this.#connection = connection
  }

  async list(location: string, signal?: AbortSignal): Promise<Listing> {
    if (!isS3(location)) return listDisk(location)
    const [client, { listS3 }] = await Promise.all([this.#s3(), import('./list-s3.ts')])
    return listS3(location, { client, counters: this.counters, requesterPays: this.#connection?.requesterPays, signal })
  }

  async open(file: StoredFile, counters: ReadCounters = this.counters, signal?: AbortSignal): Promise<ByteSource> {
    if (!isS3(file.uri)) return this.#files.open(file)
    const [client, { openS3 }] = await Promise.all([this.#s3(), import('./open-s3.ts')])
    return openS3(file, { client, counters, requesterPays: this.#connection?.requesterPays, signal })
  }

  /** Takes over renewed keys; open sources keep the old client until they end. */
  renew(connection: S3Connection | undefined): void {
    if (JSON.stringify(connection) === JSON.stringify(this.#connection)) return
    this.#connection = connection
    this.#client = undefined
  }

  async close(): Promise<void> {
    await this.#files.close()
    const agents = await this.#agents
    agents?.httpAgent.destroy()
    agents?.httpsAgent.destroy()
  }

  /** Loads the SDK before it is needed. */
  static preload(): void {
    for (const part of [import('./s3-client.ts'), import('./open-s3.ts')]) part.catch(() => {})
  }

  /** The SDK takes a while to start, so a load from disk never does. */
  async #s3(): Promise<S3Client> {
    const { createAgents, createClient } = await import('./s3-client.ts')
    this.#agents ??= createAgents(this.#connection)
    const agents = await this.#agents
    this.#client ??= createClient(this.#connection, agents)
    return this.#client
  }
}
